/** The offline page before the drop, with what was dropped, and with results. */
import { mkdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePair } from '../../bridge/files/writer.ts';
import { PairGenerator } from '../../bridge/simulator/generator.ts';
import { defaultSignal } from '../../bridge/simulator/signal.ts';
import { keptFolder } from '../e2e/kept.ts';
import { drop, keptStatic, shownFiles, startButton, summary } from '../e2e/offline-page.ts';
import { openStill, startCamera } from './camera.ts';
import { NOW_MS } from './night.ts';
import { differing, SMALL, USUAL } from './show.ts';

const FILES = 24;
const SAMPLES = 40 * 3072;
/** Told to the page, so that few samples last long enough to be seen in time. */
const SAMPLE_RATE_HZ = 2e5;
/** Speed, expected time and engine are this machine's; since when a line is known depends on when it was looked for. */
const OWN = '.survey-summary p, .offline-rate, .offline-left, .cell.engine, .flagged-line .detail';

let browser: Browser;
beforeAll(async () => {
  browser = await startCamera();
});
afterAll(() => browser.close());

/** Pairs of the simulated DAQ, and each kind of file that cannot be used. */
async function writeRun(): Promise<string> {
  const folder = join(await keptFolder(), 'run404');
  await mkdir(folder);
  const signal = defaultSignal(404);
  const fileMs = (1000 * SAMPLES) / SAMPLE_RATE_HZ;
  const at = (file: number): number => NOW_MS - (FILES - file) * fileMs;
  for (let file = 0; file < FILES; file++)
    await writePair(folder, file, new PairGenerator(signal, file, SAMPLES), at(file));
  for (const name of ['duck_i_00030.dat', 'duck_q_31.dat', 'notes.txt'])
    await writeFile(join(folder, name), 'no recording');
  await truncate(join(folder, 'duck_q_00022.dat'), 8 * 3072);
  await truncate(join(folder, 'duck_i_00023.dat'), 0);
  const touched = new Date(NOW_MS);
  for (const name of ['duck_q_00022.dat', 'duck_i_00023.dat'])
    await utimes(join(folder, name), touched, touched);
  return folder;
}

test('before the drop, the table, and the results', async () => {
  const folder = await writeRun();
  const { url } = await keptStatic();
  const page = await openStill(browser, `${url}offline.html?theme=system`);
  await page.locator('[data-installation="ready"]').waitFor();
  const wrong = await differing({ name: 'offline-start', page, hidden: OWN });
  await drop(page, folder);
  await summary(page)
    .getByText(`${FILES - 2} pairs`)
    .waitFor();
  wrong.push(...(await differing({ name: 'offline-table', page, hidden: OWN, sizes: [SMALL, USUAL] })));
  await page.getByLabel('Sample rate').fill(String(SAMPLE_RATE_HZ));
  await page.getByText('65.104').waitFor();
  await startButton(page).click();
  await shownFiles(page, FILES - 2);
  await page.locator('.flagged-line').first().waitFor();
  wrong.push(...(await differing({ name: 'offline-results', page, hidden: OWN, sizes: [SMALL, USUAL] })));
  await page.keyboard.press('i');
  await page.locator('.drawer .measured').waitFor();
  wrong.push(...(await differing({ name: 'offline-files', page, sizes: [SMALL], part: '.drawer' })));
  expect(wrong).toEqual([]);
});
