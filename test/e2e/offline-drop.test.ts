/** Real files, dropped into the offline page in a real Chromium. */
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { keptChromium, keptFolder } from './kept.ts';
import { drop, keptStatic, problemLines, shownFiles, startButton, summary } from './offline-page.ts';
import { recordMany, writePairs } from './samples.ts';

const SLICES = 3;

async function openOffline(): Promise<{ page: Page; errors: string[] }> {
  const { url } = await keptStatic();
  return openPage(await keptChromium(), `${url}offline.html`);
}

test('a folder of more than 100 entries: good pairs are measured, everything else is named', async () => {
  const folder = join(await keptFolder(), 'run404');
  const inner = join(folder, 'night', 'late');
  await mkdir(inner, { recursive: true });
  await writePairs(folder, recordMany(1, 60, SLICES));
  await writePairs(inner, recordMany(61, 5, SLICES));
  await truncate(join(inner, 'duck_q_00061.dat'), 4 * 3072 + 2);
  await truncate(join(inner, 'duck_i_00062.dat'), 0);
  await truncate(join(inner, 'duck_i_00063.dat'), 4 * 3072);
  await writeFile(join(inner, 'duck_i_00070.dat'), 'no other half');
  await writeFile(join(inner, 'duck_q_71.dat'), 'no five digits');
  await writeFile(join(inner, 'notes.txt'), 'no recording');
  const { page, errors } = await openOffline();
  await page.locator('.promise', { hasText: 'Files never leave this computer' }).waitFor();
  await drop(page, folder);
  await summary(page).getByText('62 pairs, 4.57 MB').waitFor();
  await summary(page).getByText('5 problems · 1 other file passed over').waitFor();
  expect(await problemLines(page)).toEqual([
    expect.stringMatching(/night\/late\/duck_i_00062\.dat\s*empty: the file is empty/),
    expect.stringMatching(/duck_i_00063\.dat\s*truncated: 12288 bytes, but duck_q_00063\.dat has 36864/),
    expect.stringMatching(/duck_i_00070\.dat\s*orphan: duck_q_00070\.dat is not there/),
    expect.stringMatching(/duck_q_00061\.dat\s*truncated: 12290 bytes end in the middle of a sample/),
    expect.stringMatching(/duck_q_71\.dat\s*misnamed: expected a number of five digits/),
  ]);
  // One is left out by hand.
  await page.getByRole('button', { name: 'Recordings', exact: true }).click();
  await page.getByRole('checkbox', { name: /duck_\{i,q\}_00002/ }).uncheck();
  await summary(page).getByText('61 pairs').waitFor();
  await startButton(page).click();
  await shownFiles(page, 61);
  expect(await page.locator('.legend-entry.run').textContent()).toContain(`n ${61 * SLICES} `);
  expect(errors).toEqual([]);
});
