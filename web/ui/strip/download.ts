/**
 * The run-wide average and single files from the bridge's API: what was published, to the last digit.
 */
import type { Downloaded, Format, Model } from '../model/model.ts';
import { save } from './save.ts';

const safe = (text: string): string => text.replace(/[^A-Za-z0-9._~-]/g, '-');

/** «haloscope_run404_n35073.csv». */
export const exportName = (run: string, format: Format, slices: number | null): string =>
  `haloscope_${safe(run)}${slices === null ? '' : `_n${slices}`}.${format}`;

/** n behind a CSV: the count in its first row; the page's own number may be a file older. */
export function slicesOf(csv: string): number | null {
  const row = csv.slice(0, 1000).split('\n')[1];
  const count = Number(row?.split(',')[3]);
  return Number.isInteger(count) && count > 0 ? count : null;
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

/** @param nameOf the file's name from what is in it; another bridge gives its own */
async function download(
  model: Model,
  path: string,
  format: Format,
  nameOf: (blob: Blob) => Promise<string> | string,
): Promise<void> {
  const elsewhere = otherBridge(model);
  if (elsewhere !== null) return openElsewhere(new URL(`./api/runs/${path}`, elsewhere));
  try {
    const response = await fetch(`./api/runs/${path}`);
    if (!response.ok)
      throw new Error(`the bridge answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
    const blob = await response.blob();
    const name = await nameOf(blob);
    save(blob, name);
    model.message.value = `Saved ${name}.`;
  } catch (error) {
    model.message.value = `No ${format.toUpperCase()}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function downloadRun(model: Model, format: Format): Promise<void> {
  const run = model.run.peek();
  if (run === null) return;
  await download(model, `${encodeURIComponent(run)}/spectrum.${format}`, format, async (blob) =>
    exportName(run, format, format === 'csv' ? slicesOf(await blob.text()) : null),
  );
}

/** The latest file by itself. */
async function downloadFile(model: Model, format: Format): Promise<void> {
  const latest = model.spectra.latest.peek();
  if (latest === null) return;
  const { run, file } = latest;
  const name = `haloscope_${safe(run)}_file${file}.${format}`;
  await download(model, `${encodeURIComponent(run)}/files/${file}.${format}`, format, () => name);
}

export const downloadFromBridge = (model: Model, what: Downloaded, format: Format): Promise<void> =>
  what === 'run' ? downloadRun(model, format) : downloadFile(model, format);
