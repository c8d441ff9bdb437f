/**
 * Finding one's way in the rows of a run: which one a time belongs to, which comes before and after it, and finer
 * rows in the place of a coarse one.
 */
import type { HistoryRow } from './history.ts';

export const middleMs = (row: HistoryRow): number => (row.startMs + row.endMs) / 2;

/** The row that was measured at this time; where there is none, the nearest. Null without rows. */
export function rowAt(rows: readonly HistoryRow[], ms: number): HistoryRow | null {
  const distance = (row: HistoryRow): number => Math.max(0, row.startMs - ms, ms - row.endMs);
  return rows.reduce<HistoryRow | null>(
    (best, row) => (best === null || distance(row) < distance(best) ? row : best),
    null,
  );
}

/** The next earlier (−1) or later (+1) row; the last one there is where there is none. */
export function neighbour(rows: readonly HistoryRow[], row: HistoryRow, step: -1 | 1): HistoryRow {
  return rows[rows.indexOf(row) + step] ?? row;
}

/** The rows with finer ones instead of a coarse one; as they were where those do not hold all of its files. */
export function refined(
  rows: readonly HistoryRow[],
  coarse: HistoryRow,
  finer: readonly HistoryRow[],
): readonly HistoryRow[] {
  const own = finer.filter((row) => row.firstFile >= coarse.firstFile && row.lastFile <= coarse.lastFile);
  const files = own.reduce((sum, row) => sum + row.files, 0);
  const at = rows.indexOf(coarse);
  if (at < 0 || own.length < 2 || files < coarse.files) return rows;
  return rows.toSpliced(at, 1, ...own);
}

/** [bins] a narrower mean or maximum, each value standing for all the bins that it covers. */
export function spread(values: Float32Array, bins: number): Float32Array {
  if (values.length === bins) return values;
  return Float32Array.from(
    { length: bins },
    (_, k) => values[Math.floor((k * values.length) / bins)] as number,
  );
}
