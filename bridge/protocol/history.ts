/**
 * The history of a run as rows: decimated spectra of one file or of several in a row, with their time and power.
 *
 *   row   0           4       8        16            24          32        40          48
 *        ┌───────────┬───────┬────────┬─────────────┬───────────┬─────────┬───────────┬──────────────┬─────────────┐
 *        │ first     │ files │ slices │ start of    │ end of    │ total   │ reference │ mean         │ largest     │
 *        │ file u32  │ u32   │ f64    │ first, f64  │ last, f64 │ power   │ f64       │ u16[columns] │ u16[columns]│
 *        │           │       │        │ Unix ms     │ Unix ms   │ f64, V² │ V²/Hz     │              │             │
 *        └───────────┴───────┴────────┴─────────────┴───────────┴─────────┴───────────┴──────────────┴─────────────┘
 *   answer  'HSHI' u32 │ version u32 │ columns u32 │ rows u32 │ files per row u32 │ 12 zeros │ rows
 *
 * A column is the mean, and the largest, of the bins that it stands for; the largest keeps a narrow line visible. Both
 * are logarithmic codes of 2048 steps per octave below the reference: a relative error of at most 2^(1/4096) − 1 =
 * 1.7e-4, which one file's own error of the mean (2 % per bin) hides, over 96 dB. Code 0 stands for nothing there.
 */
import { isSupportedLength } from './geometry.ts';

/** More columns than a plot has pixels are of no use to it. */
const MAX_COLUMNS = 1024;
const ROW_HEAD_BYTES = 48;
const HEAD_BYTES = 32;
const MAGIC = 0x49485348;
const VERSION = 1;
const STEPS_PER_OCTAVE = 2048;
const TOP_CODE = 0xffff;

export interface HistoryRow {
  readonly firstFile: number;
  readonly files: number;
  readonly slices: number;
  /** Unix milliseconds; NaN where no sender said. */
  readonly startUtcMs: number;
  readonly endUtcMs: number;
  /** V², Σ over bins of the published power times the bin width. */
  readonly power: number;
  /** [columns] V²/Hz as published, ascending in frequency; NaN where there is nothing. */
  readonly mean: Float64Array;
  readonly largest: Float64Array;
}

export interface History {
  readonly columns: number;
  /** Files that a full row stands for. */
  readonly filesPerRow: number;
  readonly rows: readonly HistoryRow[];
}

/** What is asked of a run's history; file numbers inclusive. */
export interface HistoryQuery {
  readonly from: number;
  readonly to: number;
  /** Most rows in the answer. */
  readonly rows: number;
}

/** The bytes are no history of this version. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}

/** Bins that one column stands for: the smallest divisor of `bins` that leaves at most 1024 columns. */
export function binsPerColumn(bins: number): number {
  if (!isSupportedLength(bins)) throw new RangeError(`${bins} bins are no supported length`);
  let per = 1;
  while (bins % per !== 0 || bins / per > MAX_COLUMNS) per++;
  return per;
}

/** Mean and largest of each column's bins. */
export function decimate(mean: Float64Array): Pick<HistoryRow, 'mean' | 'largest'> {
  const per = binsPerColumn(mean.length);
  const columns = mean.length / per;
  const row = { mean: new Float64Array(columns), largest: new Float64Array(columns) };
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    let largest = -Infinity;
    for (let bin = column * per; bin < (column + 1) * per; bin++) {
      const value = mean[bin] as number;
      sum += value;
      largest = Math.max(largest, value);
    }
    row.mean[column] = sum / per;
    row.largest[column] = largest;
  }
  return row;
}

/**
 * Rows that follow each other as one: means weighted by slices, and the largest of the largest.
 * @param rows at least one, in rising order of files, of equally many columns
 */
export function joinRows(rows: readonly HistoryRow[]): HistoryRow {
  const [first] = rows;
  if (first === undefined) throw new RangeError('no rows to join');
  const slices = rows.reduce((sum, row) => sum + row.slices, 0);
  const columns = first.mean.length;
  const mean = new Float64Array(columns);
  const largest = new Float64Array(columns);
  for (const row of rows) {
    const weight = row.slices / slices;
    for (let column = 0; column < columns; column++) {
      mean[column] = (mean[column] as number) + (row.mean[column] as number) * weight;
      largest[column] = Math.max(largest[column] as number, row.largest[column] as number);
    }
  }
  return {
    firstFile: first.firstFile,
    files: rows.reduce((sum, row) => sum + row.files, 0),
    slices,
    startUtcMs: earliest(rows.map((row) => row.startUtcMs)),
    endUtcMs: -earliest(rows.map((row) => -row.endUtcMs)),
    power: rows.reduce((sum, row) => sum + row.power * row.slices, 0) / slices,
    mean,
    largest,
  };
}

const earliest = (times: readonly number[]): number => {
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length === 0 ? Number.NaN : Math.min(...known);
};

export function encodeRow(row: HistoryRow): Uint8Array<ArrayBuffer> {
  const columns = row.mean.length;
  const bytes = new Uint8Array(ROW_HEAD_BYTES + 4 * columns);
  const view = new DataView(bytes.buffer);
  const reference = row.largest.reduce((most, value) => (value > most ? value : most), 0);
  view.setUint32(0, row.firstFile, true);
  view.setUint32(4, row.files, true);
  view.setFloat64(8, row.slices, true);
  view.setFloat64(16, row.startUtcMs, true);
  view.setFloat64(24, row.endUtcMs, true);
  view.setFloat64(32, row.power, true);
  view.setFloat64(40, reference, true);
  for (let column = 0; column < columns; column++) {
    const at = ROW_HEAD_BYTES + 2 * column;
    view.setUint16(at, codeOf((row.mean[column] as number) / reference), true);
    view.setUint16(at + 2 * columns, codeOf((row.largest[column] as number) / reference), true);
  }
  return bytes;
}

/** @throws {HistoryError} */
export function decodeRow(bytes: Uint8Array): HistoryRow {
  const columns = (bytes.byteLength - ROW_HEAD_BYTES) / 4;
  if (!Number.isInteger(columns) || columns < 1)
    throw new HistoryError(`a row of ${bytes.byteLength} bytes has no whole number of columns`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reference = view.getFloat64(40, true);
  const values = (at: number): Float64Array => {
    const array = new Float64Array(columns);
    for (let column = 0; column < columns; column++)
      array[column] = reference * (RATIOS[view.getUint16(at + 2 * column, true)] as number);
    return array;
  };
  return {
    firstFile: view.getUint32(0, true),
    files: view.getUint32(4, true),
    slices: view.getFloat64(8, true),
    startUtcMs: view.getFloat64(16, true),
    endUtcMs: view.getFloat64(24, true),
    power: view.getFloat64(32, true),
    mean: values(ROW_HEAD_BYTES),
    largest: values(ROW_HEAD_BYTES + 2 * columns),
  };
}

function codeOf(ratio: number): number {
  if (!(ratio > 0)) return 0;
  return Math.max(0, TOP_CODE + Math.round(Math.log2(Math.min(1, ratio)) * STEPS_PER_OCTAVE));
}

/** Every code's ratio to the reference; a row has two thousand of them. */
const RATIOS = Float64Array.from({ length: TOP_CODE + 1 }, (_, code) =>
  code === 0 ? Number.NaN : 2 ** ((code - TOP_CODE) / STEPS_PER_OCTAVE),
);

/** @param rows encoded, of equally many columns */
export function encodeHistory(
  columns: number,
  filesPerRow: number,
  rows: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const rowBytes = ROW_HEAD_BYTES + 4 * columns;
  const bytes = new Uint8Array(HEAD_BYTES + rows.length * rowBytes);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of [MAGIC, VERSION, columns, rows.length, filesPerRow].entries())
    view.setUint32(4 * k, value, true);
  for (const [k, row] of rows.entries()) {
    if (row.byteLength !== rowBytes) throw new RangeError(`row ${k} is not one of ${columns} columns`);
    bytes.set(row, HEAD_BYTES + k * rowBytes);
  }
  return bytes;
}

/** @throws {HistoryError} */
export function decodeHistory(bytes: Uint8Array): History {
  if (bytes.byteLength < HEAD_BYTES) throw new HistoryError('a history is at least 32 bytes long');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, version, columns = 0, rows = 0, filesPerRow = 0] = [0, 4, 8, 12, 16].map((at) =>
    view.getUint32(at, true),
  );
  if (magic !== MAGIC || version !== VERSION)
    throw new HistoryError(`expected a history of version ${VERSION}, found another: reload the page`);
  const rowBytes = ROW_HEAD_BYTES + 4 * columns;
  if (bytes.byteLength !== HEAD_BYTES + rows * rowBytes)
    throw new HistoryError(`a history of ${rows} rows is cut short or too long`);
  const row = (_: unknown, k: number): HistoryRow =>
    decodeRow(bytes.subarray(HEAD_BYTES + k * rowBytes, HEAD_BYTES + (k + 1) * rowBytes));
  return { columns, filesPerRow, rows: Array.from({ length: rows }, row) };
}
