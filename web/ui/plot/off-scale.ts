/**
 * Marks at the edge of the plot where a value lies beyond it: a robust range must not hide that a line is there.
 */
import type { Projection } from './strokes.ts';

const PIXELS_APART = 9;

/** Pixels along x at which values lie above (or below) the range, merged where they are closer than a mark. */
export function offScaleColumns(
  values: Float64Array,
  p: Projection,
  beyond: 'above' | 'below',
  pixelRatio: number,
): number[] {
  const columns: number[] = [];
  const apart = PIXELS_APART * pixelRatio;
  for (let k = p.from; k < p.to; k++) {
    const value = values[k] as number;
    if (!Number.isFinite(value)) continue;
    const y = p.y0 + value * p.dy;
    if (beyond === 'above' ? y >= p.top : y <= p.bottom) continue;
    const x = p.x0 + k * p.dx;
    if (columns.length === 0 || x - (columns.at(-1) as number) >= apart) columns.push(x);
  }
  return columns;
}

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
