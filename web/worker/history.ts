/**
 * What the bridge remembers of a run, as rows for the page: asked for once per connection, decimated on the server,
 * so that opening the page costs megabytes at most, however long the run.
 */
import { decodeHistory, type HistoryRow as StoredRow } from '../../bridge/protocol/history.ts';
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
  const rows = await fetchRows(bridge, run, `rows=${ROWS}`, get);
  return rows.map((row) => historyRow(run, row));
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
  const rows = await fetchRows(bridge, run, `from=${firstFile}&to=${lastFile}&rows=${files}`, get);
  return rows.map((row) => ({ ...historyRow(run, row), largest: Float32Array.from(row.largest) }));
}

async function fetchRows(
  bridge: string,
  run: string,
  query: string,
  get: (url: URL) => Promise<Response>,
): Promise<readonly StoredRow[]> {
  const response = await get(new URL(`./api/runs/${encodeURIComponent(run)}/history?${query}`, bridge));
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`the bridge answered ${response.status}`);
  const { rows } = decodeHistory(new Uint8Array(await response.arrayBuffer()));
  return rows.filter((row) => Number.isFinite(row.startUtcMs) && Number.isFinite(row.endUtcMs));
}

const historyRow = (run: string, row: StoredRow): HistoryRow => ({
  run,
  firstFile: row.firstFile,
  lastFile: row.firstFile + row.files - 1,
  files: row.files,
  slices: row.slices,
  slicesExpected: 0,
  startMs: row.startUtcMs,
  endMs: row.endUtcMs,
  totalPower: row.power,
  mean: Float32Array.from(row.mean),
});
