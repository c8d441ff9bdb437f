/**
 * The spectrum: traces of the model on a uPlot canvas. Redrawn at most once per animation frame, always with the
 * newest of everything; arrays are reused.
 */
import { effect } from '@preact/signals';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { binWidthHz, type Geometry } from '../../../bridge/protocol/geometry.ts';
import type { Trace } from '../../../bridge/protocol/frames.ts';
import { type DisplayChoice, typicalError } from '../../analysis/display.ts';
import { heightRange, type Range, RangeFinder } from '../../analysis/range.ts';
import type { Model } from '../model/model.ts';
import { TRACES, type ViewValues, viewValues } from '../model/view.ts';
import { type FrameRequester, onNextFrame } from './frame.ts';
import { attachGestures } from './gestures.ts';
import { drawMarks, offScaleColumns } from './off-scale.ts';
import { plotOptions } from './options.ts';
import { type Palette, readPalette } from './palette.ts';
import { drawBand, drawDots, drawLine, type Projection } from './strokes.ts';
import { TraceArrays } from './traces.ts';
import { bandLimits, withinBand } from './zoom.ts';

/** The trace that leads: it decides the cursor's snapping and the marks at the edges. */
const BY_WEIGHT: readonly Trace[] = ['run', 'latest', 'progress'];

/** Thickness of the lines and size of the dots, in units of the root font size. */
const LINE_WIDTHS: Readonly<Record<Trace, number>> = { run: 0.125, latest: 0.07, progress: 0.17 };
const lineWidth = (trace: Trace, rem: number): number => LINE_WIDTHS[trace] * rem;
const EMPTY_RANGE: Range = { min: 0, max: 1 };

const remPixels = (): number => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

export class SpectrumPlot {
  readonly #host: HTMLElement;
  readonly #model: Model;
  readonly #frame: FrameRequester;
  readonly #arrays = new TraceArrays();
  readonly #finder = new RangeFinder();
  readonly #observer: ResizeObserver;
  readonly #stops: (() => void)[] = [];
  #plot: uPlot | null = null;
  #detach: () => void = () => {};
  #palette: Palette;
  #frequencies = new Float64Array(0);
  #geometry: Geometry;
  #view: ViewValues;
  #x: Range;
  #y: Range = EMPTY_RANGE;
  #remPixels = 0;
  #pixelRatio = 0;

  constructor(host: HTMLElement, model: Model) {
    this.#host = host;
    this.#model = model;
    this.#geometry = model.geometry.peek();
    this.#view = viewValues(model.view);
    this.#x = bandLimits(this.#geometry);
    this.#palette = readPalette(host);
    this.#frame = onNextFrame(() => this.#draw());
    this.#observer = new ResizeObserver(() => this.#frame.request());
    this.#observer.observe(host);
    this.#stops.push(
      effect(() => {
        this.#geometry = model.geometry.value;
        this.#view = viewValues(model.view);
        for (const trace of TRACES) void model.spectra[trace].value;
        this.#frame.request();
      }),
    );
  }

  /** The style sheet's colours have changed. */
  recolour(): void {
    this.#palette = readPalette(this.#host);
    this.#frame.request();
  }

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.#observer.disconnect();
    this.#frame.cancel();
    this.#detach();
    this.#plot?.destroy();
  }

  #draw(): void {
    const width = this.#host.clientWidth;
    const height = this.#host.clientHeight;
    if (width < 50 || height < 50) return;
    this.#prepare();
    const plot = this.#ensurePlot(width, height);
    plot.batch(() => {
      if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
      TRACES.forEach((trace, i) => {
        const show = this.#isShown(trace);
        if (plot.series[i + 1]?.show !== show) plot.setSeries(i + 1, { show });
      });
      plot.setData(this.#data(), false);
      plot.setScale('x', this.#x);
      plot.setScale('y', this.#y);
    });
    this.#followCursor(plot);
  }

  /** Arrays and ranges for what is to be drawn now. */
  #prepare(): void {
    const g = this.#geometry;
    this.#arrays.resize(g.bins);
    const df = binWidthHz(g);
    if (this.#frequencies.length !== g.bins || this.#frequencies[0] !== -g.sampleRateHz / 2)
      this.#frequencies = Float64Array.from({ length: g.bins }, (_, k) => (k - g.bins / 2) * df);
    for (const trace of TRACES)
      if (this.#isShown(trace)) this.#arrays.update(trace, this.#model.spectra[trace].peek(), this.#choice());
    this.#x = this.#view.x ?? bandLimits(g);
    this.#y = this.#view.y ?? this.#findY();
  }

  #choice(): DisplayChoice {
    return { unit: this.#view.unit, scale: this.#view.scale, band: this.#view.band };
  }

  #isShown(trace: Trace): boolean {
    return this.#view.traces.has(trace);
  }

  #hasData(trace: Trace): boolean {
    return this.#isShown(trace) && this.#arrays.has(trace);
  }

  /** Follows from the data alone, so that every screen with the same data shows the same axis. */
  #findY(): Range {
    const { scale, height, band } = this.#view;
    const leader = this.#leader();
    if (leader === null) return EMPTY_RANGE;
    const arrays = this.#arrays.arrays(leader);
    const [from, to] = this.#visibleBins();
    // Mean less one sample std is about no power at all, which in decibels lies anywhere down to −∞.
    const isBottomless = band === 'std' && scale === 'db';
    this.#finder.clear();
    this.#finder.add(arrays.mean, from, to);
    if (band === 'std') this.#finder.add(arrays.high, from, to);
    if (band === 'std' && !isBottomless) this.#finder.add(arrays.low, from, to);
    const found = this.#finder.find(height);
    if (found === null) return EMPTY_RANGE;
    const core = isBottomless ? { min: found.min - (found.max - found.min), max: found.max } : found;
    // The first slices of a file scatter widely: they decide only where nothing else is shown.
    const settled = TRACES.filter(
      (trace) => this.#hasData(trace) && (trace !== 'progress' || trace === leader),
    );
    const widest = Math.max(...settled.map((trace) => this.#errorOf(trace)));
    const range = heightRange(core, this.#errorOf(leader), widest);
    // There is no power below none: a band that reaches there is clipped at the axis.
    return scale === 'linear' && range.min < 0 && range.max > 0 ? { min: 0, max: range.max } : range;
  }

  /** Typical error of the mean of a trace, in the unit and scale shown. */
  #errorOf(trace: Trace): number {
    const spectrum = this.#model.spectra[trace].peek();
    return spectrum === null ? 0 : typicalError(spectrum, this.#choice());
  }

  /** Bins within the view, `to` exclusive. */
  #visibleBins(): readonly [from: number, to: number] {
    const { bins } = this.#geometry;
    const df = binWidthHz(this.#geometry);
    const from = Math.floor(this.#x.min / df + bins / 2);
    const to = Math.ceil(this.#x.max / df + bins / 2) + 1;
    return [Math.max(0, from), Math.min(bins, to)];
  }

  #data(): uPlot.AlignedData {
    return [this.#frequencies, ...TRACES.map((trace) => this.#arrays.arrays(trace).mean)];
  }

  #ensurePlot(width: number, height: number): uPlot {
    const rem = remPixels();
    if (this.#plot !== null && rem === this.#remPixels && devicePixelRatio === this.#pixelRatio)
      return this.#plot;
    this.#detach();
    this.#plot?.destroy();
    this.#remPixels = rem;
    this.#pixelRatio = devicePixelRatio;
    const family = getComputedStyle(this.#host).fontFamily;
    const plot = new uPlot(
      plotOptions(this.#source(), { width, height, remPixels: rem, family }, this.#hooks()),
      this.#data(),
      this.#host,
    );
    this.#detach = attachGestures(plot, {
      x: () => this.#x,
      y: () => this.#y,
      setX: (range) => this.#zoomX(range),
      setY: (range) => this.#zoomY(range),
      reset: () => this.#reset(),
    });
    this.#plot = plot;
    return plot;
  }

  #source() {
    return {
      palette: () => this.#palette,
      x: () => this.#x,
      y: () => this.#y,
      isEmpty: () => !TRACES.some((trace) => this.#hasData(trace)),
      unit: () => this.#view.unit,
      scale: () => this.#view.scale,
      loHz: () => this.#geometry.loHz,
      snap: (u: uPlot, bin: number) => this.#snap(u, bin),
    };
  }

  #hooks(): uPlot.Hooks.Arrays {
    return {
      setCursor: [(u) => this.#cursorMoved(u)],
      setSelect: [(u) => this.#boxDrawn(u)],
      drawAxes: [(u) => this.#drawLo(u)],
      drawSeries: [(u, series) => this.#drawTrace(u, TRACES[series - 1] as Trace)],
      draw: [(u) => this.#drawMarks(u)],
    };
  }

  #projection(u: uPlot): Projection {
    const { left, top, width, height } = u.bbox;
    const perHz = width / (this.#x.max - this.#x.min);
    const perUnit = height / (this.#y.max - this.#y.min);
    const [from, to] = this.#visibleBins();
    return {
      x0: left + ((this.#frequencies[0] ?? 0) - this.#x.min) * perHz,
      dx: binWidthHz(this.#geometry) * perHz,
      y0: top + this.#y.max * perUnit,
      dy: -perUnit,
      top,
      bottom: top + height,
      from: Math.max(0, from - 1),
      to: Math.min(this.#geometry.bins, to + 1),
    };
  }

  /** uPlot calls this when it is a visible trace's turn. */
  #drawTrace(u: uPlot, trace: Trace): void {
    const { ctx, bbox } = u;
    const arrays = this.#arrays.arrays(trace);
    const projection = this.#projection(u);
    const width = lineWidth(trace, this.#remPixels) * this.#pixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (this.#view.band !== 'none') {
      ctx.fillStyle = (this.#view.band === 'std' ? this.#palette.wideBand : this.#palette.band)[trace];
      drawBand(ctx, arrays, projection);
    }
    ctx.fillStyle = this.#palette.trace[trace];
    if (trace === 'progress') drawDots(ctx, arrays.mean, projection, width);
    else drawLine(ctx, arrays.mean, projection, width);
    ctx.restore();
  }

  #leader(): Trace | null {
    return BY_WEIGHT.find((trace) => this.#hasData(trace)) ?? null;
  }

  #snap(u: uPlot, bin: number): number {
    const leader = this.#leader();
    if (leader === null) return bin;
    const values = this.#arrays.arrays(leader).mean;
    const df = binWidthHz(this.#geometry);
    const halfPixelHz = (this.#x.max - this.#x.min) / Math.max(1, u.over.clientWidth);
    const reach = Math.floor(halfPixelHz / df);
    let best = bin;
    for (let k = Math.max(0, bin - reach); k <= Math.min(values.length - 1, bin + reach); k++)
      if ((values[k] as number) > (values[best] as number)) best = k;
    return best;
  }

  #cursorMoved(u: uPlot): void {
    const { left } = u.cursor;
    const isOver = left !== undefined && left !== null && left >= 0;
    this.#model.cursorBin.value = isOver ? this.#snap(u, u.posToIdx(left)) : null;
  }

  /** The dots of the cursor follow data that arrive under a resting mouse. */
  #followCursor(plot: uPlot): void {
    const { left, top } = plot.cursor;
    if (left !== undefined && top !== undefined && left >= 0) plot.setCursor({ left, top }, true);
  }

  #boxDrawn(u: uPlot): void {
    const { left, top, width, height } = u.select;
    if (width <= 0 && height <= 0) return;
    // uPlot gives the whole side for a direction in which nothing was chosen.
    const isChosen = (size: number, whole: number): boolean => size > 0 && size < whole - 1;
    if (isChosen(width, u.over.clientWidth))
      this.#zoomX({ min: u.posToVal(left, 'x'), max: u.posToVal(left + width, 'x') });
    if (isChosen(height, u.over.clientHeight))
      this.#zoomY({ min: u.posToVal(top + height, 'y'), max: u.posToVal(top, 'y') });
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  #zoomX(range: Range): void {
    this.#model.view.x.value = withinBand(range, this.#geometry);
  }

  #zoomY(range: Range): void {
    if (range.max - range.min > Math.abs(range.max) * 1e-12) this.#model.view.y.value = range;
  }

  #reset(): void {
    this.#model.view.x.value = null;
    this.#model.view.y.value = null;
  }

  #drawLo(u: uPlot): void {
    if (this.#x.min > 0 || this.#x.max < 0) return;
    const { left, top, width, height } = u.bbox;
    const x = Math.round(left + (-this.#x.min / (this.#x.max - this.#x.min)) * width) + 0.5;
    u.ctx.save();
    u.ctx.strokeStyle = this.#palette.lo;
    u.ctx.lineWidth = this.#pixelRatio;
    u.ctx.beginPath();
    u.ctx.moveTo(x, top);
    u.ctx.lineTo(x, top + height);
    u.ctx.stroke();
    u.ctx.restore();
  }

  #drawMarks(u: uPlot): void {
    const leader = this.#leader();
    if (leader === null) return;
    const projection = this.#projection(u);
    const values = this.#arrays.arrays(leader).mean;
    u.ctx.save();
    u.ctx.fillStyle = this.#palette.trace[leader];
    for (const beyond of ['above', 'below'] as const) {
      const columns = offScaleColumns(values, projection, beyond, this.#pixelRatio);
      const edge = beyond === 'above' ? projection.top : projection.bottom;
      drawMarks(u.ctx, columns, edge, beyond, this.#pixelRatio);
    }
    u.ctx.restore();
  }
}
