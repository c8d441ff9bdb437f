/**
 * Excess and spectral kurtosis as contents of plots: values per bin about an expected one, its lines, the cut bins,
 * and at the side the histogram beside what chance would give.
 */
import { signal } from '@preact/signals';
import type { Trace } from '../../../bridge/protocol/frames.ts';
import { type Histogram, histogram } from '../../analysis/histogram.ts';
import { kurtosisSigma } from '../../analysis/kurtosis.ts';
import type { Range } from '../../analysis/range.ts';
import type { Analysis } from '../../analysis/analysis.ts';
import { fixed } from '../format/numbers.ts';
import type { Model } from '../model/model.ts';
import { tickDecimals } from '../plot/axes.ts';
import type { Canvas, Content, Marked, Scope } from '../plot/content.ts';
import { drawMarks, offScaleColumns } from '../plot/off-scale.ts';
import { drawLine } from '../plot/strokes.ts';

/** Distances of the lines from the expected value, in σ. */
export const LINE_SIGMAS = 3;
/** Shown at least, in σ; what lies beyond is marked at the edge. */
const SHOWN_SIGMAS = 6;
/** Cells of the histogram per σ. */
const CELLS_PER_SIGMA = 4;
const LINE_WIDTH_REM = 0.07;

/** What the two panels differ in. */
export interface DeviationKind {
  readonly title: string;
  readonly values: (analysis: Analysis) => Float32Array;
  readonly expected: number;
  readonly sigma: (analysis: Analysis) => number;
}

export const EXCESS: DeviationKind = {
  title: 'Excess z (σ)',
  values: ({ z }) => z,
  expected: 0,
  sigma: () => 1,
};

export const KURTOSIS: DeviationKind = {
  title: 'Kurtosis',
  values: ({ kurtosis }) => kurtosis,
  expected: 1,
  sigma: ({ slices }) => kurtosisSigma(slices),
};

export class DeviationContent implements Content {
  readonly #model: Model;
  readonly #kind: DeviationKind;
  #analysis: Analysis | null = null;
  #values = new Float64Array(0);
  #deviations = new Float64Array(0);
  #histogram: Histogram | null = null;
  /** Not part of the view: it has no meaning for another spectrum. */
  readonly #chosen = signal<Range | null>(null);
  #sigma = 1;

  constructor(model: Model, kind: DeviationKind) {
    this.#model = model;
    this.#kind = kind;
  }

  follow(): void {
    void this.#model.analysis.value;
    void this.#chosen.value;
  }

  prepare({ geometry }: Scope): void {
    const analysis = this.#model.analysis.peek();
    if (analysis === this.#analysis) return;
    this.#analysis = analysis?.z.length === geometry.bins ? analysis : null;
    if (this.#analysis === null) return;
    const { expected } = this.#kind;
    this.#sigma = this.#kind.sigma(this.#analysis);
    this.#values = Float64Array.from(this.#kind.values(this.#analysis));
    this.#deviations = this.#values.map((value) => (value - expected) / this.#sigma);
    const cells = 2 * SHOWN_SIGMAS * CELLS_PER_SIGMA;
    this.#histogram = histogram(this.#deviations, this.#analysis.cut, -SHOWN_SIGMAS, SHOWN_SIGMAS, cells);
  }

  y(): Range {
    const { expected } = this.#kind;
    const reach = SHOWN_SIGMAS * this.#sigma;
    return this.#chosen.peek() ?? { min: expected - reach, max: expected + reach };
  }

  yTitle(): string {
    return this.#kind.title;
  }

  yTicks(ticks: readonly number[], increment: number): string[] {
    return ticks.map((value) => fixed(value, tickDecimals(increment)));
  }

  peaks(): ArrayLike<number> | null {
    return this.#analysis === null ? null : this.#values;
  }

  marked(): readonly (Marked | null)[] {
    return [
      this.#analysis === null
        ? null
        : { values: this.#values, colour: (palette) => palette.trace[this.#analysis?.settings.of ?? 'run'] },
    ];
  }

  setY(range: Range | null): void {
    this.#chosen.value = range;
  }

  draw(canvas: Canvas): void {
    const analysis = this.#analysis;
    if (analysis === null) return;
    const { ctx, left, top, width, height, projection, palette, rem, pixelRatio } = canvas;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    this.#drawLines(canvas);
    ctx.fillStyle = palette.trace[analysis.settings.of];
    drawLine(ctx, this.#values, projection, LINE_WIDTH_REM * rem);
    this.#drawCut(canvas, analysis.cut);
    ctx.restore();
    for (const beyond of ['above', 'below'] as const) {
      ctx.fillStyle = beyond === 'above' ? palette.flag : palette.trace[analysis.settings.of];
      const columns = offScaleColumns(this.#values, projection, beyond, pixelRatio);
      drawMarks(ctx, columns, beyond === 'above' ? projection.top : projection.bottom, beyond, pixelRatio);
    }
    if (this.#histogram !== null) this.#drawHistogram(canvas, this.#histogram, analysis.settings.of);
  }

  /** Dashed at ±3 σ, whole at the expected value. */
  #drawLines({ ctx, left, width, projection, palette, pixelRatio }: Canvas): void {
    ctx.strokeStyle = palette.threshold;
    ctx.lineWidth = pixelRatio;
    for (const sigmas of [-LINE_SIGMAS, 0, LINE_SIGMAS]) {
      const value = this.#kind.expected + sigmas * this.#sigma;
      const y = Math.round(projection.y0 + value * projection.dy) + 0.5;
      ctx.setLineDash(sigmas === 0 ? [] : [5 * pixelRatio, 4 * pixelRatio]);
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  /** Cut bins once more, in the colour of an alarm. */
  #drawCut({ ctx, projection, palette, rem }: Canvas, cut: Uint8Array): void {
    ctx.fillStyle = palette.flag;
    for (let from = projection.from; from < projection.to; from++) {
      if (cut[from] !== 1) continue;
      let to = from;
      while (to < projection.to && cut[to] === 1) to++;
      drawLine(ctx, this.#values, { ...projection, from, to }, 2 * LINE_WIDTH_REM * rem);
      from = to;
    }
  }

  /** Bars to the right, the expected distribution as steps over them. */
  #drawHistogram(canvas: Canvas, { counts, expected, edges }: Histogram, of: Trace): void {
    const { ctx, left, width, top, height, right, projection, palette, rem, pixelRatio } = canvas;
    const x = Math.round(left + width + 0.5 * rem);
    const room = right - 1.2 * rem;
    const most = Math.max(1, ...counts, ...expected);
    const row = (sigmas: number): number =>
      projection.y0 + (this.#kind.expected + sigmas * this.#sigma) * projection.dy;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, top, room + rem, height);
    ctx.clip();
    ctx.fillStyle = palette.threshold;
    ctx.fillRect(x - pixelRatio, top, pixelRatio, height);
    ctx.fillStyle = palette.band[of];
    counts.forEach((count, i) => {
      const upper = row(edges[i + 1] as number);
      ctx.fillRect(
        x,
        upper,
        (count / most) * room,
        Math.max(1, row(edges[i] as number) - upper - pixelRatio),
      );
    });
    ctx.strokeStyle = palette.text;
    ctx.lineWidth = 1.2 * pixelRatio;
    ctx.beginPath();
    expected.forEach((count, i) => {
      const at = x + (count / most) * room;
      ctx.lineTo(at, row(edges[i] as number));
      ctx.lineTo(at, row(edges[i + 1] as number));
    });
    ctx.stroke();
    ctx.restore();
  }
}
