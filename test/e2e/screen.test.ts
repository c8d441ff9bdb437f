/** What a person does with the page, and what the page says in every state of the chain. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openPage, startChromium } from '../browser/chromium.ts';
import { TOKEN } from '../server/harness.ts';
import {
  eventually,
  liveness,
  openScreen,
  pixels,
  pointOf,
  query,
  SCREEN_TIMEOUT_MS,
} from './screen-page.ts';
import { keepPublishing, stageBridge, TONE_BIN } from './staged-bridge.ts';

const TIMEOUT_MS = SCREEN_TIMEOUT_MS;

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

const open = (url: string, options = {}): Promise<Page> => openScreen(browser, url, options);

const chain = (page: Page, wanted: string) =>
  page.locator(`.app[data-chain="${wanted}"]`).waitFor({ timeout: TIMEOUT_MS });

test('traces are hidden by click and by key, and a link shows the same picture', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await open(bridge.url);
  await liveness(page, 'live');
  const before = await pixels(page);
  const latest = page.getByRole('button', { name: /latest file/ });
  await latest.click();
  expect(await latest.getAttribute('aria-pressed')).toBe('false');
  await page.keyboard.press('3');
  await eventually(
    () => query(page, 'traces'),
    (traces) => traces === 'run',
  );
  await page.keyboard.press('l');
  await eventually(
    () => query(page, 'scale'),
    (scale) => scale === 'db',
  );
  const after = await eventually(
    () => pixels(page),
    (now) => now !== before,
  );

  const friend = await open(page.url());
  await liveness(friend, 'live');
  await eventually(
    () => pixels(friend),
    (now) => now === after,
  );
  await page.keyboard.press('2');
  expect(await latest.getAttribute('aria-pressed')).toBe('true');
});

test('a zoom survives new data; double click shows the whole band again', async () => {
  const bridge = await stageBridge();
  keepPublishing(bridge);
  const page = await open(bridge.url);
  await liveness(page, 'live');
  const from = await pointOf(page, 0.4, 0.5);
  const to = await pointOf(page, 0.6, 0.5);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 5 });
  await page.mouse.up();
  const zoom = await eventually(
    () => query(page, 'x'),
    (x) => x !== null,
  );
  const [min = 0, max = 0] = (zoom ?? '').split('..').map(Number);
  // A fifth of 2 MHz about the LO; the pointer moves in whole pixels of 1.6 kHz.
  expect(min).toBeCloseTo(-200_000, -4);
  expect(max).toBeCloseTo(200_000, -4);
  expect(query(page, 'y')).toBeNull();

  const exposure = page.locator('.legend-entry.run .legend-exposure');
  const early = await exposure.textContent();
  await eventually(
    () => exposure.textContent(),
    (now) => now !== early,
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(query(page, 'x')).toBe(zoom);

  await page.mouse.wheel(0, -200);
  const closer = await eventually(
    () => query(page, 'x'),
    (x) => x !== zoom,
  );
  const [closerMin = 0, closerMax = 0] = (closer ?? '').split('..').map(Number);
  expect(closerMax - closerMin).toBeLessThan(0.8 * (max - min));
  await page.mouse.dblclick(from.x, from.y);
  await eventually(
    () => query(page, 'x'),
    (x) => x === null,
  );
});

test('the cursor snaps to the line under it and reads out what is there', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await open(bridge.url);
  await liveness(page, 'live');
  const at = await pointOf(page, TONE_BIN / 3072, 0.5);
  await page.mouse.move(at.x + 1, at.y);
  const readOut = page.locator('.read-out');
  await eventually(
    () => readOut.textContent(),
    (text) => (text ?? '').includes('bin 2\u202f500'),
  );
  const text = await readOut.textContent();
  // (2500 − 1536) · 2 MHz / 3072, and 4 times the floor of 5e-9 with an error of m/√n.
  expect(text).toContain('+627.604');
  expect(text).toContain('20.000');
  expect(text).toContain('·10⁻⁹');
  await page.keyboard.press('u');
  await eventually(
    () => readOut.textContent(),
    (now) => (now ?? '').includes('28.284'),
  );
});

test('nothing moves when data arrive', async () => {
  const bridge = await stageBridge();
  const page = await open(bridge.url);
  const boxes = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('.cell, .legend-entry, .choice, .plot, .u-over')].map((element) => {
        const { left, top, width, height } = element.getBoundingClientRect();
        return { left, top, width, height };
      }),
    );
  await page.locator('.cell.role', { hasText: 'processor' }).waitFor({ timeout: TIMEOUT_MS });
  // The first state, a moment after the welcome, names the links.
  await page.locator('.cell.link.well').first().waitFor({ timeout: TIMEOUT_MS });
  const before = await boxes();
  bridge.source.staged = {
    ...bridge.source.staged,
    run: { ...bridge.source.staged.run, filesDone: 12_843, slicesDone: 12_843 * 2731 },
  };
  bridge.publish(12_843);
  await liveness(page, 'live');
  await page.locator('.strip .files', { hasText: '12\u202f843' }).waitFor({ timeout: TIMEOUT_MS });
  expect(await boxes()).toEqual(before);
});

test('plots take at least three quarters of the window, and the strip is one line of 40 px', async () => {
  const bridge = await stageBridge();
  const page = await open(bridge.url);
  await page.locator('.uplot').first().waitFor();
  /** Shares of the window: panels with their captions, and canvases alone. */
  const shares = () =>
    page.evaluate(() => {
      const areaOf = (selector: string): number =>
        [...document.querySelectorAll(selector)].reduce((sum, element) => {
          const { width, height } = element.getBoundingClientRect();
          return sum + width * height;
        }, 0);
      const all = innerWidth * innerHeight;
      return { panels: areaOf('.panel') / all, canvases: areaOf('.panel canvas') / all };
    });
  for (const [width, height] of [
    [1366, 768],
    [1920, 1080],
    [3840, 2160],
  ] as const) {
    await page.setViewportSize({ width, height });
    await eventually(
      () => page.locator('.power').boundingBox(),
      (box) => box !== null && Math.abs(box.width - width) < 1,
    );
    const { panels } = await eventually(shares, ({ canvases }) => canvases > 0.62);
    expect(panels).toBeGreaterThan(0.75);
    const strip = await page.locator('.strip').boundingBox();
    expect(strip?.height).toBeLessThanOrEqual(width > 3000 ? 64 : 42);
    const overflow = await page.evaluate(() =>
      [...document.querySelectorAll('.strip, .toolbar, .side, main, body')]
        .filter((e) => e.scrollWidth > e.clientWidth)
        .map(({ className }) => className),
    );
    expect({ width, overflow }).toEqual({ width, overflow: [] });
  }
});

test('stale data turn the plot grey and say since when; new ones bring it back', async () => {
  const bridge = await stageBridge();
  bridge.publish(3, 60);
  const page = await open(bridge.url);
  // It is behind at first: something old has just come. Then nothing newer does.
  await liveness(page, 'behind');
  await liveness(page, 'stale');
  expect(await page.locator('.headline').textContent()).toMatch(
    /^Stale: no new data for .* since \d\d:\d\d:\d\d UTC/,
  );
  const filter = () => page.locator('.spectrum .plot').evaluate((plot) => getComputedStyle(plot).filter);
  expect(await filter()).toBe('grayscale(1)');
  expect(await page.title()).toContain('stale');
  bridge.publish(4);
  await liveness(page, 'live');
  expect(await filter()).toBe('none');
  expect(await page.locator('.headline').count()).toBe(0);
}, 60_000);

test('a bridge that goes away is said at once, with what was drawn left standing', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await open(bridge.url);
  await liveness(page, 'live');
  await bridge.server.close();
  await page.locator('.headline', { hasText: /bridge/ }).waitFor({ timeout: TIMEOUT_MS });
  await chain(page, 'disconnected');
  expect(await page.locator('.legend-entry.run .legend-exposure').textContent()).toContain('8\u202f193');
});

test('broker away, alarms and incomplete files are shown, in words and counted', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await open(bridge.url);
  await chain(page, 'well');
  const at = new Date().toISOString();
  bridge.source.staged = {
    ...bridge.source.staged,
    input: {
      kind: 'kafka',
      reachable: false,
      trouble: 'No broker answers at 10.0.0.7:9092; next try in 5 s.',
    },
    retention: { hoursLeft: 5.25, partitions: [{ partition: 0, hoursLeft: 5.25 }] },
    incomplete: [{ run: 'test', file: 12_801, missing: '0-39,80-119', atUtc: at }],
    alarms: [{ code: 'topic-recreated', message: 'chunk_data is new.', count: 3, sinceUtc: at, lastUtc: at }],
  };
  await page.locator('.headline', { hasText: '10.0.0.7:9092' }).waitFor({ timeout: TIMEOUT_MS });
  expect(await page.locator('.buttons .notices').textContent()).toBe('Status · 2');
  await page.keyboard.press('i');
  const drawer = page.locator('.drawer');
  await drawer.waitFor();
  expect(await drawer.textContent()).toContain('topic-recreated ×3');
  expect(await drawer.locator('.incomplete').textContent()).toContain('0-39,80-119');
  expect(await drawer.locator('.links').textContent()).toMatch(
    /what is not processed is kept for 5\.25.h more/,
  );
  await page.keyboard.press('Escape');
  expect(await drawer.count()).toBe(0);
});

test('the token is taken out of the address at once, and kept for the tab', async () => {
  const bridge = await stageBridge({ trustLocalPages: false });
  const page = await open(`${bridge.url}?scale=db#token=${TOKEN}`);
  await page.locator('.cell.role', { hasText: 'processor' }).waitFor({ timeout: TIMEOUT_MS });
  expect(page.url()).toBe(`${bridge.url}?scale=db`);
  await page.reload();
  await page.locator('.cell.role', { hasText: 'processor' }).waitFor({ timeout: TIMEOUT_MS });
});

test('a wrong token is said, and the right one can be pasted', async () => {
  const bridge = await stageBridge({ trustLocalPages: false });
  const page = await open(`${bridge.url}?role=processor#token=wrong`);
  await chain(page, 'refused-token');
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.locator('.cell.role', { hasText: 'processor' }).waitFor({ timeout: TIMEOUT_MS });
  expect(await page.getByLabel('Token').count()).toBe(0);
});

test('a wrong token leaves a viewer, who is told why', async () => {
  const bridge = await stageBridge({ trustLocalPages: false });
  const page = await open(`${bridge.url}#token=wrong`);
  await page.locator('.cell.role', { hasText: 'viewer' }).waitFor({ timeout: TIMEOUT_MS });
  await page.locator('.buttons .notices', { hasText: 'Status · 1' }).click();
  expect(await page.locator('.drawer').textContent()).toContain('the token is wrong');
});

test('dark whatever the system has; light by key, by address and remembered; on paper always light', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const page = await open(bridge.url, { systemIsLight: true });
  await liveness(page, 'live');
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [dark, light] = ['rgb(10, 13, 19)', 'rgb(251, 251, 249)'];
  await eventually(background, (now) => now === dark);
  const drawn = await pixels(page);
  // What a listener sees that comes after the page's own is what is printed.
  await page.evaluate(() =>
    window.addEventListener('beforeprint', () => {
      const canvas = document.querySelector<HTMLCanvasElement>('.spectrum .uplot canvas');
      document.body.dataset['printed'] =
        `${getComputedStyle(document.body).backgroundColor} ${canvas?.toDataURL()}`;
    }),
  );
  await page.pdf();
  const printed = await page.evaluate(() => document.body.dataset['printed']);
  expect(printed?.startsWith(light)).toBe(true);
  expect(printed?.endsWith(drawn)).toBe(false);
  await eventually(background, (now) => now === dark);

  await page.keyboard.press('t');
  await eventually(background, (now) => now === light);
  await eventually(
    () => query(page, 'theme'),
    (theme) => theme === 'light',
  );
  await page.goto(bridge.url);
  await eventually(background, (now) => now === light);
  await page.keyboard.press('t');
  await eventually(background, (now) => now === dark);
  await page.goto(`${bridge.url}?theme=system`);
  await eventually(background, (now) => now === light);
  await page.emulateMedia({ colorScheme: 'dark' });
  await eventually(background, (now) => now === dark);
});

test('the Content-Security-Policy of the bridge is kept', async () => {
  const bridge = await stageBridge();
  bridge.publish(3);
  const { page, errors } = await openPage(browser, bridge.url);
  onTestFinished(() => page.close());
  await liveness(page, 'live');
  await page.getByRole('button', { name: '?' }).click();
  await page.locator('.drawer kbd').first().waitFor();
  expect(errors).toEqual([]);
});
