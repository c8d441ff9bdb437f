/**
 * The history of a run as rows of spectra, oldest first, in bounded memory: the newest rows are single files, older
 * ones averages over more and more of them, so that a row lasts about the same share of its age everywhere.
 *
 * A row is always an average over all its slices, never a snapshot.
 */

export interface HistoryRow {
  readonly run: string;
  readonly firstFile: number;
  readonly lastFile: number;
  readonly files: number;
  readonly slices: number;
  /** Slices that these files should have; 0 where not known. */
  readonly slicesExpected: number;
  /** UTC in milliseconds of the first and the last sample. */
  readonly startMs: number;
  readonly endMs: number;
  /** Σ m·Δν of the full spectrum. */
  readonly totalPower: number;
  /** [columns] mean power as published; columns divide the band evenly, one per bin or fewer. */
  readonly mean: Float32Array;
  /** [columns] the largest mean of a file's bin in each; only where a stretch was asked for in detail. */
  readonly largest?: Float32Array;
}

/** Which files a row is of. */
export type RowFiles = Pick<HistoryRow, 'run' | 'firstFile' | 'lastFile' | 'files'>;

/** Rows farther apart than this share of a file's length have a gap between them. */
const GAP_SHARE = 0.5;

const fileMs = (row: HistoryRow): number => (row.endMs - row.startMs) / row.files;

/** Whether something is missing between two rows that follow each other. */
export const isGap = (before: HistoryRow, after: HistoryRow): boolean =>
  after.startMs - before.endMs > GAP_SHARE * Math.min(fileMs(before), fileMs(after));

export class History {
  readonly #capacity: number;
  #rows: HistoryRow[] = [];

  /** @param capacity rows; at 3072 bins a row has 12 KiB */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get rows(): readonly HistoryRow[] {
    return this.#rows;
  }

  clear(): void {
    this.#rows = [];
  }

  /** Hands all rows over and begins empty. */
  take(): readonly HistoryRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /**
   * Puts a row in its place. One of another run begins anew; one whose files are there already is dropped, and takes
   * the place of those that it contains.
   */
  append(row: HistoryRow): void {
    const newest = this.#rows.at(-1);
    if (newest !== undefined && newest.run !== row.run) this.clear();
    const rows = this.#rows;
    let at = rows.length;
    while (at > 0 && (rows[at - 1] as HistoryRow).startMs > row.startMs) at--;
    if (this.#holds(rows[at - 1], row) || this.#holds(rows[at], row)) return;
    let contained = 0;
    while (this.#holds(row, rows[at + contained])) contained++;
    rows.splice(at, contained, row);
    if (rows.length > this.#capacity) this.#mergeOne();
  }

  #holds(outer: HistoryRow | undefined, inner: HistoryRow | undefined): boolean {
    if (outer === undefined || inner === undefined) return false;
    return outer.firstFile <= inner.firstFile && inner.lastFile <= outer.lastFile;
  }

  /** The two neighbours that last least for their age become one; a gap is closed only where nothing else is left. */
  #mergeOne(): void {
    const rows = this.#rows;
    const nowMs = (rows.at(-1) as HistoryRow).endMs;
    let best = 0;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < rows.length; i++) {
      const a = rows[i] as HistoryRow;
      const b = rows[i + 1] as HistoryRow;
      const age = Math.max(1, nowMs - a.startMs);
      const cost = (b.endMs - a.startMs) / age + (isGap(a, b) ? 1e6 : 0);
      if (cost < bestCost) {
        bestCost = cost;
        best = i;
      }
    }
    rows.splice(best, 2, merged(rows[best] as HistoryRow, rows[best + 1] as HistoryRow));
  }
}

/** The mean with fewer columns, each the mean of those that it covers. */
function narrowed(mean: Float32Array, columns: number): Float32Array {
  if (mean.length === columns) return mean;
  const out = new Float32Array(columns);
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * mean.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * mean.length) / columns));
    let sum = 0;
    for (let k = from; k < to; k++) sum += mean[k] as number;
    out[column] = sum / (to - from);
  }
  return out;
}

/** Weighted by slices, as every average here; as wide as the narrower of the two. */
function merged(a: HistoryRow, b: HistoryRow): HistoryRow {
  const columns = Math.min(a.mean.length, b.mean.length);
  const later = narrowed(b.mean, columns);
  const slices = a.slices + b.slices;
  const share = b.slices / slices;
  const isKnown = a.slicesExpected > 0 && b.slicesExpected > 0;
  return {
    run: a.run,
    firstFile: Math.min(a.firstFile, b.firstFile),
    lastFile: Math.max(a.lastFile, b.lastFile),
    files: a.files + b.files,
    slices,
    slicesExpected: isKnown ? a.slicesExpected + b.slicesExpected : 0,
    startMs: Math.min(a.startMs, b.startMs),
    endMs: Math.max(a.endMs, b.endMs),
    totalPower: a.totalPower + (b.totalPower - a.totalPower) * share,
    mean: narrowed(a.mean, columns).map((value, k) => value + ((later[k] as number) - value) * share),
  };
}
