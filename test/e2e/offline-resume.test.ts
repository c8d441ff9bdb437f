/** A session of the offline page that is cancelled, or whose page is loaded again in the middle. */
import { mkdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { keptChromium, keptFolder } from './kept.ts';
import { drop, keptStatic, shownFiles, startButton, summary } from './offline-page.ts';
import { recordMany, writePairs } from './samples.ts';

const FILES = 24;
const SLICES = 1000;
/** The rest of each file is zeros that take no room on the disk. */
const LONG_BYTES = 4 * 3072 * SLICES;

/** Long enough that somebody can come in between. */
async function longPairs(): Promise<string> {
  const folder = join(await keptFolder(), 'run404');
  await mkdir(folder);
  await writePairs(folder, recordMany(1, FILES, 3));
  for (let file = 1; file <= FILES; file++) {
    for (const channel of ['i', 'q'])
      await truncate(join(folder, `duck_${channel}_${String(file).padStart(5, '0')}.dat`), LONG_BYTES);
  }
  return folder;
}

/** A visitor with nothing kept. */
async function visit(browser: Browser, url: string, prepare?: () => void): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  if (prepare !== undefined) await page.addInitScript(prepare);
  await page.goto(`${url}offline.html`);
  return page;
}

async function begin(page: Page, folder: string): Promise<void> {
  await drop(page, folder);
  await summary(page).getByText(`${FILES} pairs`).waitFor();
  await startButton(page).click();
}

/** Ends when some files are in the sum, and not yet all of them. */
async function inTheMiddle(page: Page): Promise<void> {
  await page.waitForFunction(() => Number(document.querySelector('.strip .files b')?.textContent) >= 2);
  expect(Number(await page.locator('.strip .files b').textContent())).toBeLessThan(FILES);
}

/** Run-wide average with all digits. */
async function csvOf(page: Page): Promise<string> {
  await shownFiles(page, FILES);
  const started = page.waitForEvent('download');
  await page.keyboard.press('d');
  return readFile(await (await started).path(), 'utf8');
}

/** A browser that shows what is dropped as entries, which do not outlive a reload. */
const withoutHandles = (): void => {
  Reflect.deleteProperty(DataTransferItem.prototype, 'getAsFileSystemHandle');
};

test('cancelled and gone on with, or loaded again in the middle: the same digits as without', async () => {
  const folder = await longPairs();
  const { url } = await keptStatic();
  const browser = await keptChromium();

  const cancelled = await visit(browser, url);
  await begin(cancelled, folder);
  await inTheMiddle(cancelled);
  await cancelled.getByRole('button', { name: 'Cancel', exact: true }).click();
  await cancelled.locator('.offline-left', { hasText: 'stopped' }).waitFor();
  await cancelled.getByRole('button', { name: 'Add', exact: true }).click();
  await summary(cancelled).getByText('measured or waiting already').waitFor();
  await startButton(cancelled).click();
  const whole = await csvOf(cancelled);
  expect(whole.split('\n')[1]).toMatch(new RegExp(`,${FILES * SLICES}$`));
  await cancelled.context().close();

  // Found again by its handles: one click.
  const handled = await visit(browser, url);
  await begin(handled, folder);
  await inTheMiddle(handled);
  await handled.reload();
  await handled.locator('.go-on').click();
  expect(await csvOf(handled)).toBe(whole);
  // What is finished is there again as well, and can be forgotten.
  await handled.reload();
  await handled.locator('.kept-session', { hasText: `${FILES} files` }).waitFor();
  await handled.locator('.start-anew').click();
  await handled.locator('.kept-session').waitFor({ state: 'detached' });
  await handled.reload();
  await handled.locator('[data-installation]').waitFor();
  expect(await handled.locator('.kept-session').count()).toBe(0);
  await handled.context().close();

  // Without handles: dropped once more, each file by itself this time.
  const dropped = await visit(browser, url, withoutHandles);
  await begin(dropped, folder);
  await inTheMiddle(dropped);
  await dropped.reload();
  await dropped.locator('.go-on').click();
  await dropped.locator('.kept-session', { hasText: 'goes on' }).waitFor();
  await drop(dropped, folder);
  await summary(dropped).getByText('measured or waiting already').waitFor();
  await startButton(dropped).click();
  expect(await csvOf(dropped)).toBe(whole);
});
