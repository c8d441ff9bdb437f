/**
 * The waterfall as pixels: every pixel the average over all slices of all files and bins below it, where nothing
 * was measured no colour at all.
 */
import type { HistoryRow } from '../../analysis/history.ts';
import type { Range } from '../../analysis/range.ts';

/**
 * Rows of a picture, each the mean power of what was measured in its time, as sums from its first column on: the mean
 * over any stretch of columns is then two reads and a division, however the view is zoomed.
 */
export interface PixelRows {
  readonly columns: number;
  readonly height: number;
  /** [height × (columns + 1)] power in the columns before; NaN in all where nothing was measured. */
  readonly sums: Float64Array;
  /** [columns + 1] columns before that have a power, of those rows in which some have none. */
  readonly counts: ReadonlyMap<number, Int32Array>;
}

/** Rows from the bridge's memory have fewer columns than those that have just come. */
const widest = (rows: readonly HistoryRow[]): number =>
  rows.reduce((most, { mean }) => Math.max(most, mean.length), 0);

/** Adds a mean, weighted; a narrower one stands for all the columns that it covers. */
function addRow(sum: Float64Array, mean: Float32Array, weight: number): void {
  const columns = sum.length;
  for (let j = 0, k = 0; j < mean.length; j++) {
    const power = weight * (mean[j] as number);
    const end = Math.floor(((j + 1) * columns) / mean.length);
    for (; k < end; k++) sum[k] = (sum[k] as number) + power;
  }
}

/**
 * From files to rows of pixels; independent of the frequencies in view, so it outlives a zoom.
 * @param rows oldest first, not overlapping
 * @param topMs UTC at the upper edge of the picture, the newest
 * @param divisor [columns] power by which each column is divided; null for none
 */
export function pixelRows(
  rows: readonly HistoryRow[],
  topMs: number,
  bottomMs: number,
  height: number,
  divisor: Float64Array | null = null,
): PixelRows {
  const columns = widest(rows);
  const sums = new Float64Array(height * (columns + 1)).fill(Number.NaN);
  const counts = new Map<number, Int32Array>();
  const sum = new Float64Array(columns);
  let at = rows.length - 1;
  for (let y = 0; y < height; y++) {
    const newest = topMs + ((bottomMs - topMs) * y) / height;
    const oldest = topMs + ((bottomMs - topMs) * (y + 1)) / height;
    while (at >= 0 && (rows[at] as HistoryRow).startMs >= newest) at--;
    let slices = 0;
    for (let i = at; i >= 0 && (rows[i] as HistoryRow).endMs > oldest; i--) {
      const { mean, slices: n } = rows[i] as HistoryRow;
      if (slices === 0) sum.fill(0);
      addRow(sum, mean, n);
      slices += n;
    }
    if (slices === 0) continue;
    for (let k = 0; k < columns; k++)
      sum[k] = (sum[k] as number) / (slices * (divisor === null ? 1 : (divisor[k] as number)));
    const known = cumulate(sums.subarray(y * (columns + 1), (y + 1) * (columns + 1)), sum);
    if (known !== null) counts.set(y, known);
  }
  return { columns, height, sums, counts };
}

/** Sums of the values before each; how many of them are numbers, where not all are. */
function cumulate(out: Float64Array, values: Float64Array): Int32Array | null {
  let sum = 0;
  let known = 0;
  out[0] = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (!Number.isNaN(value)) {
      sum += value;
      known++;
    }
    out[k + 1] = sum;
  }
  if (known === values.length) return null;
  known = 0;
  const counts = new Int32Array(values.length + 1);
  values.forEach((value, k) => {
    if (!Number.isNaN(value)) known++;
    counts[k + 1] = known;
  });
  return counts;
}

/** Columns [from, to) below each pixel, two numbers a pixel; none beyond the band. */
function columnsBelow(columns: number, left: number, right: number, width: number): Int32Array {
  // A share that is a whole number of columns but for its rounding is one.
  const edge = (x: number): number => Math.floor((left + ((right - left) * x) / width) * columns + 1e-6);
  const below = new Int32Array(2 * width);
  for (let x = 0; x < width; x++) {
    const from = Math.max(0, edge(x));
    below[2 * x] = from;
    below[2 * x + 1] = Math.max(from, Math.min(columns, Math.max(edge(x) + 1, edge(x + 1))));
  }
  return below;
}

/**
 * From rows to pixels: the mean over the bins of each pixel, NaN where nothing was measured.
 * @param left edge of the view as a share of the band, 0 the lower edge of its first bin
 * @param out [width × height] is filled; every frame of a zoom needs one
 */
export function pixels(
  { columns, height, sums, counts }: PixelRows,
  left: number,
  right: number,
  out: Float32Array,
): void {
  const width = out.length / height;
  const below = columnsBelow(columns, left, right, width);
  for (let y = 0; y < height; y++) {
    const row = y * (columns + 1);
    const known = counts.get(y);
    for (let x = 0; x < width; x++) {
      const from = below[2 * x] as number;
      const to = below[2 * x + 1] as number;
      const n = known === undefined ? to - from : (known[to] as number) - (known[from] as number);
      // 0/0, which is no number, where there is no column.
      out[y * width + x] = ((sums[row + to] as number) - (sums[row + from] as number)) / n;
    }
  }
}

/** Mean over all rows, weighted by slices; null where rows have none. */
export function meanOfRows(rows: readonly HistoryRow[]): Float64Array | null {
  if (rows.length === 0) return null;
  const sum = new Float64Array(widest(rows));
  let slices = 0;
  for (const { mean, slices: n } of rows) {
    slices += n;
    addRow(sum, mean, n);
  }
  return sum.map((value) => value / slices);
}

/** Values looked at for the range of colours. */
const SAMPLES = 2048;
/** Shares of the values that are left darker and brighter than the table: lines must not hide the floor. */
const DARKER = 0.005;
const BRIGHTER = 0.99;

/** Range of colours that shows the floor; null where there is nothing finite. */
export function colourRange(values: Float32Array): Range | null {
  const stride = Math.max(1, Math.ceil(values.length / SAMPLES));
  const samples = new Float32Array(SAMPLES);
  let count = 0;
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i] as number;
    if (Number.isFinite(value)) samples[count++] = value;
  }
  if (count === 0) return null;
  // Sorted as numbers, in native code: this happens in every frame of a zoom.
  const sorted = samples.subarray(0, count).sort();
  const min = sorted[Math.floor(DARKER * (sorted.length - 1))] as number;
  const max = sorted[Math.ceil(BRIGHTER * (sorted.length - 1))] as number;
  return max > min ? { min, max } : { min: min - Math.abs(min) * 1e-3, max: max + Math.abs(max) * 1e-3 || 1 };
}

/** Writes colours into the bytes of an image; NaN is clear. */
export function paint(out: Uint32Array, values: Float32Array, range: Range, table: Uint32Array): void {
  const scale = table.length / (range.max - range.min);
  const last = table.length - 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const step = Math.floor((value - range.min) * scale);
    out[i] = Number.isNaN(value) ? 0 : (table[step < 0 ? 0 : step > last ? last : step] as number);
  }
}
