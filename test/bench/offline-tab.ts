/**
 * The offline page on a folder: a Chromium that was started by itself, a tab into which the folder is dropped, and
 * nobody connected to it while it works. Timed from Start to the last file, as a person waits for it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sirv from 'sirv';
import { repository } from '../../scripts/machine.mjs';
import { type PlainTab, startPlainChromium } from '../browser/plain-chromium.ts';
import { until } from '../e2e/haloscope.ts';
import { peakResidentMb } from './usage.ts';

const LOOK_TIMEOUT_MS = 60_000;
const DONE_TIMEOUT_MS = 300_000;
/** Rarely, because each look is a connection to the page. */
const LOOK_EVERY_MS = 1000;

/** What the page says of itself when it is done. */
interface Report {
  readonly seconds: number;
  /** Of the main thread, from the drop to the last picture. */
  readonly longestTaskMs: number;
  readonly json: string;
}

export interface TabRound extends Report {
  /** The largest of the browser's renderers: the tab with its workers. */
  readonly peakMb: number;
}

/** Watches the page's thread from here on, and keeps what would be saved. */
const PREPARE = `void (globalThis.bench = { tasks: [], saved: null },
  new PerformanceObserver((list) => bench.tasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration])))
    .observe({ type: 'longtask' }),
  URL.createObjectURL = (blob) => { bench.saved = blob; return '#'; })`;

const START = `void (() => {
  bench.begunMs = performance.now();
  bench.finished = new Promise((resolve) => {
    const look = () => {
      const text = document.querySelector('.offline-left')?.textContent;
      if (text === 'done' || text === 'failed' || text === 'stopped') resolve(performance.now());
      else requestAnimationFrame(look);
    };
    look();
  });
  void bench.finished.then((atMs) => { bench.endedMs = atMs; });
  [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Start').click();
})()`;

const REPORT = `(async () => {
  dispatchEvent(new KeyboardEvent('keydown', { key: 'x' }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  [...document.querySelectorAll('.export-panel button')].find(({ textContent }) => textContent === 'JSON').click();
  while (bench.saved === null) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    seconds: (bench.endedMs - bench.begunMs) / 1000,
    longestTaskMs: Math.max(0, ...bench.tasks.map(([, duration]) => duration)),
    tasks: bench.tasks.map(([at, duration]) => [Math.round(at - bench.begunMs), Math.round(duration)]),
    json: await bench.saved.text(),
  };
})()`;

/** Built pages of this repository, from a server that knows nothing of them. */
async function serveStatic(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const files = sirv(join(repository, 'dist', 'web'));
  const server = createServer((request, response) => files(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/offline.html`;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url, stop };
}

/** Most resident MB that a renderer of this browser has had; NaN where there is no /proc. */
function rendererMb(browser: number): number {
  let most = Number.NaN;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const group = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
      if (!words.includes('--type=renderer') || Number(group) !== browser) continue;
      const mb = peakResidentMb(Number(name));
      if (!(mb <= most)) most = mb;
    } catch {
      // It has ended in between.
    }
  }
  return most;
}

async function measured(tab: PlainTab, browser: number, folder: string): Promise<TabRound> {
  await tab.ask(PREPARE);
  await tab.drop([folder], 400, 300);
  const isReady = `[...document.querySelectorAll('button')]
    .some(({ textContent, disabled }) => textContent === 'Start' && !disabled)
    && document.querySelector('.survey-summary') !== null`;
  await until(
    'the folder is looked at',
    async () => ((await tab.ask(isReady)) === true ? true : undefined),
    LOOK_TIMEOUT_MS,
  );
  await tab.ask(START);
  const endMs = Date.now() + DONE_TIMEOUT_MS;
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    if ((await tab.ask('bench.endedMs !== undefined')) === true) break;
    if (Date.now() > endMs) throw new Error('the offline page has not come to its end');
  }
  const report = (await tab.ask(REPORT)) as Report;
  return { ...report, peakMb: rendererMb(browser) };
}

export async function tabRound(folder: string): Promise<TabRound> {
  const server = await serveStatic();
  const chromium = await startPlainChromium('about:blank', true, ['--window-size=1920,1167']);
  try {
    const tab = await until(
      'the browser opens a tab',
      () => chromium.openTab(server.url).catch(() => undefined),
      LOOK_TIMEOUT_MS,
    );
    const isThere = 'document.querySelector(".pick-buttons") !== null';
    await until(
      'the page is there',
      async () => ((await tab.ask(isThere)) === true ? true : undefined),
      LOOK_TIMEOUT_MS,
    );
    return await measured(tab, chromium.pid, folder);
  } finally {
    await chromium.stop();
    server.stop();
  }
}
