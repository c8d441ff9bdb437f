/** The offline page from any server and without one: kept by the browser, and replaced as a whole. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { filesOfOfflinePage } from '../../scripts/precache.mjs';
import { openPage } from '../browser/chromium.ts';
import { keptBridge, keptChromium, keptFolder } from './kept.ts';
import { drop, keptStatic, shownFiles, startButton, summary, WEB } from './offline-page.ts';
import { recordMany, writePairs } from './samples.ts';

const isKept = (page: Page): Promise<void> => page.locator('[data-installation="ready"]').waitFor();

test('after one visit it opens and measures without its server, below any path', async () => {
  const folder = await keptFolder();
  await writePairs(folder, recordMany(1, 2, 3));
  const server = await keptStatic();
  const context = await (await keptChromium()).newContext();
  const first = await context.newPage();
  // The folder of a server that is no bridge leads to the offline page.
  await first.goto(server.url);
  await first.waitForURL(`${server.url}offline.html`);
  await isKept(first);
  await first.close();
  await server.stop();

  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${server.url}offline.html?fit=floor`);
  await drop(page, folder);
  await summary(page).getByText('2 pairs').waitFor();
  await startButton(page).click();
  await shownFiles(page, 2);
  expect(await page.locator('.strip').textContent()).toMatch(/WebAssembly SIMD, \d+ worker/);
  expect(errors).toEqual([]);
});

/** The next build: the same, with another title. */
async function nextBuild(folder: string, title: string): Promise<void> {
  const page = join(folder, 'offline.html');
  const html = await readFile(page, 'utf8');
  await writeFile(page, html.replace(/<title>.*<\/title>/, `<title>${title}</title>`));
}

/** What a build writes into the service worker. */
async function announceBuild(folder: string, files = filesOfOfflinePage(folder)): Promise<void> {
  const path = join(folder, 'offline-sw.js');
  const list = JSON.stringify({ version: files['offline.html'], files });
  await writeFile(
    path,
    (await readFile(path, 'utf8')).replace(/\{"version":.*?\}\}/, () => list),
  );
}

/** What the page says of itself, which its script does not change. */
const titleOf = (page: Page): Promise<string | undefined> =>
  page.evaluate(async () => {
    const html = await (await fetch('./offline.html')).text();
    return /<title>(.*)<\/title>/.exec(html)?.[1];
  });

/** Lets the browser look for another version; false where there is none that is whole. */
const findsUpdate = (page: Page): Promise<boolean> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    await registration?.update();
    const worker = registration?.installing;
    if (worker == null) return registration?.waiting != null;
    return new Promise<boolean>((resolve) => {
      worker.addEventListener('statechange', () => resolve(worker.state === 'installed'), { once: true });
    });
  });

test('a new version is offered, comes as a whole, and only when somebody wants it', async () => {
  const folder = await keptFolder();
  await cp(WEB, folder, { recursive: true });
  const { url } = await keptStatic(folder);
  const context = await (await keptChromium()).newContext();
  const page = await context.newPage();
  await page.goto(`${url}offline.html`);
  await isKept(page);
  await page.reload();
  const before = await titleOf(page);

  // Half of it is there: one file is not yet the one that belongs to it.
  await nextBuild(folder, 'next');
  await announceBuild(folder, { ...filesOfOfflinePage(folder), 'favicon.svg': '0'.repeat(64) });
  expect(await findsUpdate(page)).toBe(false);
  await page.reload();
  expect(await titleOf(page)).toBe(before);

  await announceBuild(folder);
  expect(await findsUpdate(page)).toBe(true);
  const notice = page.locator('.update-notice');
  await notice.waitFor();
  expect(await titleOf(page)).toBe(before);
  await Promise.all([page.waitForEvent('load'), notice.getByRole('button', { name: 'Reload' }).click()]);
  expect(await titleOf(page)).toBe('next');
  await isKept(page);
  expect(await notice.count()).toBe(0);
});

test('from a bridge: its policy allows it, and the live page stays outside', async () => {
  const bridge = await keptBridge('--data', await keptFolder(), '--processor', 'none');
  const { page, errors } = await openPage(await keptChromium(), `${bridge.url}offline.html`);
  await isKept(page);
  await page.reload();
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).toBe(
    `${bridge.url}offline-sw.js`,
  );
  await page.goto(bridge.url);
  await page.locator('.strip .files').waitFor();
  expect(page.url()).toBe(bridge.url);
  expect(await page.evaluate(() => navigator.serviceWorker.controller)).toBeNull();
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toContain('/offline.html');
  expect(kept.filter((path) => path === '/' || /\/index(-|\.html)|\/worker-/.test(path))).toEqual([]);
  expect(errors).toEqual([]);
});
