import { expect, test } from 'vitest';
import type { HistoryRow } from '../../web/analysis/history.ts';
import { neighbour, refined, rowAt, spread } from '../../web/analysis/stored-rows.ts';

/** Files of 4 s, one after the other, but for those that are left out. */
const row = (firstFile: number, files = 1): HistoryRow => ({
  run: 'r',
  firstFile,
  lastFile: firstFile + files - 1,
  files,
  slices: 2731 * files,
  slicesExpected: 0,
  startMs: 4000 * firstFile,
  endMs: 4000 * (firstFile + files),
  totalPower: 1,
  mean: Float32Array.of(1, 2),
});

test('a time belongs to the row that was measured then, or to the nearest', () => {
  const rows = [row(0, 4), row(4), row(7)];
  expect([0, 15_000, 17_000, 29_000].map((ms) => rowAt(rows, ms)?.firstFile)).toEqual([0, 0, 4, 7]);
  // Before everything, in the gap near its ends, behind everything.
  expect([-1e9, 21_000, 27_000, 1e12].map((ms) => rowAt(rows, ms)?.firstFile)).toEqual([0, 4, 7, 7]);
  expect(rowAt([], 0)).toBeNull();
});

test('step by step from one end to the other, and no further', () => {
  const rows = [row(0, 4), row(4), row(7)] as const;
  expect(neighbour(rows, rows[1], -1)).toBe(rows[0]);
  expect(neighbour(rows, rows[1], 1)).toBe(rows[2]);
  expect(neighbour(rows, rows[0], -1)).toBe(rows[0]);
  expect(neighbour(rows, rows[2], 1)).toBe(rows[2]);
});

test('finer rows take the place of a coarse one only where they hold all of its files', () => {
  const rows = [row(0, 4), row(4, 4), row(8)] as const;
  const files = [4, 5, 6, 7].map((file) => row(file));
  const firsts = (some: readonly HistoryRow[]): number[] => some.map(({ firstFile }) => firstFile);
  expect(firsts(refined(rows, rows[1], files))).toEqual([0, 4, 5, 6, 7, 8]);
  // A row of the answer that reaches beyond it would be shown twice.
  expect(firsts(refined(rows, rows[1], [row(2, 4), row(6), row(7)]))).toEqual([0, 4, 8]);
  expect(refined(rows, rows[1], files.slice(1))).toBe(rows);
  expect(refined(rows, rows[1], [row(4, 4)])).toBe(rows);
  expect(refined(rows, row(4, 4), files)).toBe(rows);
});

test('a column stands for all its bins: no value is lost and none is made up', () => {
  expect(Array.from(spread(Float32Array.of(1, 9), 6))).toEqual([1, 1, 1, 9, 9, 9]);
  const full = Float32Array.of(3, 1, 2);
  expect(spread(full, 3)).toBe(full);
});
