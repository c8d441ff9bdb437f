/** The wall display: read from afar, through restarts, lost networks, new versions and a worker that hangs. */
import { cp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import sirv from 'sirv';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { startChromium } from '../browser/chromium.ts';
import { keptLink } from '../faults/link.ts';
import { freePort } from './haloscope.ts';
import { keptFolder } from './kept.ts';
import { eventually, liveness, openScreen, SCREEN_TIMEOUT_MS } from './screen-page.ts';
import { keepPublishing, stageBridge, WEB_FOLDER } from './staged-bridge.ts';

/** Longer than it takes to see that a connection is dead, that data are stale, or that the worker hangs. */
const NOTICED_MS = 60_000;
const QUERY = '?kiosk&role=viewer&theme=system';
/** A name of this machine that is no loopback address to the browser, so that its pages are insecure. */
const INSECURE_HOST = 'wall.test';

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium({ flags: [`--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`] });
});
afterAll(() => browser.close());

const band = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('.band-chain', { hasText: text }).waitFor({ timeout: NOTICED_MS });

const wake = (page: Page, text: string): Promise<void> =>
  page.locator('.band .wake', { hasText: text }).waitFor({ timeout: SCREEN_TIMEOUT_MS });

/** Violations of the rules of accessibility, as one can read them. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(document),
  );
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map(({ html }) => html)
        .join(' ')
        .slice(0, 300)}`,
  );
}

/** A copy of the built page that a test may change. */
async function copyOfPage(): Promise<string> {
  const folder = await keptFolder();
  await cp(WEB_FOLDER, folder, { recursive: true });
  return folder;
}

/** What another build does to a folder: the entry has another name. */
async function rebuild(folder: string, name: string): Promise<void> {
  const page = join(folder, 'index.html');
  const html = await readFile(page, 'utf8');
  const entry = /assets\/(index-[^"]+\.js)/.exec(html)?.[1];
  if (entry === undefined) throw new Error(`no entry script in ${html}`);
  const assets = join(folder, 'assets');
  await rename(join(assets, entry), join(assets, name));
  // The worker is named in it, and does not change.
  expect(await readdir(assets)).toContain(name);
  await writeFile(page, html.replace(entry, name));
}

/** Counts how often the page has been loaded. */
function countLoads(page: Page): () => number {
  let loads = 0;
  page.on('load', () => {
    loads += 1;
  });
  return () => loads;
}

test('letters for five metres, no controls, nothing clipped, no rule of accessibility broken', async () => {
  const bridge = await stageBridge();
  keepPublishing(bridge);
  const page = await openScreen(browser, `${bridge.url}${QUERY}`);
  await liveness(page, 'live');
  await band(page, 'all well');
  await page.locator('.flagged-line, .excess .uplot').first().waitFor();
  const look = () =>
    page.evaluate(() => {
      const sizeOf = (selector: string): number => {
        const found = document.querySelector(selector);
        return found === null ? 0 : Number.parseFloat(getComputedStyle(found).fontSize);
      };
      return {
        afar: Math.min(sizeOf('.live-word'), sizeOf('.live-age'), sizeOf('.band-chain')) / innerHeight,
        near: sizeOf('.caption') / innerHeight,
        controls: document.querySelectorAll('button, input, select, a, [tabindex], [role="separator"]')
          .length,
        side: document.querySelectorAll('.side').length,
        clipped: [
          ...document.querySelectorAll('.live-badge, .band-chain, .band, .toolbar, .conditions, main'),
        ]
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
          .map(({ className }) => className),
      };
    });
  for (const [width, height] of [
    [1366, 768],
    [1920, 1080],
    [3840, 2160],
  ] as const) {
    await page.setViewportSize({ width, height });
    const seen = await eventually(look, ({ afar }) => Math.abs(afar - 0.06) < 0.002);
    expect({ width, ...seen }).toMatchObject({ width, controls: 0, side: 0, clipped: [] });
    expect(seen.near).toBeGreaterThan(0.024);
  }
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
  // A key or a wheel that is not meant changes nothing.
  await page.keyboard.press('p');
  await page.keyboard.press('1');
  await page.mouse.wheel(0, -500);
  expect(await page.locator('.legend-entry.run').count()).toBe(1);
  expect(await page.locator('.paused').count()).toBe(0);
  expect(page.url()).toBe(`${bridge.url}${QUERY}`);
});

test('nothing connected, the first file awaited, an incomplete file, the broker away', async () => {
  const bridge = await stageBridge();
  const page = await openScreen(browser, `${bridge.url}${QUERY}`);
  const client = {
    id: 'p',
    role: 'processor',
    headless: true,
    engine: { kind: 'wasm', name: 'WebAssembly', why: 'no WebGPU adapter' },
    blocksInFlight: 0,
    blocksDone: 0,
    msPerFile: null,
  } as const;
  await band(page, 'no processor');
  bridge.source.staged = { ...bridge.source.staged, clients: [client] };
  await band(page, 'waiting');
  expect(await page.locator('.headline-text').textContent()).toBe('Waiting for the first file');
  expect(await page.locator('.band .engine').textContent()).toContain('CPU WebAssembly');
  keepPublishing(bridge);
  await band(page, 'all well');
  const atUtc = new Date().toISOString();
  bridge.source.staged = {
    ...bridge.source.staged,
    incomplete: [{ run: 'test', file: 7, missing: '0-39', atUtc }],
    input: { kind: 'kafka', reachable: false, trouble: 'No broker answers at 10.0.0.7:9092.' },
  };
  await band(page, 'input away');
  await page.locator('.band .notice.alarm', { hasText: '1 incomplete file' }).waitFor();
  expect(await page.locator('.headline-advice').textContent()).toContain('10.0.0.7:9092');
});

test('a lost network turns the whole display, and it comes back by itself', async () => {
  const bridge = await stageBridge();
  keepPublishing(bridge);
  const link = await keptLink(bridge.port);
  const page = await openScreen(browser, `http://127.0.0.1:${link.port}/${QUERY}`);
  await liveness(page, 'live');
  const look = () =>
    page.evaluate(() => {
      const of = (selector: string, pseudo?: string): CSSStyleDeclaration =>
        getComputedStyle(document.querySelector(selector) as Element, pseudo);
      return {
        background: of('.app').backgroundColor,
        band: of('.band').backgroundColor,
        plot: of('.spectrum .plot').filter,
        border: of('.app', '::after').borderTopWidth,
        // Nothing blinks.
        animations: document.getAnimations().length,
      };
    });
  const alive = await look();
  link.cut();
  await page.locator('.app[data-liveness="stale"]').waitFor({ timeout: NOTICED_MS });
  const frozen = await look();
  expect(frozen.background).not.toBe(alive.background);
  expect(frozen.band).not.toBe(alive.band);
  expect(frozen).toMatchObject({ plot: 'grayscale(1)', animations: 0 });
  expect(Number.parseFloat(frozen.border)).toBeGreaterThan(4);
  await band(page, 'bridge away');
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  link.mend();
  await band(page, 'all well');
  expect(await look()).toEqual(alive);
});

test('through a restart of the bridge, and to a new version, once', async () => {
  const webFolder = await copyOfPage();
  const first = await stageBridge({ webFolder });
  first.publish(3);
  const page = await openScreen(browser, `${first.url}${QUERY}`);
  const person = await openScreen(browser, first.url);
  await Promise.all([liveness(page, 'live'), liveness(person, 'live')]);
  const loads = countLoads(page);
  const personsLoads = countLoads(person);
  const listen = { host: '127.0.0.1', port: first.port };

  await first.server.close();
  await band(page, 'bridge away');
  const second = await stageBridge({ webFolder, listen });
  second.publish(4);
  await page.locator('.legend-entry.latest', { hasText: 'latest file 4' }).waitFor({ timeout: NOTICED_MS });
  expect(loads()).toBe(0);

  await second.server.close();
  await rebuild(webFolder, 'index-another.js');
  const third = await stageBridge({ webFolder, listen });
  third.publish(5);
  await page.locator('.legend-entry.latest', { hasText: 'latest file 5' }).waitFor({ timeout: NOTICED_MS });
  await eventually(loads, (n) => n === 1);
  await liveness(page, 'live');
  expect(await page.locator('script[src*="another"]').count()).toBe(1);

  // A person is asked, and is not asked again.
  const button = person.getByRole('button', { name: 'New version: reload' });
  await button.waitFor({ timeout: NOTICED_MS });
  expect(personsLoads()).toBe(0);
  await button.click();
  await eventually(personsLoads, (n) => n === 1);
  await liveness(person, 'live');
  expect(await button.count()).toBe(0);
  expect(loads()).toBe(1);
}, 120_000);

/** A bridge of another protocol, whose page is a new build every time that it is asked for. */
async function otherBridge(isNewEveryTime: boolean) {
  const files = sirv(WEB_FOLDER, { dev: true });
  const html = await readFile(join(WEB_FOLDER, 'index.html'), 'utf8');
  let asked = 0;
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/' && isNewEveryTime) {
      asked += 1;
      const changed = html.replace('<title>', `<link rel="stylesheet" href="./assets/n${asked}.css"><title>`);
      response.setHeader('Content-Type', 'text/html').end(changed);
    } else if (/\/assets\/n\d+\.css$/.test(path ?? '')) {
      response.setHeader('Content-Type', 'text/css').end('');
    } else files(request, response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', () => {
      socket.send(JSON.stringify({ type: 'refuse', code: 'protocol', message: 'it speaks protocol 99' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    refusals: () => sockets.clients,
  };
}

test('another protocol: reloaded for a new build only, and never in circles', async () => {
  for (const [isNewEveryTime, wanted] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const { url } = await otherBridge(isNewEveryTime);
    const page = await openScreen(browser, 'about:blank');
    const loads = countLoads(page);
    await page.goto(url);
    await eventually(loads, (n) => n === wanted);
    await page.locator('.headline', { hasText: 'protocol 99' }).waitFor({ timeout: SCREEN_TIMEOUT_MS });
    // The second refusal, some seconds later, changes nothing either.
    await page.waitForTimeout(2_000);
    expect(loads()).toBe(wanted);
  }
});

test('a worker that hangs is noticed, and another one takes its place', async () => {
  const bridge = await stageBridge();
  keepPublishing(bridge);
  const page = await openScreen(browser, `${bridge.url}${QUERY}`);
  await band(page, 'all well');
  const [worker] = page.workers();
  if (worker === undefined) throw new Error('the page has no worker');
  const gone = new Promise((resolve) => {
    worker.once('close', resolve);
  });
  // As a task of its own, behind the answer to this question.
  await worker.evaluate(() => {
    setTimeout(() => {
      for (;;);
    });
  });
  await gone;
  await band(page, 'all well');
  const latest = () => page.locator('.legend-entry.latest').textContent();
  const before = await latest();
  expect(await eventually(latest, (now) => now !== before)).toContain('latest file');
  expect(page.workers()).toHaveLength(1);
}, 120_000);

test('the wake lock: held, refused with the reason, and where there is none', async () => {
  const bridge = await stageBridge();
  const page = await openScreen(browser, `${bridge.url}${QUERY}`);
  await wake(page, 'stays on');

  const session = await browser.newBrowserCDPSession();
  const permission = { name: 'screen-wake-lock' };
  const { origin } = new URL(bridge.url);
  const denied = await openScreen(browser, 'about:blank');
  const { targetInfo } = await (await denied.context().newCDPSession(denied)).send('Target.getTargetInfo');
  const { browserContextId } = targetInfo;
  if (browserContextId === undefined) throw new Error('a page outside all contexts');
  await session.send('Browser.setPermission', { permission, setting: 'denied', origin, browserContextId });
  await denied.goto(`${bridge.url}${QUERY}`);
  await wake(denied, 'may sleep');
  expect(await denied.locator('.band .wake').textContent()).toMatch(/permission|denied|not allowed/i);

  const port = await freePort();
  const insecureOrigin = `http://${INSECURE_HOST}:${port}`;
  await stageBridge({ publicOrigins: [insecureOrigin], listen: { host: '127.0.0.1', port } });
  const insecure = await openScreen(browser, `${insecureOrigin}/${QUERY}`);
  await wake(insecure, 'insecure page');
  // However much there is to say, nothing is pushed out.
  const engine = await insecure.locator('.band .engine').boundingBox();
  expect(engine?.width).toBeGreaterThan(100);
});
