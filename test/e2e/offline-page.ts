/** The offline page as a static server gives it, and what people drop into it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import sirv from 'sirv';
import { onTestFinished } from 'vitest';
import { repository } from '../../scripts/machine.mjs';

/** The built page. */
export const WEB = join(repository, 'dist', 'web');

export interface StaticServer {
  /** Of the folder that it serves; the offline page is `offline.html` in it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A plain static server, which knows nothing of us, with the page in a folder of its own. */
export async function keptStatic(folder = WEB, path = '/lab/haloscope/'): Promise<StaticServer> {
  const files = sirv(folder, { dev: true, etag: true });
  const server = createServer((request, response) => {
    const missing = (): void => void response.writeHead(404).end('There is no such file.\n');
    if (!request.url?.startsWith(path)) return missing();
    request.url = request.url.slice(path.length - 1);
    files(request, response, missing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, stop };
}

/** Drops files and folders of this machine on the page, as a file manager does. */
export async function drop(page: Page, ...paths: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const at = { x: width / 2, y: height / 2 };
  const dispatch = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    session.send('Input.dispatchDragEvent', { type, ...at, data });
  await dispatch('dragEnter');
  // The browser drops nothing on a page that has not yet said that it takes files.
  await page.locator('.drop-veil').waitFor();
  await dispatch('dragOver');
  await page.evaluate(() => new Promise(requestAnimationFrame));
  await dispatch('dragOver');
  await dispatch('drop');
  await page.locator('.drop-veil').waitFor({ state: 'hidden' });
  await session.detach();
}

/** What the page says of what was found: «150 pairs, 3.69 GB». */
export const summary = (page: Page): Locator => page.locator('.survey-summary');

export const startButton = (page: Page): Locator => page.getByRole('button', { name: 'Start', exact: true });

/** Lines of problems in the table, as shown. */
export async function problemLines(page: Page): Promise<string[]> {
  await page.getByRole('button', { name: 'Problems', exact: true }).click();
  return page.locator('.rows tr.problem').allTextContents();
}

/** Ends when so many files are in the run-wide average. */
export const shownFiles = (page: Page, files: number): Promise<void> =>
  page.locator('.strip .files b', { hasText: new RegExp(`^${files}$`) }).waitFor();
