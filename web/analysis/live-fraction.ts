/**
 * Live fraction, or DAQ efficiency: slices received of those that the DAQ recorded, gaps in the file numbers
 * included.
 */
import type { HistoryRow } from './history.ts';

export type Received = Pick<HistoryRow, 'firstFile' | 'lastFile' | 'files' | 'slices' | 'slicesExpected'>;

export interface LiveFraction {
  readonly received: number;
  readonly expected: number;
  /** File numbers between the first and the last of which nothing is there. */
  readonly missingFiles: number;
  /** 0 to 1; NaN where nothing was expected. */
  readonly fraction: number;
}

/** @param nominal slices of a file of which nothing is known */
export function liveFraction(rows: Iterable<Received>, nominal: number): LiveFraction {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let files = 0;
  let received = 0;
  let expected = 0;
  for (const row of rows) {
    first = Math.min(first, row.firstFile);
    last = Math.max(last, row.lastFile);
    files += row.files;
    received += row.slices;
    expected += Math.max(row.slices, row.slicesExpected > 0 ? row.slicesExpected : row.files * nominal);
  }
  const missingFiles = files === 0 ? 0 : Math.max(0, last - first + 1 - files);
  expected += missingFiles * nominal;
  return { received, expected, missingFiles, fraction: received / expected };
}
