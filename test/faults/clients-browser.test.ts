/** What can become of a tab while it computes; every file is published once, by whoever is left. */
import type { CDPSession, Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { keptChromium } from '../e2e/kept.ts';
import { TOKEN } from '../e2e/haloscope.ts';
import { keptLink } from './link.ts';
import { alarm, inMidFile, newNight, processors, processorsOf } from './night.ts';
import { newRow } from './row.ts';

const FILES = 4;
const SLICES = 400;
/** Seconds per file: a file's worth of data takes 0.6 s at the rate of the DAQ. */
const PACE = 1;
/** Longer than a lease may be without an answer. */
const HUNG_MS = 15_000;

const attached = (page: Page): Promise<CDPSession> => page.context().newCDPSession(page);

test('two tabs share the files, and one is closed in the middle of one', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  const browser = await keptChromium();
  const { page } = await openPage(browser, bridge.page());
  await openPage(browser, bridge.page());
  await processors(bridge, 2);
  const { sent } = night.send(PACE);
  await bridge.until('both compute', ({ clients }) => clients.every(({ blocksDone }) => blocksDone > 0));
  await inMidFile(bridge);
  await page.close();
  await sent();
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  expect(await processors(bridge, 1)).toHaveLength(1);
});

test('three tabs share the files, and the renderer of one crashes', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  const browser = await keptChromium();
  const { page } = await openPage(browser, bridge.page());
  await openPage(browser, bridge.page());
  await openPage(browser, bridge.page());
  await processors(bridge, 3);
  const { sent } = night.send(PACE);
  await bridge.until('all compute', ({ clients }) => clients.every(({ blocksDone }) => blocksDone > 0));
  await inMidFile(bridge);
  const crashed = page.waitForEvent('crash');
  // It is answered by nobody.
  void (await attached(page)).send('Page.crash').catch(() => {});
  await crashed;
  await sent();
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  expect(await processors(bridge, 2)).toHaveLength(2);
});

test('the GPU process crashes: the page goes on with the CPU', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  const browser = await keptChromium({ webgpu: true });
  await openPage(browser, bridge.page('?engine=gpu'));
  expect(await bridge.processor()).toMatchObject({ engine: { kind: 'gpu' } });
  const { sent } = night.send(PACE);
  await inMidFile(bridge);
  const control = await browser.newBrowserCDPSession();
  void control.send('Browser.crashGpuProcess').catch(() => {});
  const { clients } = await bridge.until('the CPU takes over', (state) =>
    processorsOf(state.clients).some(({ engine }) => engine?.kind === 'wasm'),
  );
  expect(processorsOf(clients)[0]?.engine?.why).toMatch(/the GPU was lost.*the CPU took over/);
  await sent();
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
});

test('the only tab is offline for longer than a lease, and comes back by itself', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  const link = await keptLink(Number(new URL(bridge.url).port));
  const { page } = await openPage(await keptChromium(), `http://127.0.0.1:${link.port}/#token=${TOKEN}`);
  await bridge.processor();
  const { sent } = night.send(PACE);
  await inMidFile(bridge);
  link.cut();
  await page.context().setOffline(true);
  expect(await alarm(bridge, 'silent-processor')).toContain('WebAssembly');
  await processors(bridge, 0);
  link.mend();
  await page.context().setOffline(false);
  await sent();
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
});

test('a worker hangs: a headless processor takes over, and the tab computes again when it can', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'auto');
  const { page } = await openPage(await keptChromium(), bridge.page());
  const isPage = ({ headless }: { readonly headless: boolean }): boolean => !headless;
  await bridge.until('the page computes', ({ clients }) => processorsOf(clients).some(isPage));
  const { sent } = night.send(PACE);
  await inMidFile(bridge);
  const workers = page.workers();
  // Its pool has workers of its own, which say nothing by themselves.
  const hang = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const hung = Promise.all(workers.map((worker) => worker.evaluate(hang, HUNG_MS)));
  await alarm(bridge, 'silent-processor');
  await sent();
  await hung;
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  await bridge.until('the page computes again', ({ clients }) => {
    const computing = processorsOf(clients);
    return computing.length === 1 && computing.every(isPage);
  });
});
