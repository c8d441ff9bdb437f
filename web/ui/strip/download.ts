/**
 * The run-wide average as CSV, from the bridge's API: what was published, to the last digit.
 */
import type { Model } from '../model/model.ts';

/** «haloscope_run404_n35073.csv». */
export const csvName = (run: string, slices: number | null): string =>
  `haloscope_${run.replace(/[^A-Za-z0-9._~-]/g, '-')}${slices === null ? '' : `_n${slices}`}.csv`;

/** n behind the file: the count in its first row; the page's own number may be a file older. */
export function slicesOf(csv: string): number | null {
  const row = csv.slice(0, 1000).split('\n')[1];
  const count = Number(row?.split(',')[3]);
  return Number.isInteger(count) && count > 0 ? count : null;
}

export async function downloadRun(model: Model): Promise<void> {
  const run = model.run.peek();
  if (run === null) return;
  const path = `./api/runs/${encodeURIComponent(run)}/spectrum.csv`;
  const elsewhere = otherBridge(model);
  if (elsewhere !== null) return openElsewhere(new URL(path, elsewhere));
  try {
    const response = await fetch(path);
    if (!response.ok)
      throw new Error(`the bridge answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
    const csv = await response.text();
    const name = csvName(run, slicesOf(csv));
    save(new Blob([csv], { type: 'text/csv' }), name);
    model.message.value = `Saved ${name}.`;
  } catch (error) {
    model.message.value = `No CSV: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Where the page has moved to; null while it is at the bridge that it came from. */
function otherBridge(model: Model): string | null {
  const connection = model.connection.peek();
  if (connection.phase !== 'open') return null;
  return new URL(connection.bridge).origin === location.origin ? null : connection.bridge;
}

/** What another origin answers may not be read here; as an attachment it is saved, and the page stays. */
function openElsewhere(url: URL): void {
  const link = document.createElement('a');
  link.href = url.href;
  link.click();
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has taken its own hold of the blob by the next turn of the event loop in every browser; be generous.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
