/** Real files, dropped into the offline page in a real Chromium. */
import { appendFile, chmod, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import axe from 'axe-core';
import { openPage, startOrdinaryChromium } from '../browser/chromium.ts';
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

/** As many bytes as take a second to be read; zeros that take no room on the disk. */
const LONG_BYTES = 4 * 3072 * 30_000;

const pathOf = (folder: string, channel: 'i' | 'q', file: number): string =>
  join(folder, `duck_${channel}_${String(file).padStart(5, '0')}.dat`);

test('files that change or disappear, before their turn and while they are read, are named', async () => {
  const folder = join(await keptFolder(), 'run404');
  await mkdir(folder);
  await writePairs(folder, recordMany(1, 6, SLICES));
  for (const file of [5, 6]) {
    for (const channel of ['i', 'q'] as const) await truncate(pathOf(folder, channel, file), LONG_BYTES);
  }
  const { page, errors } = await openOffline();
  await drop(page, folder);
  await summary(page).getByText('6 pairs').waitFor();
  await page.locator('.start:enabled').waitFor();
  await rm(pathOf(folder, 'q', 3));
  await appendFile(pathOf(folder, 'i', 4), 'more');
  await startButton(page).click();
  await shownFiles(page, 2);
  // Two are read at a time: these two now.
  await page.keyboard.press('i');
  await page.locator('.in-hand', { hasText: '00006' }).waitFor();
  await rm(pathOf(folder, 'q', 5));
  await appendFile(pathOf(folder, 'q', 6), 'more');
  await page.locator('.offline-left', { hasText: 'done' }).waitFor();
  expect(await page.locator('.offline-files .notices li').allTextContents()).toEqual([
    expect.stringMatching(/duck_q_00003\.dat\s*unreadable: is not there any more/),
    expect.stringMatching(/duck_i_00004\.dat\s*changed: has changed since it was dropped/),
    expect.stringMatching(/duck_q_00005\.dat\s*unreadable: is not there any more/),
    expect.stringMatching(/duck_q_00006\.dat\s*changed: has changed since it was dropped/),
  ]);
  expect(await page.locator('.legend-entry.run').textContent()).toContain(`n ${2 * SLICES} `);
  expect(errors).toEqual([]);
});

test('a folder that may not be read is named, and the rest is measured', async () => {
  const kept = await keptFolder();
  await chmod(kept, 0o755);
  const folder = join(kept, 'run404');
  const locked = join(folder, 'locked');
  await mkdir(locked, { recursive: true });
  await writePairs(folder, recordMany(1, 2, SLICES));
  await writePairs(locked, recordMany(3, 2, SLICES));
  await chmod(locked, 0o000);
  onTestFinished(() => chmod(locked, 0o755));
  const context = await startOrdinaryChromium();
  onTestFinished(() => context.close());
  const { url } = await keptStatic();
  const page = await context.newPage();
  await page.goto(`${url}offline.html`);
  await drop(page, folder);
  await summary(page).getByText('2 pairs').waitFor();
  expect(await problemLines(page)).toEqual([
    expect.stringMatching(
      /^run404\/locked\s*unreadable: this computer does not let the browser read the folder/,
    ),
  ]);
  await startButton(page).click();
  await shownFiles(page, 2);
});

interface AxeViolation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

const violationsOf = (page: Page): Promise<readonly AxeViolation[]> =>
  page.evaluate<readonly AxeViolation[]>(
    `${axe.source}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map(({ html }) => ({ html })) })))`,
  );

test('other forms, settings, thousands of lines; by keyboard, and nothing for axe to object to', async () => {
  const folder = join(await keptFolder(), 'mixed');
  await mkdir(folder);
  const samples = new Float32Array(2 * 3072 * SLICES).map((_, k) => Math.sin(k));
  await writeFile(join(folder, 'one.sigmf-data'), samples);
  const meta = {
    global: { 'core:datatype': 'cf32_le', 'core:sample_rate': 1e6, 'core:version': '1.2.0' },
    captures: [{ 'core:sample_start': 0, 'core:frequency': 5e9 }],
  };
  await writeFile(join(folder, 'one.sigmf-meta'), JSON.stringify(meta));
  await writeFile(join(folder, 'two.cs16'), new Int16Array(2 * 3072 * SLICES));
  for (let k = 0; k < 1500; k++) await writeFile(join(folder, `duck_i_${k}.dat`), '');
  const { page, errors } = await openOffline();
  await page.locator('[data-installation]').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await drop(page, folder);
  await summary(page)
    .getByText(/[12] interleaved recordings?, /)
    .waitFor();
  expect(await violationsOf(page)).toEqual([]);
  // What a recording says of itself wins, and the page says so.
  const rate = page.locator('label', { hasText: 'Sample rate' });
  await rate.getByText('the recordings say 1 000 000, which counts').waitFor();
  await page.locator('label', { hasText: 'Window' }).getByRole('combobox').selectOption('flat-top');
  await rate.locator('input').fill('3e6');
  await page.getByText('ENBW 3.770 bins').waitFor();
  expect(await page.locator('.rows tbody tr').count()).toBeLessThan(120);
  await page.locator('.rows').focus();
  await page.keyboard.press('End');
  await page.locator('.rows tr', { hasText: 'one.sigmf-data' }).waitFor();
  // Settings are those of the last visit.
  await page.reload();
  await drop(page, join(folder, 'one.sigmf-meta'), join(folder, 'one.sigmf-data'));
  await summary(page).getByText('1 interleaved recording').waitFor();
  await page.getByText('ENBW 3.770 bins').waitFor();
  expect(await rate.locator('input').inputValue()).toBe('3000000');
  await page.locator('.start:enabled').press('Enter');
  await shownFiles(page, 1);
  expect(errors).toEqual([]);
});
