/** The panels as a person uses them: one frequency axis, markers, pause, holds, reference, flagged lines, exports. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decimate, encodeHistory, encodeRow } from '../../bridge/protocol/history.ts';
import { startChromium } from '../browser/chromium.ts';
import { eventually, liveness, openScreen, pixels, pointOf, query } from './screen-page.ts';
import { keepPublishing, stageBridge, TONE_BIN, WEB_FOLDER } from './staged-bridge.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

/** A page with three files in it, and its analysis. */
async function openWithData(address = '') {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await openScreen(browser, `${bridge.url}${address}`);
  await liveness(page, 'live');
  await page.locator('.flagged-line').first().waitFor();
  return { bridge, page };
}

const textOf = async (page: Page, selector: string): Promise<string> =>
  ((await page.locator(selector).first().textContent()) ?? '').replaceAll('\u202f', ' ');

/** The cursor on the tone, in a panel. */
async function hoverTone(page: Page, panel = 'spectrum', down = 0.5): Promise<void> {
  const at = await pointOf(page, TONE_BIN / 3072, down, panel);
  await page.mouse.move(at.x, at.y);
}

test('panels over frequency have the same columns, one zoom and one cursor', async () => {
  const { page } = await openWithData('?panels=spectrum,excess,kurtosis,waterfall');
  const columns = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('.stack .u-over')].map((over) => {
        const { left, width } = over.getBoundingClientRect();
        return { left, width };
      }),
    );
  const [first, ...others] = await eventually(columns, (all) => all.length === 4);
  for (const other of others) expect(other).toEqual(first);

  const from = await pointOf(page, 0.25, 0.5, 'excess');
  const to = await pointOf(page, 0.75, 0.5, 'excess');
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
  const zoom = await eventually(
    () => query(page, 'x'),
    (x) => x !== null,
  );
  const [min = 0, max = 0] = (zoom ?? '').split('..').map(Number);
  expect(min).toBeCloseTo(-500_000, -4);
  expect(max).toBeCloseTo(500_000, -4);

  const at = await pointOf(page, 0.5, 0.5, 'waterfall');
  await page.mouse.move(at.x, at.y);
  // Bins there are half a pixel wide: the line lies on the centre of one.
  const line = await eventually(
    () => page.locator('.frequency-line.cursor').boundingBox(),
    (box) => box !== null && Math.abs(box.x - at.x) < 2,
  );
  const stack = await page.locator('.stack').boundingBox();
  expect(line?.height).toBeGreaterThan((stack?.height ?? 0) - 80);
});

test('what lies under the cursor of one panel is read out from all', async () => {
  const { page } = await openWithData();
  await hoverTone(page, 'excess');
  await eventually(
    () => textOf(page, '.side'),
    (text) => text.includes('2 500'),
  );
  const side = await textOf(page, '.side');
  expect(side).toContain('+627.604 kHz');
  // δ = 3 over √8193 slices, less what the floor's wave does to the baseline; s = m makes SK (n + 1)/n.
  const z = Number(/z\+(\d+\.\d\d)/.exec(side)?.[1]);
  expect(z).toBeGreaterThan(265);
  expect(z).toBeLessThan(278);
  expect(side).toContain('kurtosis1.000');
  // One file lies in the topmost fifth.
  await hoverTone(page, 'waterfall', 0.05);
  await eventually(
    () => textOf(page, '.waterfall .hover'),
    (text) => text.includes('file 3 · n 2 731 · 20.000·10⁻⁹'),
  );
});

test('markers are set where the cursor is, their difference is read, and a link has them', async () => {
  const { page } = await openWithData();
  await hoverTone(page);
  await page.keyboard.press('b');
  await eventually(
    () => query(page, 'b'),
    (b) => b === String(TONE_BIN),
  );
  await page.getByLabel('A, bin').fill('1000');
  await page.getByLabel('A, bin').press('Enter');
  await page.locator('.delta-frequency').waitFor();
  expect(await textOf(page, '.delta-frequency')).toBe('+976.563 kHz, +1 500');
  // 20e-9 at the tone, 5e-9 within 2 % at A; errors m/√8193.
  expect(await textOf(page, '.delta-power')).toMatch(/^\((14|15)\.\d\d ± 0\.2\d\)·10⁻⁹$/);
  await eventually(
    () => query(page, 'a'),
    (a) => a === '1000',
  );
  const friend = await openScreen(browser, page.url());
  await liveness(friend, 'live');
  await friend.locator('.delta-frequency').waitFor();
  expect(await textOf(friend, '.delta-frequency')).toBe(await textOf(page, '.delta-frequency'));
  await page.keyboard.press('Escape');
  await page.keyboard.press('c');
  await eventually(
    () => page.locator('.frequency-line.a, .frequency-line.b').count(),
    (n) => n === 0,
  );
});

test('a pause freezes the picture, averaging goes on, LIVE catches up', async () => {
  const { bridge, page } = await openWithData();
  await page.getByRole('button', { name: 'Pause' }).click();
  const exposure = () => textOf(page, '.legend-entry.run .legend-exposure');
  const before = await exposure();
  const picture = await pixels(page, 'spectrum');
  for (let file = 4; file <= 9; file++) bridge.publish(file);
  bridge.source.staged = { ...bridge.source.staged, run: { ...bridge.source.staged.run, filesDone: 9 } };
  await page.locator('.strip .files', { hasText: '9 files' }).waitFor();
  expect(await exposure()).toBe(before);
  expect(await pixels(page, 'spectrum')).toBe(picture);
  expect(await textOf(page, '.pause-since')).toMatch(/^‹paused \d\d:\d\d:\d\d UTC›$/);
  expect(await page.locator('.app').getAttribute('data-liveness')).toBe('live');
  await page.getByRole('button', { name: 'LIVE' }).click();
  await eventually(exposure, (now) => now.includes('24 579'));
  await eventually(
    () => pixels(page, 'spectrum'),
    (now) => now !== picture,
  );
});

test('holds say since when, and begin anew', async () => {
  const { bridge, page } = await openWithData();
  const peak = page.getByRole('button', { name: 'peak hold' });
  await page.keyboard.press('4');
  expect(await peak.getAttribute('aria-pressed')).toBe('true');
  bridge.publish(4);
  await eventually(
    () => textOf(page, '.held'),
    (text) => /^2 files since \d\d:\d\d:\d\d UTC$/.test(text),
  );
  await page.getByRole('button', { name: 'Reset the holds' }).click();
  await eventually(
    () => textOf(page, '.held'),
    (text) => text.startsWith('nothing held yet'),
  );
  bridge.publish(5);
  await eventually(
    () => textOf(page, '.held'),
    (text) => text.startsWith('1 file since'),
  );
});

test('against a frozen reference the run is 1 everywhere, and the difference nothing', async () => {
  const { page } = await openWithData('?traces=run');
  await page.keyboard.press('r');
  const mode = page.getByLabel('Spectrum and reference');
  await mode.selectOption('ratio to it');
  await hoverTone(page);
  await eventually(
    () => textOf(page, '.read-out'),
    (text) => text.includes('(1.000 ±'),
  );
  expect(await textOf(page, '.conditions')).toContain('ratio');
  await mode.selectOption('difference to it');
  await eventually(
    () => textOf(page, '.read-out'),
    (text) => text.includes('(0.000 ±'),
  );
});

test('a reference is loaded from a CSV, and one that does not fit is refused in words', async () => {
  const { page } = await openWithData('?traces=run');
  const lines = (floor: number, loHz: number): string =>
    Array.from({ length: 3072 }, (_, k) => `${loHz + ((k - 1536) * 2e6) / 3072},${floor}\n`).join('');
  const load = (name: string, csv: string) =>
    page
      .getByLabel('Reference as CSV')
      .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(`freq_Hz,power\n${csv}`) });
  await load('floor.csv', lines(5e-9, 10.353e9));
  await page.getByLabel('Spectrum and reference').selectOption('ratio to it');
  await hoverTone(page);
  await eventually(
    () => textOf(page, '.read-out'),
    (text) => text.includes('(4.000 ±'),
  );
  await load('other.csv', lines(5e-9, 10.4e9));
  await eventually(
    () => textOf(page, '.message'),
    (text) => text.includes('other.csv') && text.includes('another LO, rate or number of bins'),
  );
  expect(await textOf(page, '.reference-name')).toBe('floor.csv');
});

test('flagged lines are listed with their image, and a click shows one', async () => {
  const { page } = await openWithData();
  expect(await page.locator('.flagged-line').count()).toBe(1);
  const text = await textOf(page, '.flagged-line');
  expect(text).toContain('+627.604 kHz');
  expect(text).toContain('image in bin 572');
  await page.locator('.flagged-line').click();
  const zoom = await eventually(
    () => query(page, 'x'),
    (x) => x !== null,
  );
  const [min = 0, max = 0] = (zoom ?? '').split('..').map(Number);
  expect((min + max) / 2).toBeCloseTo(627_604, -1);
  expect(max - min).toBeLessThan(100_000);
});

test('panels are closed, opened and resized, and the address knows', async () => {
  const { page } = await openWithData();
  await page.getByRole('button', { name: 'Close the panel: waterfall of files' }).click();
  await eventually(
    () => query(page, 'panels'),
    (panels) => panels === 'spectrum:5,excess:3,power:2.4',
  );
  await page.keyboard.press('k');
  await page.locator('.panel.kurtosis canvas').waitFor();
  const border = page.getByRole('separator', { name: /^Height of spectrum/ });
  const before = await page.locator('.panel.spectrum').boundingBox();
  await border.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await eventually(
    () => page.locator('.panel.spectrum').boundingBox(),
    (box) => (box?.height ?? 0) < (before?.height ?? 0) - 20,
  );
  const handle = await border.boundingBox();
  await page.mouse.move((handle?.x ?? 0) + 100, (handle?.y ?? 0) + 3);
  await page.mouse.down();
  await page.mouse.move((handle?.x ?? 0) + 100, (handle?.y ?? 0) + 83, { steps: 4 });
  await page.mouse.up();
  await eventually(
    () => border.boundingBox(),
    (box) => Math.abs((box?.y ?? 0) - (handle?.y ?? 0) - 80) < 3,
  );
  const panels = await eventually(
    () => query(page, 'panels'),
    (now) => now?.includes('kurtosis') === true && !now.startsWith('spectrum:5,'),
  );
  await page.reload();
  await liveness(page, 'live');
  expect(await page.locator('.panel.waterfall').count()).toBe(0);
  expect(query(page, 'panels')).toBe(panels);
});

test('axis, baseline and waterfall are chosen in «View»', async () => {
  const { page } = await openWithData();
  await page.keyboard.press('v');
  const drawer = page.locator('.drawer');
  await drawer.getByLabel('Baseline window, bins').fill('91');
  await drawer.getByLabel('Baseline window, bins').press('Enter');
  await eventually(
    () => textOf(page, '.excess .caption'),
    (text) => text.includes('baseline 91 bins, degree 4: keeps 58 % of an axion'),
  );
  expect(await textOf(page, '.efficiency .chosen')).toBe('9158 %0.980');
  const before = await pixels(page, 'waterfall');
  await drawer.getByLabel('Frequency axis').selectOption('bin');
  await drawer.getByLabel(/^Waterfall/).selectOption('power over its mean');
  await eventually(
    () => pixels(page, 'waterfall'),
    (now) => now !== before,
  );
  await eventually(
    () => [query(page, 'axis'), query(page, 'waterfall'), query(page, 'window')],
    ([axis, waterfall, window]) => axis === 'bin' && waterfall === 'relative' && window === '91',
  );
});

test('zoom, markers and holds outlive data that keep coming', async () => {
  const { bridge, page } = await openWithData('?x=500000..700000&a=2400');
  keepPublishing(bridge, 100);
  await page.keyboard.press('4');
  await eventually(
    () => textOf(page, '.held'),
    (text) => Number(/^(\d+) files/.exec(text)?.[1] ?? 0) > 12,
  );
  expect([query(page, 'x'), query(page, 'a')]).toEqual(['500000..700000', '2400']);
  expect(await page.locator('.frequency-line.a').count()).toBe(1);
});

test('the plots are saved as a picture, with title and numbers on it', async () => {
  const { page } = await openWithData();
  await page.keyboard.press('x');
  const started = page.waitForEvent('download');
  await page.getByRole('button', { name: 'PNG' }).click();
  const download = await started;
  expect(download.suggestedFilename()).toMatch(/^haloscope_test_.*Z\.png$/);
  const png = await readFile(await download.path());
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
  // Width and height of the header chunk: the plots, and room for the title.
  const main = await page.locator('main').boundingBox();
  expect(png.readUInt32BE(16)).toBe(Math.round(main?.width ?? 0));
  expect(png.readUInt32BE(20)).toBeGreaterThan((main?.height ?? 0) + 40);
});

test('everything can be reached with the keyboard, and a table says what the plot shows', async () => {
  const { page } = await openWithData();
  await page.keyboard.press('q');
  const table = page.locator('.drawer .stretch');
  await table.waitFor();
  expect(await table.locator('tbody tr').count()).toBe(32);
  expect((await table.textContent())?.replaceAll('\u202f', ' ')).toContain('+627.604 kHz');
  await page.keyboard.press('Escape');
  const reached = new Set<string>();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate(() => {
        const element = document.activeElement;
        return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
      }),
    );
  }
  for (const wanted of ['Export', 'Pause', 'View', 'Freeze', 'Reset the holds'])
    expect({ wanted, reached: reached.has(wanted) }).toEqual({ wanted, reached: true });
});

/** First load of the page, JavaScript, gzipped; the budget. */
const BUDGET_BYTES = 150 * 1000;

test('the first load stays within its budget', () => {
  const assets = join(WEB_FOLDER, 'assets');
  const bytes = readdirSync(assets)
    // The offline page is another one.
    .filter((name) => name.endsWith('.js') && !name.startsWith('offline'))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name)), { level: 9 }).length, 0);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
});

test('the waterfall comes back after a reload, from what the bridge remembers', async () => {
  const newestMs = Date.now() - 1000;
  const fileMs = 4194;
  const row = (file: number) =>
    encodeRow({
      firstFile: file,
      files: 1,
      slices: 2731,
      startUtcMs: newestMs - (51 - file) * fileMs,
      endUtcMs: newestMs - (50 - file) * fileMs,
      power: 0.01,
      ...decimate(new Float64Array(3072).fill(5e-9)),
    });
  const rows = Array.from({ length: 50 }, (_, i) => row(i + 1));
  const bridge = await stageBridge({ history: { query: () => encodeHistory(1024, 1, rows) } });
  bridge.publish(50);
  const page = await openScreen(browser, bridge.url);
  await eventually(
    () => textOf(page, '.waterfall .caption'),
    (text) => text.includes('50 files in 3.5'),
  );
  bridge.publish(51);
  await eventually(
    () => textOf(page, '.waterfall .caption'),
    (text) => text.includes('51 files'),
  );
  const at = await pointOf(page, 0.5, 0.8, 'waterfall');
  await page.mouse.move(at.x, at.y);
  const hover = await eventually(
    () => textOf(page, '.waterfall .hover'),
    (text) => text.includes('file'),
  );
  expect(hover).toMatch(/file 1\d · n 2 731 · 5\.000·10⁻⁹/);
});
