/** Rows of a run's history: decimation, joining, and the bytes. */
import { expect, test } from 'vitest';
import {
  binsPerColumn,
  decimate,
  decodeHistory,
  decodeRow,
  encodeHistory,
  encodeRow,
  HistoryError,
  type HistoryRow,
  joinRows,
} from '../../bridge/protocol/history.ts';

/** Half a step of 2048 per octave. */
const CODE_ERROR = 2 ** (1 / 4096) - 1;

const row = (firstFile: number, values: readonly number[], facts: Partial<HistoryRow> = {}): HistoryRow => ({
  firstFile,
  files: 1,
  slices: 2731,
  startUtcMs: 1000 * firstFile,
  endUtcMs: 1000 * firstFile + 900,
  power: 1e-3,
  mean: Float64Array.from(values),
  largest: Float64Array.from(values, (value) => 2 * value),
  ...facts,
});

test('every length has at most 1024 columns of equally many bins', () => {
  const lengths = { 256: 1, 729: 1, 1024: 1, 2048: 2, 2187: 3, 3072: 3, 4096: 4, 6561: 9, 8192: 8 };
  for (const [bins, per] of Object.entries(lengths)) expect(binsPerColumn(Number(bins))).toBe(per);
  expect(() => binsPerColumn(1000)).toThrow(RangeError);
});

test('a column is the mean and the largest of its bins', () => {
  const mean = Float64Array.from({ length: 3072 }, (_, bin) => (bin === 1501 ? 100 : 1 + (bin % 3)));
  const { mean: column, largest } = decimate(mean);
  expect(column).toHaveLength(1024);
  expect([column[0], largest[0]]).toEqual([2, 3]);
  expect([column[500], largest[500]]).toEqual([(1 + 100 + 3) / 3, 100]);
});

test('joined rows weigh by slices, keep the largest, and span the time', () => {
  const joined = joinRows([
    row(4, [1, 8], { slices: 100 }),
    row(5, [4, 2], { slices: 200, startUtcMs: Number.NaN, power: 4e-3 }),
  ]);
  expect(joined).toEqual({
    firstFile: 4,
    files: 2,
    slices: 300,
    startUtcMs: 4000,
    endUtcMs: 5900,
    power: (1e-3 * 100 + 4e-3 * 200) / 300,
    mean: Float64Array.of(3, 4),
    largest: Float64Array.of(8, 16),
  });
  const unknown = { startUtcMs: Number.NaN, endUtcMs: Number.NaN };
  expect(joinRows([row(1, [1], unknown)])).toMatchObject(unknown);
});

test('bytes and back: facts exactly, values within half a step, nothing as NaN', () => {
  const values = Array.from({ length: 1024 }, (_, k) => 5e-9 * 10 ** ((k % 90) / 10 - 6));
  values[7] = 0;
  const original = row(70_001, values, { files: 64, slices: 174_784.5 });
  const back = decodeRow(encodeRow(original));
  expect({ ...back, mean: [], largest: [] }).toEqual({ ...original, mean: [], largest: [] });
  expect([back.mean[7], back.largest[7]]).toEqual([Number.NaN, Number.NaN]);
  for (const [k, value] of values.entries()) {
    if (value === 0) continue;
    expect(Math.abs((back.mean[k] as number) / value - 1)).toBeLessThan(CODE_ERROR * 1.001);
    expect(Math.abs((back.largest[k] as number) / (2 * value) - 1)).toBeLessThan(CODE_ERROR * 1.001);
  }
});

test('what lies more than 192 dB of voltage below the reference is nothing', () => {
  const back = decodeRow(encodeRow(row(1, [1, 2 ** -30, 2 ** -33])));
  expect(back.mean[1]).toBeCloseTo(2 ** -30, 12);
  expect(back.mean[2]).toBeNaN();
});

test('a row of zeros, and one of NaN, is a row of nothing', () => {
  for (const value of [0, Number.NaN]) {
    const back = decodeRow(encodeRow(row(1, [value, value])));
    expect([...back.mean, ...back.largest]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  }
});

test('an answer and back; bytes of anything else are refused', () => {
  const rows = [row(0, [1, 2]), row(4, [3, 4])].map(encodeRow);
  const bytes = encodeHistory(2, 4, rows);
  const { columns, filesPerRow, rows: decoded } = decodeHistory(bytes);
  expect({ columns, filesPerRow, files: decoded.map(({ firstFile }) => firstFile) }).toEqual({
    columns: 2,
    filesPerRow: 4,
    files: [0, 4],
  });
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeHistory(bytes.subarray(0, length))).toThrow(HistoryError);
  const other = bytes.slice();
  other[4] = 2;
  expect(() => decodeHistory(other)).toThrow(/reload the page/);
  expect(() => encodeHistory(3, 4, rows)).toThrow(RangeError);
});
