import { expect, test } from 'vitest';
import { History, type HistoryRow, isGap } from '../../web/analysis/history.ts';

const FILE_MS = 4194;
const START_MS = Date.UTC(2026, 10, 23);

const row = (file: number, over: Partial<HistoryRow> = {}): HistoryRow => ({
  run: 'run404',
  firstFile: file,
  lastFile: file,
  files: 1,
  slices: 2731,
  slicesExpected: 2731,
  startMs: START_MS + file * FILE_MS,
  endMs: START_MS + (file + 1) * FILE_MS,
  totalPower: file,
  mean: Float32Array.of(file, 2 * file),
  ...over,
});

test('a day stays within its bound; every file counts once, and averages are by slices', () => {
  const files = 20_600;
  const history = new History(512);
  for (let file = 0; file < files; file++) history.append(row(file));
  const { rows } = history;
  expect(rows.length).toBe(512);
  expect(rows.reduce((sum, { files: n }) => sum + n, 0)).toBe(files);
  rows.forEach((it, i) => {
    expect(it.lastFile - it.firstFile + 1).toBe(it.files);
    expect(it.slices).toBe(2731 * it.files);
    if (i > 0) expect(it.firstFile).toBe((rows[i - 1] as HistoryRow).lastFile + 1);
    const middle = (it.firstFile + it.lastFile) / 2;
    expect(it.totalPower).toBeCloseTo(middle, 6);
    // float32 means, merged some ten times.
    expect(Math.abs((it.mean[1] as number) / (2 * middle || 1) - 1)).toBeLessThan(it.files > 1 ? 1e-5 : 1.1);
  });
});

test('the newest rows are single files, and no row lasts long for its age', () => {
  const history = new History(512);
  const files = 20_600;
  for (let file = 0; file < files; file++) history.append(row(file));
  const single = history.rows.slice(-50).every((it) => it.files === 1);
  expect(single).toBe(true);
  for (const it of history.rows) {
    const age = files - it.firstFile;
    // 512 rows over ln(20 600) e-foldings of age: 2 %; neighbours are merged two by two, hence the factor.
    expect(it.files).toBeLessThan(Math.max(2, 0.06 * age));
  }
});

test('slices weigh, not rows', () => {
  const history = new History(2);
  history.append(row(0, { slices: 1000 }));
  history.append(row(1, { slices: 3000 }));
  history.append(row(2));
  expect(history.rows[0]).toMatchObject({ files: 2, slices: 4000, totalPower: 0.75 });
});

test('gaps are kept as long as something else can be merged', () => {
  const history = new History(4);
  for (const file of [0, 100, 200, 201, 202]) history.append(row(file));
  expect(history.rows.map(({ firstFile, lastFile }) => [firstFile, lastFile])).toEqual([
    [0, 0],
    [100, 100],
    [200, 201],
    [202, 202],
  ]);
  expect(history.rows.map((it, i, all) => i > 0 && isGap(all[i - 1] as HistoryRow, it))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test('files are put in their order, and what is there already is dropped', () => {
  const history = new History(10);
  for (const file of [3, 5, 4, 4, 3]) history.append(row(file));
  expect(history.rows.map(({ firstFile }) => firstFile)).toEqual([3, 4, 5]);
});

test('another run begins anew', () => {
  const history = new History(10);
  history.append(row(1));
  history.append(row(1, { run: 'run405' }));
  expect(history.rows.map(({ run }) => run)).toEqual(['run405']);
  expect(history.take().length).toBe(1);
  expect(history.rows).toEqual([]);
});

test('a row that contains others takes their place', () => {
  const history = new History(10);
  for (const file of [5, 6, 7, 8]) history.append(row(file));
  history.append(row(4, { lastFile: 7, files: 4, endMs: START_MS + 8 * FILE_MS }));
  expect(history.rows.map(({ firstFile, lastFile }) => [firstFile, lastFile])).toEqual([
    [4, 7],
    [8, 8],
  ]);
});

test('rows of different width merge to the narrower', () => {
  const history = new History(2);
  history.append(row(0, { mean: Float32Array.of(1, 3, 5, 7) }));
  history.append(row(1, { mean: Float32Array.of(4, 8) }));
  history.append(row(2));
  expect(Array.from(history.rows[0]?.mean ?? [])).toEqual([3, 7]);
});
