/**
 * Operators: a person begins a run, resets the average, annotates, reloads, restarts the bridge, and sees the same; a
 * viewer beside them sees it too and changes nothing. Real bridge, simulated DAQ, embedded store, real Chromium.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { freePort } from './haloscope.ts';
import { keptBridge, keptChromium, keptFolder } from './kept.ts';
import { openScreen, pointOf } from './screen-page.ts';

/** A file of the simulated DAQ every 0.6 s instead of every 4.2 s. */
const SLICES = '400';
/** Bin 2146 of 3072 is at +397 135 Hz: pixels are wider than bins there, and the cursor takes the strongest. */
const ACROSS = 0.7;
const NOTE = 'tuner moved by hand';
/** A restart, and a machine that has other things to do. */
const PATIENCE = { timeout: 60_000 };

const run = (page: Page) => page.locator('.cell.run');
const notes = (page: Page) => page.locator('.annotation');

async function startBridge(listen: string, data: string) {
  const bridge = await keptBridge('--listen', listen, '--data', data, '--slices-per-file', SLICES);
  await bridge.until('a file is published', ({ run: { filesDone } }) => filesDone > 0);
  return bridge;
}

/** Name of the run, place and text of every annotation, and what was done: what must be the same everywhere. */
const seen = async (page: Page) => ({
  run: await run(page).textContent(),
  annotations: await notes(page).allInnerTexts(),
});

test('a run begun, an average reset and a note are there after a reload and a restart, for everybody', async () => {
  const [listen, data, browser] = [`127.0.0.1:${await freePort()}`, await keptFolder(), await keptChromium()];
  const first = await startBridge(listen, data);
  const page = await openScreen(browser, first.url);
  const viewer = await openScreen(browser, `${first.url}?role=viewer`);
  await page.keyboard.press('j');
  await page.getByLabel('Name of the new run').fill('no spaces');
  expect(await page.getByRole('button', { name: 'Begin' }).isDisabled()).toBe(true);
  await page.getByLabel('Name of the new run').fill('run405');
  await page.getByLabel('Signed by').fill('Maria');
  await page.getByRole('button', { name: 'Begin' }).click();
  await expect.poll(() => run(page).textContent(), PATIENCE).toBe('run405');
  await first.until('it has files', ({ run: { name, filesDone } }) => name === 'run405' && filesDone >= 3);

  await page.getByRole('button', { name: 'Reset the average…' }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  expect((await first.state()).run.resetUtc).toBeNull();
  const before = (await first.state()).run.filesDone;
  await page.getByRole('button', { name: 'Reset the average…' }).click();
  expect(await page.getByRole('alertdialog').innerText()).toContain('Nothing that is published is deleted');
  await page.getByRole('button', { name: 'Reset the average', exact: true }).click();
  const reset = await first.until(
    'it is reset',
    ({ run: { resetUtc } }) => resetUtc !== null,
    PATIENCE.timeout,
  );
  expect(reset.run.filesDone).toBeLessThanOrEqual(before);

  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  const at = await pointOf(page, ACROSS, 0.5);
  await page.mouse.move(at.x, at.y);
  await page.keyboard.press('!');
  await page.getByLabel('Text of the annotation').fill(NOTE);
  await page.getByRole('button', { name: 'Annotate' }).click();
  await expect.poll(() => notes(page).count(), PATIENCE).toBe(1);
  await page.getByLabel('now').check();
  await page.getByLabel('Text of the annotation').fill('helium refilled');
  await page.getByRole('button', { name: 'Annotate' }).click();
  await expect.poll(() => notes(page).count(), PATIENCE).toBe(2);
  expect(await page.locator('.note-text').allTextContents()).toEqual([NOTE]);

  const same = await seen(page);
  expect(same.annotations[1]).toContain(NOTE);
  await expect.poll(() => seen(viewer), PATIENCE).toEqual(same);
  expect(await viewer.getByRole('button', { name: /Remove the annotation/ }).count()).toBe(0);
  await viewer.keyboard.press('j');
  await viewer.getByText('For operators only: a token is needed to change anything').waitFor();
  expect(await viewer.getByLabel('Name of the new run').isDisabled()).toBe(true);

  await page.reload();
  await expect.poll(() => seen(page), PATIENCE).toEqual(same);

  const resetUtc = reset.run.resetUtc;
  await first.stop();
  const second = await startBridge(listen, data);
  await expect.poll(() => seen(page), PATIENCE).toEqual(same);
  await expect.poll(() => seen(viewer), PATIENCE).toEqual(same);
  const state = await second.state();
  expect(state.run).toMatchObject({ name: 'run405', resetUtc });
  expect(state.operations.map(({ who, what }) => `${who}: ${what}`)).toEqual([
    expect.stringMatching(/^Maria: began run run405 with file \d+, after simulated$/),
    expect.stringMatching(/^Maria: reset the average of run405, which held \d+ files?$/),
    `Maria: annotated run405: «${NOTE}»`,
    'Maria: annotated run405: «helium refilled»',
  ]);
  expect(await (await second.get('api/runs/run405/spectrum.json')).json()).toMatchObject({
    run: 'run405',
    average_since_utc: resetUtc,
    annotations: [{ text: NOTE, author: 'Maria' }, { text: 'helium refilled' }],
  });
  // The run before is still there, as it ended.
  expect((await second.get('api/runs/simulated/spectrum.csv')).status).toBe(200);

  await page.getByRole('button', { name: `Remove the annotation: ${NOTE}` }).click();
  await expect.poll(() => notes(viewer).count(), PATIENCE).toBe(1);
});
