/** Scrolling back through the run: stored files in the place of the live spectra, said so, by key, click and link. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decimate, encodeHistory, encodeRow, joinRows } from '../../bridge/protocol/history.ts';
import { startChromium } from '../browser/chromium.ts';
import { eventually, liveness, openScreen, pixels, pointOf, query } from './screen-page.ts';
import { stageBridge } from './staged-bridge.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

const FILE_MS = 4194;
const SLICES = 2731;
const FILES = 32;
const FILES_PER_ROW = 4;
const BINS = 3072;
const LIVE_FILE = 40;
/** Ends before the live file begins. */
const sinceMs = Date.now() - 60_000 - FILES * FILE_MS;

/** A floor, and in every file a line of one bin of its own. */
const storedFile = (file: number) => ({
  firstFile: file,
  files: 1,
  slices: SLICES,
  startUtcMs: sinceMs + (file - 1) * FILE_MS,
  endUtcMs: sinceMs + file * FILE_MS,
  power: 0.01,
  ...decimate(new Float64Array(BINS).fill(5e-9).fill(3e-8, 90 * file, 90 * file + 1)),
});

/** As the bridge answers: single files where a few are asked for, otherwise rows of four. */
function history(from: number, to: number): Uint8Array<ArrayBuffer> {
  const files = Array.from({ length: FILES }, (_, k) => storedFile(k + 1));
  const asked = files.filter(({ firstFile }) => firstFile >= from && firstFile <= to);
  if (asked.length <= FILES_PER_ROW) return encodeHistory(1024, 1, asked.map(encodeRow));
  const rows = Array.from({ length: FILES / FILES_PER_ROW }, (_, k) =>
    joinRows(files.slice(FILES_PER_ROW * k, FILES_PER_ROW * (k + 1))),
  );
  return encodeHistory(1024, FILES_PER_ROW, rows.map(encodeRow));
}

async function openRun() {
  const bridge = await stageBridge({ history: { query: (_, { from, to }) => history(from, to) } });
  bridge.publish(LIVE_FILE);
  const page = await openScreen(browser, bridge.url);
  await liveness(page, 'live');
  await eventually(
    () => page.locator('.waterfall .caption').textContent(),
    (text) => (text ?? '').includes(`${FILES + 1} files`),
  );
  return { bridge, page };
}

/** What the note says; empty where the page is live. */
const note = async (page: Page): Promise<string> => {
  const text = await page.locator('.stored-note').allTextContents();
  return text.join('').replaceAll('\u202f', ' ');
};

const shown = (page: Page, words: string): Promise<string> =>
  eventually(
    () => note(page),
    (text) => text.includes(words),
  );

test('page by page through the stored files, each with its own time and n, and back to live', async () => {
  const { bridge, page } = await openRun();
  const live = await pixels(page);
  await page.keyboard.press('PageUp');
  await shown(page, `file ${LIVE_FILE} `);
  // The row before is one of four files; they are fetched, and the one in the middle is shown.
  await page.keyboard.press('PageUp');
  const text = await shown(page, 'file 30 ');
  expect(text).toContain('Stored, not live');
  expect(text).toContain('n 2 731 · mean and largest of 3 bins');
  expect(text).toContain(new Date(sinceMs + 29 * FILE_MS).toISOString().slice(11, 19));
  expect(((await page.locator('.conditions').textContent()) ?? '').replaceAll('\u202f', ' ')).toContain(
    'n 2 731',
  );
  await page.keyboard.press('PageUp');
  await shown(page, 'file 29 ');
  await page.keyboard.press('PageDown');
  await page.getByLabel('The stored row after it').click();
  await shown(page, 'file 31 ');

  const stored = await eventually(
    () => pixels(page),
    (picture) => picture !== live,
  );
  bridge.publish(LIVE_FILE + 1);
  bridge.source.staged = { ...bridge.source.staged, run: { ...bridge.source.staged.run, filesDone: 77 } };
  await page.locator('.strip .files', { hasText: '77 files' }).waitFor();
  expect(await pixels(page)).toBe(stored);
  await page.getByRole('button', { name: 'LIVE' }).click();
  await eventually(
    () => note(page),
    (now) => now === '',
  );
  await eventually(
    () => page.locator('.legend-entry.latest').textContent(),
    (latest) => (latest ?? '').includes(`file ${LIVE_FILE + 1}`),
  );
  await eventually(
    () => query(page, 'at'),
    (at) => at === null,
  );
});

test('a click into the waterfall chooses a time, and a link shows the same file', async () => {
  const { page } = await openRun();
  // The stored files begin at the bottom.
  const at = await pointOf(page, 0.5, 0.97, 'waterfall');
  await page.mouse.move(at.x, at.y);
  await page.mouse.click(at.x, at.y);
  await shown(page, 'file ');
  const settled = await eventually(
    async () => [await note(page), query(page, 'at')] as const,
    ([text, time]) => /file \d+ /.test(text) && time !== null,
  );
  const friend = await openScreen(browser, page.url());
  await eventually(
    () => note(friend),
    (text) => text === settled[0],
  );
  const pictures = await eventually(
    async () => [await pixels(page), await pixels(friend)],
    ([own, other]) => own === other,
  );
  expect(pictures[0]).toBe(pictures[1]);
});

/** Files in what is held, as the page's database has it. */
const keptFiles = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open('haloscope-holds');
        opening.addEventListener('error', () => reject(new Error('no database')));
        opening.addEventListener('success', () => {
          const asked = opening.result.transaction('held').objectStore('held').get('newest');
          asked.addEventListener('success', () => {
            opening.result.close();
            resolve((asked.result as { files: number } | undefined)?.files ?? 0);
          });
        });
      }),
  );

test('holds outlive a reload, with their «since»', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await openScreen(browser, `${bridge.url}?traces=run,peak`);
  await page.locator('.held', { hasText: '1 file since' }).waitFor();
  bridge.publish(4);
  const held = page.locator('.held', { hasText: '2 files since' });
  await held.waitFor();
  const before = await held.textContent();
  await eventually(
    () => keptFiles(page),
    (files) => files === 2,
  );
  await page.reload();
  await held.waitFor();
  expect(await held.textContent()).toBe(before);
  await page.keyboard.press('h');
  await page.locator('.held', { hasText: 'nothing held yet' }).waitFor();
  await eventually(
    () => keptFiles(page),
    (files) => files === 0,
  );
});
