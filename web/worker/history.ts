/**
 * What the bridge remembers of a run, as rows for the page: asked for once per connection, decimated on the server,
 * so that opening the page costs megabytes at most, however long the run.
 */
import { decodeHistory } from '../../bridge/protocol/history.ts';
import type { HistoryRow } from '../analysis/history.ts';

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
  const response = await get(new URL(`./api/runs/${encodeURIComponent(run)}/history?rows=${ROWS}`, bridge));
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`the bridge answered ${response.status}`);
  const { rows } = decodeHistory(new Uint8Array(await response.arrayBuffer()));
  return rows
    .filter((row) => Number.isFinite(row.startUtcMs) && Number.isFinite(row.endUtcMs))
    .map((row) => ({
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
    }));
}
