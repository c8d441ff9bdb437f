/**
 * Marks at the edge of the plot where a value lies beyond it: a robust range must not hide that a line is there.
 */
import type { Projection } from './strokes.ts';

const PIXELS_APART = 9;

/** Pixels along x of such values, merged where they are closer than a mark. */
function columnsOf(
  values: Float64Array,
  p: Projection,
  pixelRatio: number,
  isMarked: (value: number) => boolean,
): number[] {
  const columns: number[] = [];
  const apart = PIXELS_APART * pixelRatio;
  for (let k = p.from; k < p.to; k++) {
    if (!isMarked(values[k] as number)) continue;
    const x = p.x0 + k * p.dx;
    if (columns.length === 0 || x - (columns.at(-1) as number) >= apart) columns.push(x);
  }
  return columns;
}

/** Where values lie above (or below) the range. No power in decibels is −∞, below every range; NaN is a gap. */
export function offScaleColumns(
  values: Float64Array,
  p: Projection,
  beyond: 'above' | 'below',
  pixelRatio: number,
): number[] {
  const isMarked = (value: number): boolean => {
    const y = p.y0 + value * p.dy;
    return beyond === 'above' ? y < p.top : y > p.bottom;
  };
  return columnsOf(values, p, pixelRatio, isMarked);
}

/** Where there is no power at all in decibels. */
export const bottomlessColumns = (values: Float64Array, p: Projection, pixelRatio: number): number[] =>
  columnsOf(values, p, pixelRatio, (value) => value === -Infinity);

/** A filled triangle whose tip touches the edge of the plot. */
export function drawMarks(
  ctx: CanvasRenderingContext2D,
  columns: readonly number[],
  edge: number,
  beyond: 'above' | 'below',
  pixelRatio: number,
): void {
  const half = 3.5 * pixelRatio;
  const inwards = (beyond === 'above' ? 6 : -6) * pixelRatio;
  ctx.beginPath();
  for (const x of columns) {
    ctx.moveTo(x, edge);
    ctx.lineTo(x + half, edge + inwards);
    ctx.lineTo(x - half, edge + inwards);
    ctx.closePath();
  }
  ctx.fill();
}
