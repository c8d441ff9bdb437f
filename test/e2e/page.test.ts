/** The page in a real Chromium: viewer and processor show the same, hand over, and work while hidden. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { startPlainChromium } from '../browser/plain-chromium.ts';
import { newChain, produceWords, serveChain } from './chain.ts';
import { until } from './haloscope.ts';
import { keptBridge, keptChromium, keptCommand, keptFolder, keptReader } from './kept.ts';
import { problemsOf } from './results.ts';
import { expectedOf, NOMINAL_SLICES, recordMany, writePairs } from './samples.ts';

const SHOWN_TIMEOUT_MS = 30_000;

/** Waits until the page's status strip has this many files. */
const showsFiles = (page: Page, files: number): Promise<true> =>
  until(
    `the page shows ${files} files`,
    async () => ((await page.locator('.strip .files b').textContent()) === String(files) ? true : undefined),
    SHOWN_TIMEOUT_MS,
  );

const legend = (page: Page, trace: 'run' | 'latest' | 'progress'): Promise<string | null> =>
  page.locator(`.legend-entry.${trace} .legend-exposure`).textContent();

/** What is drawn, pixel by pixel. */
const plotOf = (page: Page): Promise<string> =>
  page.locator('.spectrum .uplot canvas').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

async function downloadCsv(page: Page): Promise<{ name: string; text: string }> {
  const started = page.waitForEvent('download');
  await page.keyboard.press('d');
  const download = await started;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

test('a viewer without a token sees what the processor sees, to the pixel', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(1, 3, 200);
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')['4.4.0']);
  const bridge = await serveChain(chain, '--processor', 'none');
  const browser = await keptChromium();
  const processor = (await openPage(browser, bridge.page())).page;
  await bridge.processor();
  const viewer = (await openPage(browser, bridge.url)).page;
  const { clients } = await bridge.until('both are there', (state) => state.clients.length === 2);
  expect(clients.map(({ role }) => role).toSorted()).toEqual(['processor', 'viewer']);

  await keptCommand(...produceWords(chain, folder, 'shown'), '--pace', 'max').finished();
  await Promise.all([showsFiles(processor, 3), showsFiles(viewer, 3)]);

  for (const trace of ['run', 'latest'] as const) {
    expect(await legend(viewer, trace)).toBe(await legend(processor, trace));
  }
  expect(await legend(viewer, 'run')).toContain('n 600');
  await until(
    'both plots are the same',
    async () => ((await plotOf(viewer)) === (await plotOf(processor)) ? true : undefined),
    SHOWN_TIMEOUT_MS,
  );
  const csv = await downloadCsv(viewer);
  expect(csv).toEqual(await downloadCsv(processor));
  expect(csv.name).toBe('haloscope_shown_n600.csv');
  const [head, ...rows] = csv.text.trimEnd().split('\n');
  expect(head).toBe('freq_Hz,power,std,count');
  expect(rows).toHaveLength(3072);
  expect(rows[0]).toMatch(/^10352000000,[0-9.e-]+,[0-9.e-]+,600$/);
});

test('a page opened late, after everything was published, shows it all', async () => {
  const folder = await keptFolder();
  await writePairs(folder, recordMany(1, 2, 100));
  const data = await keptFolder();
  const bridge = await keptBridge(
    '--folder',
    folder,
    '--data',
    data,
    '--run',
    'late',
    '--processor',
    'always',
  );
  await bridge.until('both files are done', ({ run }) => run.filesDone === 2);
  const { page, errors } = await openPage(await keptChromium(), bridge.url);
  await showsFiles(page, 2);
  expect(await legend(page, 'run')).toContain('n 200');
  expect(errors).toEqual([]);
});

test('the processor goes in the middle of a file and another page takes over; nothing is lost', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(1, 6, 600);
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')['3.4.0']);
  const bridge = await serveChain(chain, '--processor', 'none');
  const reader = await keptReader(chain.brokers, chain.topicOut);
  const browser = await keptChromium();
  const first = (await openPage(browser, bridge.page())).page;
  const { id } = await bridge.processor();
  await openPage(browser, bridge.page());
  await bridge.until('the second page is there', ({ clients }) => clients.length === 2);
  const producer = keptCommand(...produceWords(chain, folder, 'handover'), '--pace', '1');
  await bridge.until(
    'the first page works, and a file is in progress',
    ({ run, current, clients }) =>
      run.filesDone >= 1 && current !== null && clients.some((each) => each.id === id && each.blocksDone > 0),
  );
  await first.close({ runBeforeUnload: false });

  const after = await bridge.until('the second page works alone', ({ clients }) =>
    clients.every((each) => each.id !== id && each.blocksDone > 0),
  );
  expect(after.clients).toHaveLength(1);
  expect((await producer.finished()).status).toBe(0);
  const results = await reader.first(recordings.length);
  expect(problemsOf(results, recordings.map(expectedOf), 'handover')).toEqual([]);
});

test('a headless processor works until a browser comes, and again when it has gone', async () => {
  const bridge = await keptBridge('--data', await keptFolder());
  const isHeadless = (want: boolean) => (state: Awaited<ReturnType<typeof bridge.state>>) =>
    state.clients.some(({ role, headless }) => role === 'processor' && headless === want);
  await bridge.until('a headless processor works', isHeadless(true));
  const browser = await keptChromium();
  const { page } = await openPage(browser, bridge.url);
  await bridge.until('the browser is processor', isHeadless(false));
  const { run } = await bridge.state();
  await bridge.until('a file is done by the browser', (state) => state.run.filesDone > run.filesDone);
  await page.close();
  await bridge.until('a headless processor works again', isHeadless(true));
  const { run: later } = await bridge.state();
  const last = await bridge.until('a file more', (state) => state.run.filesDone > later.filesDone);
  expect(last.run.slicesDone).toBe(last.run.filesDone * NOMINAL_SLICES);
});

/** Every n that the legend showed for the file in progress while one file of nominal length came in real time. */
async function growth(page: Page): Promise<number[]> {
  await page.evaluate(() => {
    const seen: string[] = [];
    const entry = document.querySelector('.legend-entry.progress');
    if (entry === null) throw new Error('no legend entry for the file in progress');
    new MutationObserver(() => seen.push(entry.textContent)).observe(entry, {
      characterData: true,
      childList: true,
      subtree: true,
    });
    Object.assign(window, { seen });
  });
  const texts = await until(
    'the file in progress has grown through two files',
    async () => {
      const all = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
      return new Set(all.map(fileOf)).size >= 3 ? all : undefined;
    },
    SHOWN_TIMEOUT_MS,
  );
  const files = [...new Set(texts.map(fileOf))];
  return files.slice(1, -1).map((file) => new Set(texts.filter((text) => fileOf(text) === file)).size);
}

const fileOf = (text: string): string => /in progress (\d+)/.exec(text)?.[1] ?? '';

test('the file in progress is updated at least four times', async () => {
  const bridge = await keptBridge('--data', await keptFolder(), '--processor', 'none');
  const { page } = await openPage(await keptChromium(), bridge.url);
  await bridge.until('the first file is done', ({ run }) => run.filesDone >= 1);
  const updates = await growth(page);
  expect(updates.length).toBeGreaterThan(0);
  for (const count of updates) expect(count).toBeGreaterThanOrEqual(4);
});

test('a hidden tab keeps processing', async () => {
  const bridge = await keptBridge('--data', await keptFolder(), '--processor', 'none');
  const chromium = await startPlainChromium(bridge.page(), true);
  onTestFinished(() => chromium.stop());
  await bridge.processor();
  expect(await chromium.coverTab()).toBe('hidden');
  const { run } = await bridge.state();
  const after = await bridge.until(
    'three more files',
    (state) => state.run.filesDone >= run.filesDone + 3,
    SHOWN_TIMEOUT_MS,
  );
  expect(after.run.slicesDone).toBe(after.run.filesDone * NOMINAL_SLICES);
  expect(after.clients[0]).toMatchObject({ role: 'processor', headless: false });
});
