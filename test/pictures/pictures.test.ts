/**
 * What the page looks like, held against references in `references/` that a person has looked at. A change of looks is
 * accepted by UPDATE_PICTURES=1 and looking at what git says has changed.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, liveness } from '../e2e/screen-page.ts';
import { TOKEN } from '../server/harness.ts';
import { openStill, startCamera } from './camera.ts';
import { compare } from './compare.ts';
import { emptyState, LAST_FILE, NOW_MS, troubledState, wellState } from './night.ts';
import { differing, SMALL, take, TALL, USUAL, WALL } from './show.ts';
import { stageNight } from './stage.ts';

/** Files that come while the page is open: what the holds hold. */
const FILES_HEARD = 12;

let browser: Browser;
beforeAll(async () => {
  browser = await startCamera();
});
afterAll(() => browser.close());

/** A page of the whole hour, with its history and the analysis, that has been open for some files. */
async function openHour(query = ''): Promise<Page> {
  const stage = await stageNight(wellState(), LAST_FILE - FILES_HEARD);
  const page = await openStill(browser, `${stage.url}?role=viewer&theme=system${query}`);
  await liveness(page, 'live');
  for (let file = LAST_FILE - FILES_HEARD + 1; file <= LAST_FILE; file++) {
    stage.tell(file);
    await page.locator('.legend-entry.latest', { hasText: `file ${file}` }).waitFor();
  }
  return page;
}

test('live', async () => {
  const page = await openHour();
  await page.locator('.flagged-line').first().waitFor();
  expect(await differing({ name: 'live', page })).toEqual([]);
});

test('every panel and line at once, with markers and a cursor', async () => {
  const page = await openHour(
    '&panels=spectrum,excess,kurtosis,waterfall,power&traces=run,latest,progress,peak,least' +
      '&scale=db&unit=per-hertz&axis=absolute&waterfall=relative&of=latest&a=1200&b=2944',
  );
  await page.locator('.kurtosis .uplot').waitFor();
  const over = page.locator('.spectrum .u-over');
  // A plot is made anew where the type changes its size.
  const pose = async (): Promise<void> => {
    const box = await eventually(
      () => over.boundingBox(),
      (it) => it !== null,
    );
    if (box !== null) await page.mouse.move(box.x + (box.width * 2250) / 3072, box.y + box.height / 2);
  };
  expect(await differing({ name: 'panels', page, pose, sizes: [SMALL] })).toEqual([]);
  expect(await differing({ name: 'panels', page, pose, sizes: [USUAL], themes: ['light'] })).toEqual([]);
  expect(await differing({ name: 'kurtosis', page, pose, sizes: [WALL], part: '.kurtosis' })).toEqual([]);
});

test('kiosk', async () => {
  const page = await openHour('&kiosk');
  await page.locator('.excess .uplot').waitFor();
  expect(await differing({ name: 'kiosk', page })).toEqual([]);
  await page.clock.setFixedTime(NOW_MS + 95_000);
  await liveness(page, 'stale');
  expect(await differing({ name: 'kiosk-stale', page, sizes: [USUAL], themes: ['dark'] })).toEqual([]);
});

test('paused, and stale', async () => {
  const page = await openHour();
  await page.locator('.flagged-line').first().waitFor();
  await page.keyboard.press('p');
  expect(await differing({ name: 'paused', page, sizes: [SMALL] })).toEqual([]);
  await page.keyboard.press('p');
  await page.clock.setFixedTime(NOW_MS + 95_000);
  await liveness(page, 'stale');
  expect(await differing({ name: 'stale', page, sizes: [SMALL] })).toEqual([]);
});

test('nothing there yet: no bridge, no file', async () => {
  const stage = await stageNight(emptyState());
  const page = await openStill(browser, `${stage.url}?role=viewer&theme=system`);
  await page.locator('.app[data-chain="waiting"]').waitFor();
  expect(await differing({ name: 'waiting', page, sizes: [SMALL, USUAL] })).toEqual([]);
  await stage.close();
  await page.locator('.app[data-chain="disconnected"]').waitFor();
  expect(await differing({ name: 'disconnected', page, sizes: [SMALL] })).toEqual([]);
});

test('the drawers', async () => {
  const { url } = await stageNight(troubledState());
  const page = await openStill(browser, `${url}?role=viewer&theme=system#token=${TOKEN}`);
  await page.locator('.flagged-line').first().waitFor();
  const wrong = await differing({ name: 'broker-away', page, sizes: [SMALL], part: '.spectrum' });
  for (const [key, name] of [
    ['i', 'chain'],
    ['v', 'view'],
    ['x', 'export'],
    ['q', 'table'],
    ['j', 'run'],
    ['?', 'keys'],
  ] as const) {
    await page.keyboard.press(key);
    await page.locator('.drawer h2').first().waitFor();
    wrong.push(...(await differing({ name: `drawer-${name}`, page, sizes: [TALL], part: '.drawer' })));
    await page.keyboard.press('Escape');
  }
  expect(wrong).toEqual([]);
});

test('a label that lies 4 px beside its place is seen', async () => {
  const page = await openHour();
  await page.locator('.flagged-line').first().waitFor();
  const [width, height] = SMALL;
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await take('live-1366-dark', () => page.screenshot())).toBeNull();
  await page
    .locator('.side .pairs dt')
    .nth(1)
    .evaluate((label) => {
      label.style.transform = 'translateX(4px)';
    });
  expect(await compare('live-1366-dark', await page.screenshot())).not.toBeNull();
});
