import { expect, test } from 'vitest';
import type { HistoryRow } from '../../web/analysis/history.ts';
import { VIRIDIS, viridisCss } from '../../web/ui/waterfall/colours.ts';
import { colourRange, meanOfRows, paint, pixelRows, pixels } from '../../web/ui/waterfall/image.ts';

const row = (startMs: number, endMs: number, mean: readonly number[], slices = 10): HistoryRow => ({
  run: 'r',
  firstFile: startMs,
  lastFile: startMs,
  files: 1,
  slices,
  slicesExpected: slices,
  startMs,
  endMs,
  totalPower: 1,
  mean: Float32Array.from(mean),
});

/** As the plot does it: rows first, then columns. */
const picture = (
  rows: readonly HistoryRow[],
  topMs: number,
  [left, right]: readonly [number, number],
  width: number,
  height: number,
  divisor: Float64Array | null = null,
): number[] => {
  const out = new Float32Array(width * height);
  pixels(pixelRows(rows, topMs, 0, height, divisor), left, right, out);
  return Array.from(out);
};

test('newest at the top; what was not measured is no number', () => {
  const rows = [row(0, 10, [1, 2, 3, 4]), row(20, 30, [5, 6, 7, 8])];
  expect(picture(rows, 30, [0, 1], 4, 3)).toEqual([
    5,
    6,
    7,
    8,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    1,
    2,
    3,
    4,
  ]);
});

test('a pixel is the average over all bins and all slices below it', () => {
  const rows = [row(0, 10, [1, 2, 3, 4], 30), row(10, 20, [5, 6, 7, 8], 10)];
  // Two bins per pixel; both files in one row, weighted 3 to 1.
  expect(picture(rows, 20, [0, 1], 2, 1)).toEqual([2.5, 4.5]);
  expect(Array.from(meanOfRows(rows) ?? [])).toEqual([2, 3, 4, 5]);
  expect(picture(rows, 20, [0, 1], 4, 1, meanOfRows(rows))).toEqual([1, 1, 1, 1]);
});

test('zoomed in, bins are wide; beyond the band and before the run there is nothing', () => {
  const rows = [row(0, 10, [1, 2, 3, 4])];
  expect(picture(rows, 10, [0.25, 0.75], 4, 1)).toEqual([2, 2, 3, 3]);
  expect(picture(rows, 10, [0.75, 1.25], 2, 1)).toEqual([4, Number.NaN]);
  expect(picture([], 30, [0, 1], 1, 1)).toEqual([Number.NaN]);
  expect(meanOfRows([])).toBeNull();
});

test('a column without a power is left out of its pixel, and the others right of it are not', () => {
  const rows = [row(0, 10, [1, Number.NaN, 3, Number.NaN])];
  expect(picture(rows, 10, [0, 1], 4, 1)).toEqual([1, Number.NaN, 3, Number.NaN]);
  expect(picture(rows, 10, [0, 1], 2, 1)).toEqual([1, 3]);
});

test('the mean of a pixel is that of its bins, added up one by one', () => {
  const mean = Float32Array.from({ length: 3072 }, (_, k) => 5e-9 * (1 + 0.02 * Math.sin(k * 12.9898)));
  mean[2500] = 5e-3;
  const [width, from] = [700, 0.1];
  const found = picture([{ ...row(0, 10, []), mean }], 10, [from, 0.9], width, 1);
  const edge = (x: number): number => Math.floor((from + (0.8 * x) / width) * 3072 + 1e-6);
  found.forEach((value, x) => {
    const bins = mean.subarray(edge(x), edge(x + 1));
    const wanted = bins.reduce((sum, each) => sum + each, 0) / bins.length;
    // Half a unit in the last place of float32, and the sums' own: 3072 · 2⁻⁵³ of a line a million times as high.
    expect(Math.abs(value / wanted - 1)).toBeLessThan(6e-8 + 4e-7);
  });
});

test('rows with fewer columns than bins fill the same band', () => {
  const rows = [row(0, 30, [1, 2])];
  expect(picture(rows, 30, [0, 1], 4, 1)).toEqual([1, 1, 2, 2]);
});

test('rows from memory, which are narrower, lie beside new ones', () => {
  const rows = [row(0, 10, [1, 2]), row(10, 20, [5, 6, 7, 8])];
  expect(picture(rows, 20, [0, 1], 4, 2)).toEqual([5, 6, 7, 8, 1, 1, 2, 2]);
  expect(Array.from(meanOfRows(rows) ?? [])).toEqual([3, 3.5, 4.5, 5]);
});

test('the colours show the floor: a line does not squash it', () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => 1 + i / 1000);
  values[500] = 1e6;
  values[7] = Number.NaN;
  const range = colourRange(values);
  expect(range?.min).toBeCloseTo(1, 1);
  expect(range?.max).toBeCloseTo(2, 1);
  expect(colourRange(Float32Array.of(Number.NaN))).toBeNull();
  const flat = colourRange(Float32Array.of(3, 3));
  expect((flat?.max ?? 0) > (flat?.min ?? 0)).toBe(true);
});

test('paint: dark to bright, beyond the range its ends, nothing where nothing is', () => {
  const out = new Uint32Array(5);
  paint(out, Float32Array.of(-9, 0, 1, 99, Number.NaN), { min: 0, max: 1 }, VIRIDIS);
  // Viridis begins at #440154 and ends at #fde725; bytes are R, G, B, A from the lowest.
  expect(Array.from(out, (v) => v.toString(16))).toEqual([
    'ff540144',
    'ff540144',
    'ff25e7fd',
    'ff25e7fd',
    '0',
  ]);
  expect([viridisCss(0), viridisCss(1)]).toEqual(['#440154', '#fde725']);
});
