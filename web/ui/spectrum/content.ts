/**
 * The spectrum as content of a plot: traces, holds and reference with their bands.
 */
import { type DisplayChoice, typicalError } from '../../analysis/display.ts';
import { heightRange, type Range, RangeFinder } from '../../analysis/range.ts';
import { isShown, linesOf, referenceMode, shownScale } from '../model/lines.ts';
import type { Model } from '../model/model.ts';
import { LINES, type LineName } from '../model/view.ts';
import { powerTicks, powerTitle } from '../plot/axes.ts';
import type { Canvas, Content, Marked, Scope } from '../plot/content.ts';
import { bottomlessColumns, drawMarks, offScaleColumns } from '../plot/off-scale.ts';
import { drawBand, drawDots, drawLine } from '../plot/strokes.ts';
import { TraceArrays } from '../plot/traces.ts';

/** The line that leads decides the height, the cursor's snapping and the marks at the edges. */
const BY_WEIGHT: readonly LineName[] = ['run', 'latest', 'progress', 'peak', 'least', 'reference'];

/** Thickness of the lines and size of the dots, in units of the root font size. */
const LINE_WIDTHS: Readonly<Record<LineName, number>> = {
  run: 0.125,
  latest: 0.07,
  progress: 0.17,
  peak: 0.07,
  least: 0.07,
  reference: 0.09,
};
/** Dots that lie closer than their size cover everything: at most so many bins wide, and never less than two pixels. */
const DOT_BINS = 4;
const EMPTY_RANGE: Range = { min: 0, max: 1 };

/** Begun by the frame after the first one with a spectrum in it: by then that one has been made. */
export const FIRST_PICTURE = 'haloscope first picture';
let isFirst = true;

function markFirstPicture(): void {
  if (isFirst) requestAnimationFrame(() => performance.mark(FIRST_PICTURE));
  isFirst = false;
}

export class SpectrumContent implements Content {
  readonly #model: Model;
  readonly #lines;
  readonly #arrays = new TraceArrays();
  readonly #finder = new RangeFinder();
  #choice: DisplayChoice = { unit: 'published', scale: 'linear', band: 'error' };
  #y: Range = EMPTY_RANGE;

  constructor(model: Model) {
    this.#model = model;
    this.#lines = linesOf(model);
  }

  follow(): void {
    const { view } = this.#model;
    for (const part of ['y', 'traces', 'band', 'unit', 'height'] as const) void view[part].value;
    for (const line of LINES) void this.#lines[line].value;
    void shownScale(this.#model);
  }

  prepare(scope: Scope): void {
    const { view } = this.#model;
    this.#choice = { unit: view.unit.peek(), scale: shownScale(this.#model), band: view.band.peek() };
    // A ratio has no unit.
    if (referenceMode(this.#model) === 'ratio') this.#choice = { ...this.#choice, unit: 'published' };
    this.#arrays.resize(scope.geometry.bins);
    for (const line of LINES)
      if (this.#isShown(line)) this.#arrays.update(line, this.#lines[line].peek(), this.#choice);
    this.#y = view.y.peek() ?? this.#findY(scope);
  }

  y(): Range {
    return this.#y;
  }

  yTitle(): string {
    return powerTitle(this.#y, this.#choice.unit, this.#choice.scale, referenceMode(this.#model));
  }

  /** Without a spectrum the axis carries no numbers, because there are none. */
  yTicks(ticks: readonly number[], increment: number): string[] {
    if (this.#leader() === null) return ticks.map(() => '');
    return powerTicks(ticks, increment, this.#y, this.#choice.scale);
  }

  peaks(): ArrayLike<number> | null {
    const leader = this.#leader();
    return leader === null ? null : this.#arrays.arrays(leader).mean;
  }

  marked(): readonly (Marked | null)[] {
    return LINES.map((line) =>
      this.#hasData(line)
        ? { values: this.#arrays.arrays(line).mean, colour: (palette) => palette.trace[line] }
        : null,
    );
  }

  setY(range: Range | null): void {
    this.#model.view.y.value = range;
  }

  draw(canvas: Canvas): void {
    const { ctx, left, top, width, height } = canvas;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (const line of LINES) if (this.#hasData(line)) this.#drawLine(canvas, line);
    ctx.restore();
    this.#drawOffScale(canvas);
    if (this.#leader() !== null) markFirstPicture();
  }

  #drawLine({ ctx, projection, palette, rem, pixelRatio }: Canvas, line: LineName): void {
    const arrays = this.#arrays.arrays(line);
    const width = LINE_WIDTHS[line] * rem;
    if (this.#choice.band !== 'none') {
      ctx.fillStyle = (this.#choice.band === 'std' ? palette.wideBand : palette.band)[line];
      drawBand(ctx, arrays, projection);
    }
    ctx.fillStyle = palette.trace[line];
    const dot = Math.min(width, Math.max(2 * pixelRatio, DOT_BINS * projection.dx));
    if (line === 'progress') drawDots(ctx, arrays.mean, projection, dot);
    else drawLine(ctx, arrays.mean, projection, width);
  }

  #drawOffScale({ ctx, projection, palette, pixelRatio }: Canvas): void {
    const leader = this.#leader();
    if (leader === null) return;
    const { mean: values, low } = this.#arrays.arrays(leader);
    // A band that reaches down to no power ends at the axis, which no picture of decibels shows.
    ctx.fillStyle = palette.threshold;
    drawMarks(ctx, bottomlessColumns(low, projection, pixelRatio), projection.bottom, 'below', pixelRatio);
    ctx.fillStyle = palette.trace[leader];
    for (const beyond of ['above', 'below'] as const) {
      const columns = offScaleColumns(values, projection, beyond, pixelRatio);
      drawMarks(ctx, columns, beyond === 'above' ? projection.top : projection.bottom, beyond, pixelRatio);
    }
  }

  #isShown(line: LineName): boolean {
    return isShown(this.#model, line);
  }

  #hasData(line: LineName): boolean {
    return this.#isShown(line) && this.#arrays.has(line);
  }

  #leader(): LineName | null {
    return BY_WEIGHT.find((line) => this.#hasData(line)) ?? null;
  }

  /** Follows from the data alone, so that every screen with the same data shows the same axis. */
  #findY({ from, to }: Scope): Range {
    const { scale, band } = this.#choice;
    const leader = this.#leader();
    if (leader === null) return EMPTY_RANGE;
    const arrays = this.#arrays.arrays(leader);
    // Mean less one sample std is about no power at all, which in decibels lies anywhere down to −∞.
    const isBottomless = band === 'std' && scale === 'db';
    this.#finder.clear();
    this.#finder.add(arrays.mean, from, to);
    if (band === 'std') this.#finder.add(arrays.high, from, to);
    if (band === 'std' && !isBottomless) this.#finder.add(arrays.low, from, to);
    // Holds and the reference are shown to be seen beside the leader.
    for (const line of ['peak', 'least', 'reference'] as const)
      if (line !== leader && this.#hasData(line)) this.#finder.add(this.#arrays.arrays(line).mean, from, to);
    const found = this.#finder.find(this.#model.view.height.peek());
    if (found === null) return EMPTY_RANGE;
    const core = isBottomless ? { min: found.min - (found.max - found.min), max: found.max } : found;
    // The first slices of a file scatter widely: they decide only where nothing else is shown.
    const settled = LINES.filter((line) => this.#hasData(line) && (line !== 'progress' || line === leader));
    const widest = Math.max(...settled.map((line) => this.#errorOf(line)));
    const range = heightRange(core, this.#errorOf(leader), widest);
    // There is no power below none: a band that reaches there is clipped at the axis.
    const isPower = scale === 'linear' && referenceMode(this.#model) !== 'difference';
    return isPower && range.min < 0 && range.max > 0 ? { min: 0, max: range.max } : range;
  }

  /** Typical error of the mean of a line, in the unit and scale shown. */
  #errorOf(line: LineName): number {
    const spectrum = this.#lines[line].peek();
    return spectrum === null ? 0 : typicalError(spectrum, this.#choice);
  }
}
