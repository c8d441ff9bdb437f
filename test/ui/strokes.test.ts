import { expect, test } from 'vitest';
import { bottomlessColumns, offScaleColumns } from '../../web/ui/plot/off-scale.ts';
import { drawBand, drawDots, drawLine, type Projection, type Rectangles } from '../../web/ui/plot/strokes.ts';

type Rectangle = readonly [x: number, y: number, width: number, height: number];

/** Records what is drawn: the geometry is the subject here, not the canvas. */
function recorder(): Rectangles & { readonly drawn: Rectangle[] } {
  const drawn: Rectangle[] = [];
  return { drawn, fillRect: (x, y, width, height) => void drawn.push([x, y, width, height]) };
}

/** Values 0 to 100 on rows 100 to 0. */
const projection = (dx: number, to: number, from = 0): Projection => ({
  x0: 10,
  dx,
  y0: 100,
  dy: -1,
  top: 0,
  bottom: 100,
  from,
  to,
});

test('wide bins are steps with a riser between them; NaN lifts the pen', () => {
  const ctx = recorder();
  drawLine(ctx, Float64Array.of(10, 20, Number.NaN, 30), projection(20, 4), 2);
  expect(ctx.drawn).toEqual([
    [-1, 89, 22, 2],
    [19, 79, 22, 2],
    [19, 80, 2, 10],
    [59, 69, 22, 2],
  ]);
});

test('narrow bins: every column reaches to its neighbour', () => {
  const ctx = recorder();
  drawLine(ctx, Float64Array.of(10, 40, 20), projection(1, 3), 1);
  expect(ctx.drawn).toEqual([
    [10, 89.5, 1, 1],
    [11, 59.5, 1, 31],
    [12, 59.5, 1, 21],
  ]);
});

test('values beyond the axis and infinities are clipped just outside it', () => {
  const ctx = recorder();
  drawLine(ctx, Float64Array.of(-Infinity, 1e9), projection(20, 2), 2);
  expect(ctx.drawn[0]?.[1]).toBe(115);
  expect(ctx.drawn[1]?.[1]).toBe(-17);
});

test('where bins share a column, a line of one bin is not lost, and the cost is that of the columns', () => {
  const bins = 8192;
  const values = new Float64Array(bins).fill(10);
  values[5000] = 90;
  values[6000] = 2;
  const ctx = recorder();
  drawLine(ctx, values, projection(1000 / bins, bins), 1);
  expect(ctx.drawn.length).toBeLessThanOrEqual(1001);
  expect(Math.min(...ctx.drawn.map(([, y]) => y))).toBe(9.5);
  expect(Math.max(...ctx.drawn.map(([, y, , height]) => y + height))).toBe(98.5);
});

test('dots: one per bin within the plot', () => {
  const ctx = recorder();
  drawDots(ctx, Float64Array.of(1, Number.NaN, 3, 400), projection(4, 4), 2);
  expect(ctx.drawn).toEqual([
    [9, 98, 2, 2],
    [17, 96, 2, 2],
  ]);
});

test('a band covers every column once; its lower edge in dB is clipped at the axis; NaN is a gap', () => {
  const arrays = {
    mean: Float64Array.of(5, 5, 5, 5),
    high: Float64Array.of(6, Number.NaN, 8, 9),
    low: Float64Array.of(4, Number.NaN, -Infinity, 7),
  };
  const wide = recorder();
  drawBand(wide, arrays, projection(10, 4));
  expect(wide.drawn).toEqual([
    [5, 94, 10, 2],
    [25, 92, 10, 24],
    [35, 91, 10, 2],
  ]);
  const narrow = recorder();
  drawBand(narrow, arrays, projection(0.25, 4));
  expect(narrow.drawn).toEqual([
    [10, 92, 1, 24],
    [11, 91, 1, 2],
  ]);
});

test('bands never overlap, at any zoom', () => {
  const bins = 500;
  const arrays = {
    mean: new Float64Array(bins),
    high: new Float64Array(bins).fill(1),
    low: new Float64Array(bins).fill(0),
  };
  for (const dx of [0.13, 0.5, 0.99, 1, 1.37, 2, 7.77]) {
    const ctx = recorder();
    drawBand(ctx, arrays, projection(dx, bins));
    let end = ctx.drawn[0]?.[0] ?? 0;
    for (const [x, , width] of ctx.drawn) {
      expect(x).toBe(end);
      end = x + width;
    }
  }
});

test('marks stand where values are off the scale, merged where they would touch', () => {
  const values = Float64Array.of(50, 200, 50, -30, Number.NaN, -Infinity, 300);
  expect(offScaleColumns(values, projection(10, 7), 'above', 1)).toEqual([20, 70]);
  // −∞, no power in decibels, is below every axis.
  expect(offScaleColumns(values, projection(10, 7), 'below', 1)).toEqual([40, 60]);
  expect(bottomlessColumns(values, projection(10, 7), 1)).toEqual([60]);
  expect(offScaleColumns(values, projection(1, 7), 'above', 1)).toEqual([11]);
});
