/**
 * The waterfall as content of a plot: files against UTC, the newest at the top, on the frequency axis of all.
 */
import type { HistoryRow } from '../../analysis/history.ts';
import { middleMs } from '../../analysis/stored-rows.ts';
import type { Range } from '../../analysis/range.ts';
import { engineeringExponent, fixed, superscript } from '../format/numbers.ts';
import { clockTicks } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { storedOf } from '../model/stored.ts';
import type { WaterfallKind } from '../model/view.ts';
import type { Canvas, Content, Marked, Scope } from '../plot/content.ts';
import { drawMoments } from '../plot/moments.ts';
import { chooseDepth, EMPTY_TIME, shownTime, TIME_STEPS } from '../series/time.ts';
import { VIRIDIS, viridisCss } from './colours.ts';
import { colourRange, meanOfRows, paint, type PixelRows, pixelRows, pixels } from './image.ts';

/** Between so many colours the bar is interpolated, which nobody can see. */
const BAR_STOPS = 32;

export class WaterfallContent implements Content {
  readonly #model: Model;
  readonly #image = document.createElement('canvas');
  readonly yIncrements = TIME_STEPS;
  #scope: Scope | null = null;
  #y: Range = EMPTY_TIME;
  #colours: Range | null = null;
  #made: { rows: readonly HistoryRow[]; kind: WaterfallKind; y: Range; picture: PixelRows } | null = null;
  #values = new Float32Array(0);
  #pixels: ImageData | null = null;

  constructor(model: Model) {
    this.#model = model;
  }

  follow(): void {
    const { view } = this.#model;
    void view.waterfall.value;
    void this.#model.annotations.value;
    void storedOf(this.#model).value;
    void shownTime(this.#model);
  }

  prepare(scope: Scope): void {
    this.#scope = scope;
    this.#y = shownTime(this.#model);
  }

  y(): Range {
    return this.#y;
  }

  yTitle(): string {
    // The caption says that it is UTC; the labels need the room.
    return '';
  }

  yTicks(ticks: readonly number[], increment: number): string[] {
    return this.#model.rows.peek().length === 0 ? ticks.map(() => '') : clockTicks(ticks, increment);
  }

  /** The strongest line is that of the run. */
  peaks(): ArrayLike<number> | null {
    return this.#model.spectra.run.peek()?.mean ?? null;
  }

  marked(): readonly (Marked | null)[] {
    return [];
  }

  /** Only how deep it goes can be chosen: the newest stays in view. */
  setY(range: Range | null): void {
    chooseDepth(this.#model, range === null ? null : range.min);
  }

  hover(seconds: number | null): void {
    this.#model.cursorMs.value = seconds === null ? null : seconds * 1000;
  }

  draw(canvas: Canvas): void {
    const { ctx, left, top, width, height, palette } = canvas;
    const rows = this.#model.rows.peek();
    const scope = this.#scope;
    if (scope === null || rows.length === 0) return;
    ctx.fillStyle = palette.missing;
    ctx.fillRect(left, top, width, height);
    const { bins, sampleRateHz } = scope.geometry;
    // Bin k covers k − ½ to k + ½ about its centre.
    const share = (hz: number): number => hz / sampleRateHz + 0.5 + 0.5 / bins;
    const picture = this.#pixelRows(rows, height);
    if (this.#values.length !== width * height) this.#values = new Float32Array(width * height);
    pixels(picture, share(scope.x.min), share(scope.x.max), this.#values);
    this.#colours = colourRange(this.#values);
    if (this.#colours === null) return;
    this.#paint(width, height, this.#colours);
    ctx.drawImage(this.#image, left, top);
    this.#drawMoments(canvas);
    this.#drawStored(canvas);
    this.#drawBar(canvas, this.#colours);
  }

  #drawMoments({ ctx, left, top, width, height, projection, palette, rem, pixelRatio, font }: Canvas): void {
    const box = { left, top, width, height };
    const toPixel = (seconds: number): number => projection.y0 + seconds * projection.dy;
    const on = { ctx, box, palette, rem, pixelRatio, font, isUpwards: true, toPixel };
    drawMoments(this.#model.annotations.peek(), on);
  }

  /** Made anew for other files, another stretch of time or another height; not for every step of a zoom. */
  #pixelRows(rows: readonly HistoryRow[], height: number): PixelRows {
    const made = this.#made;
    const kind = this.#model.view.waterfall.peek();
    const { min, max } = this.#y;
    if (
      made?.rows === rows &&
      made.kind === kind &&
      made.y.min === min &&
      made.y.max === max &&
      made.picture.height === height
    )
      return made.picture;
    const divisor = kind === 'power' ? null : meanOfRows(rows);
    const picture = pixelRows(rows, max * 1000, min * 1000, height, divisor);
    this.#made = { rows, kind, y: this.#y, picture };
    return picture;
  }

  #paint(width: number, height: number, colours: Range): void {
    if (this.#pixels?.width !== width || this.#pixels.height !== height) {
      this.#pixels = new ImageData(width, height);
      this.#image.width = width;
      this.#image.height = height;
    }
    paint(new Uint32Array(this.#pixels.data.buffer), this.#values, colours, VIRIDIS);
    this.#image.getContext('2d')?.putImageData(this.#pixels, 0, 0);
  }

  /** Where the row lies that is shown in the place of the live spectra. */
  #drawStored({ ctx, left, width, projection, palette, pixelRatio }: Canvas): void {
    const stored = storedOf(this.#model).peek();
    if (stored === null) return;
    const y = Math.round(projection.y0 + (middleMs(stored.row) / 1000) * projection.dy);
    ctx.fillStyle = palette.flag;
    ctx.fillRect(left, y - pixelRatio, width, 2 * pixelRatio);
  }

  /** Which colour means what. */
  #drawBar({ ctx, left, top, width, height, palette, rem, font }: Canvas, { min, max }: Range): void {
    const x = Math.round(left + width + 0.5 * rem);
    const barWidth = Math.round(0.8 * rem);
    const shades = ctx.createLinearGradient(0, top, 0, top + height);
    for (let i = 0; i <= BAR_STOPS; i++) shades.addColorStop(i / BAR_STOPS, viridisCss(1 - i / BAR_STOPS));
    ctx.fillStyle = shades;
    ctx.fillRect(x, top, barWidth, height);
    const isRelative = this.#model.view.waterfall.peek() === 'relative';
    const exponent = isRelative ? 0 : engineeringExponent(max);
    const scale = 10 ** -exponent;
    const decimals = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10((max - min) * scale))));
    ctx.save();
    ctx.fillStyle = palette.text;
    ctx.font = font;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    const text = x + barWidth + 0.3 * rem;
    const half = 0.5 * rem;
    if (height < 2 * rem) return ctx.restore();
    ctx.fillText(fixed(max * scale, decimals), text, top + half);
    ctx.fillText(fixed(min * scale, decimals), text, top + height - half);
    // Three lines of text, or none between the two.
    if (height > 3 * rem)
      ctx.fillText(isRelative ? '× mean' : `10${superscript(exponent)} V²/Hz`, text, top + height / 2);
    ctx.restore();
  }
}
