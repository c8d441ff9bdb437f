/**
 * How a trace is drawn: line or dots for the mean, columns for its band, all as rectangles on whole pixels.
 *
 * A noisy line of thousands of bins as one path costs a software rasteriser a third of a second; the same picture
 * made of rectangles costs some milliseconds. Where several bins share a column of pixels, the column reaches from
 * their smallest to their largest value and to its neighbour, so that a line of one bin is never lost. Where bins
 * are wide they are steps, which is what a bin is. Values beyond the axis, infinities included, are clipped just
 * outside it.
 */
import type { DisplayArrays } from '../../analysis/display.ts';

/** A uniform grid of bins on a canvas. Pixels of the canvas. */
export interface Projection {
  /** Centre of bin 0, and distance of bins. */
  readonly x0: number;
  readonly dx: number;
  /** Row of value 0, and rows per unit (negative: upwards). */
  readonly y0: number;
  readonly dy: number;
  readonly top: number;
  readonly bottom: number;
  /** Bins to draw, `to` exclusive. */
  readonly from: number;
  readonly to: number;
}

/** The part of a canvas that is needed. */
export type Rectangles = Pick<CanvasRenderingContext2D, 'fillRect'>;

/** Pixels beyond the axis at which a value that is off the scale is drawn, out of sight. */
const OUTSIDE = 16;
/** Bins at least so wide (in pixels) are drawn as steps. */
const STEP_PIXELS = 2;

const rowOf = (p: Projection, value: number): number =>
  Math.min(p.bottom + OUTSIDE, Math.max(p.top - OUTSIDE, p.y0 + value * p.dy));

/** Left edge of a bin on whole pixels; the right edge of bin k is the left edge of bin k + 1. */
const leftOf = (p: Projection, bin: number): number => Math.round(p.x0 + (bin - 0.5) * p.dx);

/** Line through the means, `width` pixels thick. NaN lifts the pen. */
export function drawLine(ctx: Rectangles, values: Float64Array, p: Projection, width: number): void {
  if (p.dx >= STEP_PIXELS) drawSteps(ctx, values, p, width);
  else drawColumns(ctx, values, p, width);
}

function drawSteps(ctx: Rectangles, values: Float64Array, p: Projection, width: number): void {
  const half = width / 2;
  let before = Number.NaN;
  for (let k = p.from; k < p.to; k++) {
    const value = values[k] as number;
    if (Number.isNaN(value)) {
      before = Number.NaN;
      continue;
    }
    const left = leftOf(p, k);
    const y = rowOf(p, value);
    ctx.fillRect(left - half, y - half, leftOf(p, k + 1) - left + width, width);
    if (!Number.isNaN(before)) ctx.fillRect(left - half, Math.min(y, before), width, Math.abs(y - before));
    before = y;
  }
}

function drawColumns(ctx: Rectangles, values: Float64Array, p: Projection, width: number): void {
  const half = width / 2;
  let before = Number.NaN;
  for (let k = p.from; k < p.to; ) {
    const left = leftOf(p, k);
    let high = Infinity;
    let low = -Infinity;
    let last = Number.NaN;
    for (; k < p.to && leftOf(p, k) === left; k++) {
      const value = values[k] as number;
      if (Number.isNaN(value)) continue;
      last = rowOf(p, value);
      if (last < high) high = last;
      if (last > low) low = last;
    }
    if (!Number.isNaN(last) && !Number.isNaN(before)) {
      high = Math.min(high, before);
      low = Math.max(low, before);
    }
    before = last;
    if (Number.isNaN(last)) continue;
    ctx.fillRect(left, high - half, Math.max(1, leftOf(p, k) - left), low - high + width);
  }
}

/** A square per bin. */
export function drawDots(ctx: Rectangles, values: Float64Array, p: Projection, size: number): void {
  const half = size / 2;
  for (let k = p.from; k < p.to; k++) {
    const y = p.y0 + (values[k] as number) * p.dy;
    // False for NaN as well.
    if (y >= p.top && y <= p.bottom) ctx.fillRect(p.x0 + k * p.dx - half, y - half, size, size);
  }
}

/** From the lowest lower to the highest upper edge in every column; columns never overlap, so bands may be clear. */
export function drawBand(ctx: Rectangles, { low, high }: DisplayArrays, p: Projection): void {
  for (let k = p.from; k < p.to; ) {
    const left = leftOf(p, k);
    let upper = Number.NaN;
    let lower = Number.NaN;
    for (; k < p.to && leftOf(p, k) === left; k++) {
      const top = rowOf(p, high[k] as number);
      const bottom = rowOf(p, low[k] as number);
      if (!(top >= upper)) upper = Number.isNaN(top) ? upper : top;
      if (!(bottom <= lower)) lower = Number.isNaN(bottom) ? lower : bottom;
    }
    if (!Number.isNaN(upper) && !Number.isNaN(lower))
      ctx.fillRect(left, upper, Math.max(1, leftOf(p, k) - left), lower - upper);
  }
}
