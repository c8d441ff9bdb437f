/**
 * What the bridge remembers of a run, as rows for the page: asked for once per connection, decimated on the server,
 * so that opening the page costs megabytes at most, however long the run.
 */
import { decodeHistory, type History, type HistoryRow as StoredRow } from '../../bridge/protocol/history.ts';
import type { HistoryRow, RowFiles } from '../analysis/history.ts';

/** More than a waterfall has pixels; 4 KB each. */
const ROWS = 768;

/**
 * Rows oldest first; none where the bridge knows nothing of the run. Rows without time are left out, because they
 * have no place.
 * @throws {Error} what the bridge answered instead, or why it could not be reached
 */
export async function fetchHistory(
  bridge: string,
  run: string,
  get: (url: URL) => Promise<Response> = (url) => fetch(url),
): Promise<readonly HistoryRow[]> {
  return historyRows(run, await fetchHistoryOf(bridge, run, `rows=${ROWS}`, get));
}

/**
 * The files of one stretch, one by one where they are remembered so, with the largest bin of each column: what a
 * person looks at more closely.
 */
export async function fetchFiles(
  bridge: string,
  { run, firstFile, lastFile, files }: RowFiles,
  get: (url: URL) => Promise<Response> = (url) => fetch(url),
): Promise<readonly HistoryRow[]> {
  const history = await fetchHistoryOf(bridge, run, `from=${firstFile}&to=${lastFile}&rows=${files}`, get);
  return historyRows(run, history, true);
}

/** Null where the bridge knows nothing of the run. */
async function fetchHistoryOf(
  bridge: string,
  run: string,
  query: string,
  get: (url: URL) => Promise<Response>,
): Promise<History | null> {
  const response = await get(new URL(`./api/runs/${encodeURIComponent(run)}/history?${query}`, bridge));
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`the bridge answered ${response.status}`);
  return decodeHistory(new Uint8Array(await response.arrayBuffer()));
}

function historyRows(run: string, history: History | null, withLargest = false): HistoryRow[] {
  if (history === null) return [];
  const { rows, filesPerRow } = history;
  return rows
    .map((row, k) => ({ row, lastFile: lastFileOf(row, filesPerRow, k === rows.length - 1) }))
    .filter(({ row }) => Number.isFinite(row.startUtcMs) && Number.isFinite(row.endUtcMs))
    .map(({ row, lastFile }) => ({
      run,
      firstFile: row.firstFile,
      lastFile,
      files: row.files,
      slices: row.slices,
      slicesExpected: 0,
      startMs: row.startUtcMs,
      endMs: row.endUtcMs,
      totalPower: row.power,
      mean: Float32Array.from(row.mean),
      ...(withLargest ? { largest: Float32Array.from(row.largest) } : {}),
    }));
}

/**
 * Rows begin at multiples of their number of files, so one with fewer files lacks some, and its last file lies anywhere
 * up to the end of its stretch; except the newest, whose files are still to come.
 */
function lastFileOf({ firstFile, files }: StoredRow, filesPerRow: number, isNewest: boolean): number {
  const withoutGap = firstFile + files - 1;
  const endOfStretch = (Math.floor(firstFile / filesPerRow) + 1) * filesPerRow - 1;
  return isNewest ? withoutGap : Math.max(withoutGap, endOfStretch);
}
