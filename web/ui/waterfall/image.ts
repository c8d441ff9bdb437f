/**
 * The waterfall as pixels: every pixel the average over all slices of all files and bins below it, where nothing
 * was measured no colour at all.
 */
import type { HistoryRow } from '../../analysis/history.ts';
import type { Range } from '../../analysis/range.ts';

/** Rows of a picture, each the mean power of what was measured in its time; NaN where nothing was. */
export interface PixelRows {
  readonly columns: number;
  readonly height: number;
  /** [height × columns] */
  readonly values: Float32Array;
}

/** Rows from the bridge's memory have fewer columns than those that have just come. */
const widest = (rows: readonly HistoryRow[]): number =>
  rows.reduce((most, { mean }) => Math.max(most, mean.length), 0);

/** Adds a mean, weighted; a narrower one stands for all the columns that it covers. */
function addRow(sum: Float64Array, mean: Float32Array, weight: number): void {
  const columns = sum.length;
  if (mean.length === columns)
    for (let k = 0; k < columns; k++) sum[k] = (sum[k] as number) + weight * (mean[k] as number);
  else
    for (let k = 0; k < columns; k++)
      sum[k] = (sum[k] as number) + weight * (mean[Math.floor((k * mean.length) / columns)] as number);
}

/**
 * From files to rows of pixels; independent of the frequencies in view, so it outlives a zoom.
 * @param rows oldest first, not overlapping
 * @param topMs UTC at the upper edge of the picture, the newest
 */
export function pixelRows(
  rows: readonly HistoryRow[],
  topMs: number,
  bottomMs: number,
  height: number,
): PixelRows {
  const columns = widest(rows);
  const values = new Float32Array(height * columns).fill(Number.NaN);
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
    for (let k = 0; k < columns; k++) values[y * columns + k] = (sum[k] as number) / slices;
  }
  return { columns, height, values };
}

/**
 * From rows to pixels: [width × height] the mean over the bins of each pixel, NaN where nothing was measured.
 * @param left edge of the view as a share of the band, 0 the lower edge of its first bin
 * @param divisor [columns] power by which each column is divided; null for none
 */
export function pixels(
  { columns, height, values }: PixelRows,
  left: number,
  right: number,
  width: number,
  divisor: ArrayLike<number> | null,
): Float32Array {
  const out = new Float32Array(width * height).fill(Number.NaN);
  const factors = Float64Array.from({ length: columns }, (_, k) =>
    divisor === null ? 1 : 1 / (divisor[k] ?? 1),
  );
  const edges = Int32Array.from({ length: width + 1 }, (_, x) =>
    // A share that is a whole number of columns but for its rounding is one.
    Math.floor((left + ((right - left) * x) / width) * columns + 1e-6),
  );
  for (let x = 0; x < width; x++) {
    const from = Math.max(0, edges[x] as number);
    const to = Math.min(columns, Math.max((edges[x] as number) + 1, edges[x + 1] as number));
    if (from >= to) continue;
    for (let y = 0; y < height; y++) {
      let power = 0;
      for (let k = from; k < to; k++) power += (values[y * columns + k] as number) * (factors[k] as number);
      out[y * width + x] = power / (to - from);
    }
  }
  return out;
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
