/**
 * A series against UTC on a uPlot canvas. Every row is a bar as long as its data, so gaps are gaps and nothing is
 * drawn between what was measured.
 */
import { effect } from '@preact/signals';
import uPlot from 'uplot';
import type { HistoryRow } from '../../analysis/history.ts';
import type { Range } from '../../analysis/range.ts';
import { middleMs } from '../../analysis/stored-rows.ts';
import { clockTicks } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { storedOf } from '../model/stored.ts';
import { fitting } from '../plot/axes.ts';
import { drawMoments } from '../plot/moments.ts';
import { type FrameRequester, onNextFrame } from '../plot/frame.ts';
import { gutters } from '../plot/gutters.ts';
import { commonAxis } from '../plot/options.ts';
import { type Palette, readPalette } from '../plot/palette.ts';
import { ElementSize } from '../plot/element-size.ts';
import { scaledAbout } from '../plot/zoom.ts';
import type { SeriesKind } from './series.ts';
import { chooseDepth, shownTime, TIME_STEPS } from './time.ts';

const LEAST_PIXELS = 40;
/** Air above and below the values, as a share of their span. */
const MARGIN = 0.12;
/** e-folding of the depth per pixel of wheel. */
const ZOOM_PER_PIXEL = 0.0015;

export class TimePlot {
  readonly #host: HTMLElement;
  readonly #model: Model;
  readonly #kind: SeriesKind;
  readonly #frame: FrameRequester;
  readonly #size: ElementSize;
  readonly #stop: () => void;
  #plot: uPlot | null = null;
  #palette: Palette;
  #rows: readonly HistoryRow[] = [];
  #middles: Float64Array = new Float64Array(0);
  #values: Float64Array = new Float64Array(0);
  #x: Range = { min: 0, max: 1 };
  #y: Range = { min: 0, max: 1 };
  #remPixels = 0;
  #pixelRatio = 0;

  constructor(host: HTMLElement, model: Model, kind: SeriesKind) {
    this.#host = host;
    this.#model = model;
    this.#kind = kind;
    this.#palette = readPalette(host);
    this.#frame = onNextFrame(() => this.#draw());
    this.#size = new ElementSize(host, () => this.#frame.request());
    this.#stop = effect(() => {
      this.#rows = model.rows.value;
      void model.annotations.value;
      this.#x = shownTime(model);
      this.#values = kind.values(this.#rows, model);
      void storedOf(model).value;
      this.#frame.request();
    });
  }

  /** The style sheet's colours have changed. */
  recolour(): void {
    this.#palette = readPalette(this.#host);
    this.#frame.request();
  }

  dispose(): void {
    this.#stop();
    this.#size.dispose();
    this.#frame.cancel();
    this.#plot?.destroy();
  }

  #draw(): void {
    const { width, height } = this.#size.current;
    if (width < LEAST_PIXELS || height < LEAST_PIXELS) return;
    this.#middles = Float64Array.from(this.#rows, (row) => (row.startMs + row.endMs) / 2000);
    this.#y = this.#findY();
    const plot = this.#ensurePlot(width, height);
    plot.batch(() => {
      if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
      plot.setData([this.#middles, this.#values], false);
      plot.setScale('x', this.#x);
      plot.setScale('y', this.#y);
    });
  }

  #findY(): Range {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    this.#values.forEach((value, i) => {
      if (!Number.isFinite(value) || (this.#middles[i] as number) < this.#x.min) return;
      min = Math.min(min, value);
      max = Math.max(max, value);
    });
    if (min > max) return { min: 0, max: 1 };
    const air = max > min ? MARGIN * (max - min) : Math.abs(max) * 0.01 || 0.01;
    return { min: min - air, max: max + air };
  }

  #ensurePlot(width: number, height: number): uPlot {
    const { rem } = this.#size.current;
    if (this.#plot !== null && rem === this.#remPixels && devicePixelRatio === this.#pixelRatio)
      return this.#plot;
    this.#plot?.destroy();
    this.#remPixels = rem;
    this.#pixelRatio = devicePixelRatio;
    this.#plot = new uPlot(this.#options(width, height, rem), [this.#middles, this.#values], this.#host);
    this.#plot.over.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    this.#plot.over.addEventListener('dblclick', () => chooseDepth(this.#model, null));
    return this.#plot;
  }

  #options(width: number, height: number, rem: number): uPlot.Options {
    const room = gutters(rem);
    const common = commonAxis(() => this.#palette, rem, getComputedStyle(this.#host).fontFamily);
    const isEmpty = (): boolean => this.#rows.length === 0;
    const range = (of: () => Range) => (): uPlot.Range.MinMax => [of().min, of().max];
    return {
      width,
      height,
      padding: [rem * 0.4, rem * 1.2, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, range: range(() => this.#x) },
        y: { auto: false, range: range(() => this.#y) },
      },
      series: [
        {},
        {
          scale: 'y',
          auto: false,
          stroke: () => this.#palette.trace.latest,
          points: { show: false },
          paths: () => null,
        },
      ],
      axes: [
        {
          ...common,
          scale: 'x',
          space: rem * 6,
          size: rem * 1.7,
          incrs: TIME_STEPS,
          values: (_u, ticks, _axis, _space, increment) =>
            isEmpty() ? ticks.map(() => '') : clockTicks(ticks, increment),
        },
        {
          ...common,
          scale: 'y',
          space: rem * 1.9,
          size: room.left - room.label,
          labelSize: room.label,
          label: (u) => fitting(this.#kind.title(this.#model), u.bbox.height / devicePixelRatio, rem * 0.88),
          values: (_u, ticks, _axis, _space, increment) =>
            isEmpty() ? ticks.map(() => '') : this.#kind.ticks(ticks, increment),
        },
      ],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: rem * 0.5 },
      },
      hooks: {
        setCursor: [(u) => this.#cursorMoved(u)],
        drawAxes: [(u) => this.#drawRows(u)],
      },
    };
  }

  #drawRows(u: uPlot): void {
    const { ctx, bbox } = u;
    const thick = Math.max(2, Math.round(0.14 * this.#remPixels * this.#pixelRatio));
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = this.#palette.trace.latest;
    this.#rows.forEach((row, i) => {
      const value = this.#values[i] as number;
      if (!Number.isFinite(value) || row.endMs / 1000 < this.#x.min) return;
      const from = u.valToPos(row.startMs / 1000, 'x', true);
      const to = u.valToPos(row.endMs / 1000, 'x', true);
      ctx.fillRect(from, u.valToPos(value, 'y', true) - thick / 2, Math.max(thick, to - from), thick);
    });
    const stored = storedOf(this.#model).peek();
    if (stored !== null) {
      ctx.fillStyle = this.#palette.flag;
      const x = Math.round(u.valToPos(middleMs(stored.row) / 1000, 'x', true));
      ctx.fillRect(x - 1, bbox.top, 2, bbox.height);
    }
    ctx.restore();
    this.#drawMoments(u);
  }

  #drawMoments(u: uPlot): void {
    const rem = this.#remPixels * this.#pixelRatio;
    drawMoments(this.#model.annotations.peek(), {
      ctx: u.ctx,
      box: u.bbox,
      palette: this.#palette,
      pixelRatio: this.#pixelRatio,
      rem,
      font: `${rem * 0.85}px ${getComputedStyle(this.#host).fontFamily}`,
      isUpwards: false,
      toPixel: (seconds) => u.valToPos(seconds, 'x', true),
    });
  }

  #cursorMoved(u: uPlot): void {
    const { left } = u.cursor;
    if (left === undefined || left < 0) {
      if (this.#hasCursor) this.#model.cursorMs.value = null;
      this.#hasCursor = false;
      return;
    }
    this.#hasCursor = true;
    this.#model.cursorMs.value = u.posToVal(left, 'x') * 1000;
  }
  #hasCursor = false;

  /** The newest stays where it is. */
  #onWheel(event: WheelEvent): void {
    event.preventDefault();
    if (this.#rows.length === 0) return;
    const factor = Math.exp(event.deltaY * ZOOM_PER_PIXEL);
    chooseDepth(this.#model, scaledAbout(this.#x, this.#x.max, factor).min);
  }
}
