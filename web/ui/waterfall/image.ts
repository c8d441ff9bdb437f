/**
 * The waterfall as pixels: every pixel the average over all slices of all files and bins below it, where nothing
 * was measured no colour at all.
 */
import type { HistoryRow } from '../../analysis/history.ts';
import type { Range } from '../../analysis/range.ts';

/** What is looked at: edges in bins (0 the left edge of bin 0) and UTC in milliseconds. */
export interface WaterfallWindow {
  readonly bins: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * [width × height] mean power, NaN where nothing was measured; newest time at the top where `top` > `bottom`.
 * @param rows oldest first, not overlapping
 * @param divisor [columns of a row] power by which each column is divided; null for none
 */
export function waterfallValues(
  rows: readonly HistoryRow[],
  w: WaterfallWindow,
  width: number,
  height: number,
  divisor: ArrayLike<number> | null,
): Float32Array {
  const out = new Float32Array(width * height).fill(Number.NaN);
  const columns = rows[0]?.mean.length ?? 0;
  if (columns === 0) return out;
  const edges = Int32Array.from({ length: width + 1 }, (_, x) =>
    Math.floor(((w.left + ((w.right - w.left) * x) / width) / w.bins) * columns),
  );
  const sum = new Float64Array(columns);
  const first = Math.max(0, edges[0] as number);
  const last = Math.min(columns, (edges[width] as number) + 1);
  let at = rows.length - 1;
  for (let y = 0; y < height; y++) {
    const newest = w.top + ((w.bottom - w.top) * y) / height;
    const oldest = w.top + ((w.bottom - w.top) * (y + 1)) / height;
    while (at >= 0 && (rows[at] as HistoryRow).startMs >= newest) at--;
    let slices = 0;
    sum.fill(0, first, last);
    for (let i = at; i >= 0 && (rows[i] as HistoryRow).endMs > oldest; i--) {
      const { mean, slices: n } = rows[i] as HistoryRow;
      for (let k = first; k < last; k++) sum[k] = (sum[k] as number) + n * (mean[k] as number);
      slices += n;
    }
    if (slices > 0) spread(out.subarray(y * width, (y + 1) * width), sum, edges, slices, divisor);
  }
  return out;
}

/** One row of pixels from sums per column. */
function spread(
  out: Float32Array,
  sum: Float64Array,
  edges: Int32Array,
  slices: number,
  divisor: ArrayLike<number> | null,
): void {
  for (let x = 0; x < out.length; x++) {
    const from = Math.max(0, edges[x] as number);
    const to = Math.min(sum.length, Math.max((edges[x] as number) + 1, edges[x + 1] as number));
    if (from >= to) continue;
    let power = 0;
    for (let k = from; k < to; k++)
      power += (sum[k] as number) / (divisor === null ? 1 : (divisor[k] as number));
    out[x] = power / (to - from) / slices;
  }
}

/** Mean over all rows, weighted by slices; null where rows have none. */
export function meanOfRows(rows: readonly HistoryRow[]): Float64Array | null {
  const columns = rows[0]?.mean.length;
  if (columns === undefined) return null;
  const sum = new Float64Array(columns);
  let slices = 0;
  for (const { mean, slices: n } of rows) {
    slices += n;
    for (let k = 0; k < columns; k++) sum[k] = (sum[k] as number) + n * (mean[k] as number);
  }
  return sum.map((value) => value / slices);
}

/** Values looked at for the range of colours. */
const SAMPLES = 4096;
/** Shares of the values that are left darker and brighter than the table: lines must not hide the floor. */
const DARKER = 0.005;
const BRIGHTER = 0.995;

/** Range of colours that shows the floor; null where there is nothing finite. */
export function colourRange(values: Float32Array): Range | null {
  const stride = Math.max(1, Math.floor(values.length / SAMPLES));
  const sorted: number[] = [];
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i] as number;
    if (Number.isFinite(value)) sorted.push(value);
  }
  if (sorted.length === 0) return null;
  sorted.sort((a, b) => a - b);
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
