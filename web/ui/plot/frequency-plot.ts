/**
 * A plot over frequency on a uPlot canvas: the zoom and the cursor that all such plots share, and a content of its
 * own. Redrawn at most once per animation frame, always with the newest of everything.
 */
import { effect } from '@preact/signals';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { binWidthHz, type Geometry } from '../../../bridge/protocol/geometry.ts';
import type { Range } from '../../analysis/range.ts';
import type { Model } from '../model/model.ts';
import type { Canvas, Content } from './content.ts';
import { type FrameRequester, onNextFrame } from './frame.ts';
import { attachGestures } from './gestures.ts';
import { gutters } from './gutters.ts';
import { plotOptions } from './options.ts';
import { type Palette, readPalette } from './palette.ts';
import { ElementSize } from './element-size.ts';
import type { Projection } from './strokes.ts';
import { bandLimits, withinBand } from './zoom.ts';

/** Smaller than this there is nothing to see. */
const LEAST_PIXELS = 40;

export class FrequencyPlot {
  readonly #host: HTMLElement;
  readonly #model: Model;
  readonly #content: Content;
  readonly #isLowest: boolean;
  readonly #frame: FrameRequester;
  readonly #size: ElementSize;
  readonly #stop: () => void;
  #plot: uPlot | null = null;
  #detach: () => void = () => {};
  #palette: Palette;
  #frequencies = new Float64Array(0);
  #geometry: Geometry;
  #x: Range;
  #remPixels = 0;
  #pixelRatio = 0;
  #family = '';

  /** @param isLowest carries the labels of the frequency axis */
  constructor(host: HTMLElement, model: Model, content: Content, isLowest: boolean) {
    this.#host = host;
    this.#model = model;
    this.#content = content;
    this.#isLowest = isLowest;
    this.#geometry = model.geometry.peek();
    this.#x = bandLimits(this.#geometry);
    this.#palette = readPalette(host);
    this.#frame = onNextFrame(() => this.#draw());
    this.#size = new ElementSize(host, () => this.#frame.request());
    this.#stop = effect(() => {
      this.#geometry = model.geometry.value;
      void model.view.x.value;
      void model.view.axis.value;
      content.follow();
      this.#frame.request();
    });
  }

  /** The style sheet's colours have changed. */
  recolour(): void {
    this.#palette = readPalette(this.#host);
    // uPlot colours the cursor's dots once, so that it is made anew.
    this.#remPixels = 0;
    this.#frame.request();
  }

  dispose(): void {
    this.#stop();
    this.#size.dispose();
    this.#frame.cancel();
    this.#detach();
    this.#plot?.destroy();
  }

  #draw(): void {
    const { width, height } = this.#size.current;
    if (width < LEAST_PIXELS || height < LEAST_PIXELS) return;
    this.#prepare();
    const plot = this.#ensurePlot(width, height);
    plot.batch(() => {
      if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
      this.#content.marked().forEach((marked, i) => {
        const show = marked !== null;
        if (plot.series[i + 1]?.show !== show) plot.setSeries(i + 1, { show });
      });
      plot.setData(this.#data(), false);
      plot.setScale('x', this.#x);
      plot.setScale('y', this.#content.y());
    });
    this.#relabel(plot);
    this.#followCursor(plot);
  }

  /** uPlot makes labels anew when a range changes; a unit can change without it. */
  #relabel(plot: uPlot): void {
    const labels = `${this.#model.view.axis.peek()}\n${this.#content.yTitle()}`;
    if (labels !== this.#labels) plot.redraw(false, true);
    this.#labels = labels;
  }
  #labels = '';

  #prepare(): void {
    const g = this.#geometry;
    const df = binWidthHz(g);
    if (this.#frequencies.length !== g.bins || this.#frequencies[0] !== -g.sampleRateHz / 2)
      this.#frequencies = Float64Array.from({ length: g.bins }, (_, k) => (k - g.bins / 2) * df);
    this.#x = this.#model.view.x.peek() ?? bandLimits(g);
    const [from, to] = this.#visibleBins();
    this.#content.prepare({ geometry: g, x: this.#x, from, to });
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
    return [
      this.#frequencies,
      ...this.#content.marked().map((marked) => marked?.values ?? this.#frequencies),
    ];
  }

  #ensurePlot(width: number, height: number): uPlot {
    const { rem } = this.#size.current;
    if (this.#plot !== null && rem === this.#remPixels && devicePixelRatio === this.#pixelRatio)
      return this.#plot;
    const { left = -1, top = -1 } = this.#plot?.cursor ?? {};
    const hasCursor = this.#hasCursor && left >= 0;
    this.#detach();
    this.#plot?.destroy();
    this.#remPixels = rem;
    this.#pixelRatio = devicePixelRatio;
    this.#family = getComputedStyle(this.#host).fontFamily;
    const size = { width, height, remPixels: rem, family: this.#family, gutters: gutters(rem) };
    const plot = new uPlot(plotOptions(this.#source(), size, this.#hooks()), this.#data(), this.#host);
    this.#detach = attachGestures(plot, {
      x: () => this.#x,
      y: () => this.#content.y(),
      setX: (range) => this.#zoomX(range),
      setY: (range) => this.#zoomY(range),
      reset: () => this.#reset(),
    });
    this.#plot = plot;
    // Under a mouse that rests.
    this.#hasCursor = hasCursor;
    if (hasCursor) plot.setCursor({ left, top }, false);
    return plot;
  }

  #source() {
    return {
      palette: () => this.#palette,
      x: () => this.#x,
      geometry: () => this.#geometry,
      axis: () => this.#model.view.axis.peek(),
      content: this.#content,
      isLowest: this.#isLowest,
      snap: (u: uPlot, bin: number) => this.#snap(u, bin),
    };
  }

  #hooks(): uPlot.Hooks.Arrays {
    return {
      setCursor: [(u) => this.#cursorMoved(u)],
      setSelect: [(u) => this.#boxDrawn(u)],
      drawAxes: [
        (u) => {
          this.#drawLo(u);
          this.#content.draw(this.#canvas(u));
        },
      ],
    };
  }

  #canvas(u: uPlot): Canvas {
    const { left, top, width, height } = u.bbox;
    return {
      ctx: u.ctx,
      left,
      top,
      width,
      height,
      projection: this.#projection(u),
      palette: this.#palette,
      rem: this.#remPixels * this.#pixelRatio,
      pixelRatio: this.#pixelRatio,
      font: `${this.#remPixels * this.#pixelRatio * 0.85}px ${this.#family}`,
      right: gutters(this.#remPixels).right * this.#pixelRatio,
    };
  }

  #projection(u: uPlot): Projection {
    const { left, top, width, height } = u.bbox;
    const y = this.#content.y();
    const perHz = width / (this.#x.max - this.#x.min);
    const perUnit = height / (y.max - y.min);
    const [from, to] = this.#visibleBins();
    return {
      x0: left + ((this.#frequencies[0] ?? 0) - this.#x.min) * perHz,
      dx: binWidthHz(this.#geometry) * perHz,
      y0: top + y.max * perUnit,
      dy: -perUnit,
      top,
      bottom: top + height,
      from: Math.max(0, from - 1),
      to: Math.min(this.#geometry.bins, to + 1),
    };
  }

  #snap(u: uPlot, bin: number): number {
    const values = this.#content.peaks();
    if (values === null) return bin;
    const halfPixelHz = (this.#x.max - this.#x.min) / Math.max(1, u.over.clientWidth);
    const reach = Math.floor(halfPixelHz / binWidthHz(this.#geometry));
    let best = bin;
    for (let k = Math.max(0, bin - reach); k <= Math.min(values.length - 1, bin + reach); k++)
      if ((values[k] as number) > (values[best] as number)) best = k;
    return best;
  }

  #cursorMoved(u: uPlot): void {
    const { left, top } = u.cursor;
    const isOver = left !== undefined && left !== null && left >= 0;
    // A plot that the mouse has never entered, or left long ago, has nothing to say.
    if (!isOver && !this.#hasCursor) return;
    this.#hasCursor = isOver;
    this.#model.cursorBin.value = isOver ? this.#snap(u, u.posToIdx(left)) : null;
    this.#content.hover?.(isOver && top !== undefined ? u.posToVal(top, 'y') : null);
  }
  #hasCursor = false;

  /** The dots of the cursor follow data that arrive under a resting mouse. */
  #followCursor(plot: uPlot): void {
    const { left, top } = plot.cursor;
    if (this.#hasCursor && left !== undefined && top !== undefined && left >= 0)
      plot.setCursor({ left, top }, true);
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
    if (range.max - range.min > Math.abs(range.max) * 1e-12) this.#content.setY(range);
  }

  #reset(): void {
    this.#model.view.x.value = null;
    this.#content.setY(null);
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
}
