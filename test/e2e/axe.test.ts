/** axe in both themes: every panel and drawer, the wall display, the offline page in each of its states. */
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objections } from '../browser/axe.ts';
import { startChromium } from '../browser/chromium.ts';
import { TOKEN } from '../server/harness.ts';
import { keptFolder } from './kept.ts';
import { drop, keptStatic, shownFiles, startButton, summary } from './offline-page.ts';
import { recordMany, writePairs } from './samples.ts';
import { liveness, openScreen } from './screen-page.ts';
import { stageBridge } from './staged-bridge.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

/** In both themes, the page being one that follows the system. */
async function expectNone(page: Page, where: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    expect({ where, colorScheme, found: await objections(page) }).toEqual({ where, colorScheme, found: [] });
  }
}

test('every panel and drawer', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await openScreen(
    browser,
    `${bridge.url}?panels=spectrum,excess,kurtosis,waterfall,power&theme=system#token=${TOKEN}`,
  );
  await liveness(page, 'live');
  await page.locator('.flagged-line').first().waitFor();
  await page.keyboard.press('r');
  await expectNone(page, 'panels');
  for (const key of ['v', 'x', 'q', 'i', 'j', 'e', '?']) {
    await page.keyboard.press(key);
    await page.locator('.drawer h2').first().waitFor();
    await expectNone(page, `drawer ${key}`);
    await page.keyboard.press(key);
  }
  await page.keyboard.press('j');
  await page.getByRole('button', { name: 'Reset the average…' }).click();
  await page.getByRole('alertdialog').waitFor();
  await expectNone(page, 'reset of the average');
  await page.keyboard.press('Escape');
  await page.keyboard.press('p');
  await expectNone(page, 'paused');
});

test('the wall display', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await openScreen(browser, `${bridge.url}?kiosk&theme=system`);
  await liveness(page, 'live');
  await expectNone(page, 'kiosk');
  await bridge.server.close();
  await page.locator('.app[data-chain="disconnected"]').waitFor();
  await expectNone(page, 'kiosk without a bridge');
});

test('the offline page: start, table, results, files', async () => {
  const folder = join(await keptFolder(), 'run404');
  await mkdir(folder);
  await writePairs(folder, recordMany(1, 3, 3));
  await writeFile(join(folder, 'duck_i_00070.dat'), 'no other half');
  const { url } = await keptStatic();
  const page = await openScreen(browser, `${url}offline.html?theme=system`);
  await page.locator('.promise').waitFor();
  await expectNone(page, 'start');
  await drop(page, folder);
  await summary(page).getByText('3 pairs').waitFor();
  await expectNone(page, 'table');
  await startButton(page).click();
  await shownFiles(page, 3);
  await expectNone(page, 'results');
  await page.keyboard.press('i');
  await page.locator('.drawer .measured').waitFor();
  await expectNone(page, 'files');
});
