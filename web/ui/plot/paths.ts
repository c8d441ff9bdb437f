/**
 * How a trace becomes paths on the canvas: line or dots for the mean, one polygon for its band.
 *
 * Where several bins share a pixel column, the column shows their smallest and largest value, so that a line of
 * one bin is never lost and 8192 bins cost no more than the columns there are. Where bins are wide they are drawn
 * as steps, which is what a bin is. Values beyond the axis, infinities included, are clipped just outside it.
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

export interface TracePaths {
  readonly stroke: Path2D;
  readonly fill: Path2D | null;
}

/** Pixels beyond the axis at which a value that is off the scale is drawn, out of sight. */
const OUTSIDE = 16;
/** Bins at least so wide (in pixels) are drawn as steps. */
const STEP_PIXELS = 5;

const rowOf = (p: Projection, value: number): number =>
  Math.min(p.bottom + OUTSIDE, Math.max(p.top - OUTSIDE, p.y0 + value * p.dy));

/** Line through the means. NaN lifts the pen. */
export function linePath(values: Float64Array, p: Projection): Path2D {
  if (p.dx >= STEP_PIXELS) return stepPath(values, p);
  return p.dx < 0.75 ? columnPath(values, p) : pointToPoint(values, p);
}

function pointToPoint(values: Float64Array, p: Projection): Path2D {
  const path = new Path2D();
  let isDown = false;
  for (let k = p.from; k < p.to; k++) {
    const value = values[k] as number;
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    const x = p.x0 + k * p.dx;
    const y = rowOf(p, value);
    if (isDown) path.lineTo(x, y);
    else path.moveTo(x, y);
    isDown = true;
  }
  return path;
}

function stepPath(values: Float64Array, p: Projection): Path2D {
  const path = new Path2D();
  let isDown = false;
  for (let k = p.from; k < p.to; k++) {
    const value = values[k] as number;
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    const left = p.x0 + (k - 0.5) * p.dx;
    const y = rowOf(p, value);
    if (isDown) path.lineTo(left, y);
    else path.moveTo(left, y);
    path.lineTo(left + p.dx, y);
    isDown = true;
  }
  return path;
}

/** First, smallest, largest and last value of every pixel column. */
function columnPath(values: Float64Array, p: Projection): Path2D {
  const path = new Path2D();
  let isDown = false;
  for (let k = p.from; k < p.to; ) {
    const column = Math.floor(p.x0 + k * p.dx);
    const next = Math.max(k + 1, Math.min(p.to, Math.ceil((column + 1 - p.x0) / p.dx)));
    let min = Infinity;
    let max = -Infinity;
    let first = Number.NaN;
    let last = Number.NaN;
    for (; k < next; k++) {
      const value = values[k] as number;
      if (Number.isNaN(value)) continue;
      if (Number.isNaN(first)) first = value;
      last = value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (Number.isNaN(first)) {
      isDown = false;
      continue;
    }
    const x = column + 0.5;
    if (isDown) path.lineTo(x, rowOf(p, first));
    else path.moveTo(x, rowOf(p, first));
    path.lineTo(x, rowOf(p, min));
    path.lineTo(x, rowOf(p, max));
    path.lineTo(x, rowOf(p, last));
    isDown = true;
  }
  return path;
}

/** A short dash per bin: with butt caps and the line's width it is a dot. */
export function dotPath(values: Float64Array, p: Projection, size: number): Path2D {
  const path = new Path2D();
  const half = size / 2;
  for (let k = p.from; k < p.to; k++) {
    const value = values[k] as number;
    if (Number.isNaN(value)) continue;
    const y = rowOf(p, value);
    if (y < p.top || y > p.bottom) continue;
    const x = p.x0 + k * p.dx;
    path.moveTo(x - half, y);
    path.lineTo(x + half, y);
  }
  return path;
}

/** Band as one polygon per stretch without gaps: upper edge there, lower edge back. */
export function bandPath(arrays: DisplayArrays, p: Projection): Path2D {
  const path = new Path2D();
  for (let k = p.from; k < p.to; ) {
    if (Number.isNaN(arrays.low[k] as number)) {
      k++;
      continue;
    }
    const start = k;
    while (k < p.to && !Number.isNaN(arrays.low[k] as number)) k++;
    addStretch(path, arrays, p, start, k);
  }
  return path;
}

function addStretch(path: Path2D, arrays: DisplayArrays, p: Projection, from: number, to: number): void {
  const left = (k: number): number => p.x0 + (k - 0.5) * p.dx;
  path.moveTo(left(from), rowOf(p, arrays.high[from] as number));
  for (let k = from; k < to; k++) {
    const y = rowOf(p, arrays.high[k] as number);
    path.lineTo(left(k), y);
    path.lineTo(left(k + 1), y);
  }
  for (let k = to - 1; k >= from; k--) {
    const y = rowOf(p, arrays.low[k] as number);
    path.lineTo(left(k + 1), y);
    path.lineTo(left(k), y);
  }
  path.closePath();
}
