/**
 * How the page feels to the hand: a viewer at 1920×1080 with hours of history and live data, in a Chromium without a
 * GPU that was started by itself. Nobody is connected to the page while it is measured: it is asked afterwards.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { HistoryStore } from '../../bridge/history/history-store.ts';
import { decimate, type HistoryRow } from '../../bridge/protocol/history.ts';
import { repository } from '../../scripts/machine.mjs';
import { startPlainChromium } from '../browser/plain-chromium.ts';
import { type Bridge, serve, until } from '../e2e/haloscope.ts';
import { printTable, quantile } from './table.ts';

const GOALS = { firstPictureMs: 1000, frameMs: 20, longTaskMs: 50, scriptKilobytes: 150 } as const;
const BINS = 3072;
/** Rows before the visit, a file each: an hour and a half. */
const REMEMBERED_FILES = 1200;
const FILE_MS = 4194;
const VISITS = 5;
/** After that much the first rush is over: scripts compiled, history there. */
const SETTLE_MS = 8_000;
/** A step of a gesture in each, over two files and more. */
const FRAMES = 600;
const GESTURE_TIMEOUT_MS = 60_000;
/** For a page of 1920×1080: the new headless mode takes 87 for the bars of a window that nobody sees. */
const WINDOW = '--window-size=1920,1167';

interface Visit {
  readonly firstPictureMs: number;
  /** Longest block of the main thread until the page has settled. */
  readonly longestTaskMs: number;
  readonly scripts: readonly string[];
  readonly size: readonly [width: number, height: number];
}

interface Gesture {
  /** Between the animation frames of a page in which every frame is asked to be another picture. */
  readonly frameMs: readonly number[];
  readonly longestTaskMs: number;
}

/** Durations of the tasks over 50 ms since the page began; the browser keeps the first 200. */
const LONG_TASKS = `new Promise((resolve) => {
  const observer = new PerformanceObserver((list) => resolve(list.getEntries().map((entry) => entry.duration)));
  observer.observe({ type: 'longtask', buffered: true });
  setTimeout(() => resolve([]), 500);
})`;

const VISIT = `${LONG_TASKS}.then((tasks) => ({
  firstPictureMs: performance.getEntriesByName('haloscope first picture')[0]?.startTime ?? NaN,
  longestTaskMs: Math.max(0, ...tasks),
  scripts: performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.js')),
  size: [innerWidth, innerHeight],
}))`;

/** Zooms in and out about a point, and pans, a step in every frame; what it gives is asked for when it is over. */
const START_GESTURE = `void (globalThis.gesture = new Promise((resolve) => {
  const over = document.querySelector('.spectrum .u-over');
  const { left, top, width } = over.getBoundingClientRect();
  const stamps = [];
  const tasks = [0];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: 'longtask' });
  const step = (stamp) => {
    stamps.push(stamp);
    if (stamps.length > ${FRAMES})
      return resolve({ frameMs: stamps.slice(1).map((at, i) => at - stamps[i]), longestTaskMs: Math.max(...tasks) });
    const turn = stamps.length % 100;
    over.dispatchEvent(new WheelEvent('wheel', {
      bubbles: true, cancelable: true, clientX: left + 0.6 * width, clientY: top + 50,
      ...(turn < 80 ? { deltaY: turn < 40 ? -60 : 60 } : { deltaX: turn < 90 ? 40 : -40 }),
    }));
    requestAnimationFrame(step);
  };
  setTimeout(() => requestAnimationFrame(step), 1000);
}))`;

export async function benchFeel(): Promise<string[]> {
  const data = await mkdtemp(join(tmpdir(), 'haloscope-bench-'));
  try {
    const bridge = await serveWithHistory(data);
    const { visits, gesture } = await measure(bridge);
    await bridge.stop();
    return print(visits, gesture);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** The simulated DAQ in real time, after a night of the same run. */
async function serveWithHistory(data: string): Promise<Bridge> {
  await (await serve('--data', data)).stop();
  const folder = readdirSync(data).find((name) => name.startsWith('history-'));
  if (folder === undefined) throw new Error(`no history in ${data}`);
  const store = new HistoryStore(join(data, folder), BINS);
  const sinceMs = Date.now() - (REMEMBERED_FILES + 10) * FILE_MS;
  const files = Array.from({ length: REMEMBERED_FILES }, (_, k) => rememberedFile(k, sinceMs));
  store.put(files, {});
  await store.close();
  const bridge = await serve('--data', data);
  const hasFile = async () => ((await bridge.state()).run.filesDone > 0 ? true : undefined);
  await until('a file of the simulated DAQ is done', hasFile, 60_000);
  return bridge;
}

/** Numbers beyond those of the visit, so that it overwrites none. */
function rememberedFile(k: number, sinceMs: number): { run: string; row: HistoryRow } {
  const mean = new Float64Array(BINS).map(
    (_, bin) => 5e-9 * (1 + 0.05 * Math.sin(bin * 12.9898 + k * 78.233)),
  );
  const row = {
    firstFile: 1_000_000 + k,
    files: 1,
    slices: 2731,
    startUtcMs: sinceMs + k * FILE_MS,
    endUtcMs: sinceMs + (k + 1) * FILE_MS,
    power: 0.01,
    ...decimate(mean),
  };
  return { run: 'simulated', row };
}

async function measure(bridge: Bridge): Promise<{ visits: Visit[]; gesture: Gesture }> {
  const chromium = await startPlainChromium('about:blank', true, [WINDOW]);
  try {
    await sleep(SETTLE_MS);
    const visits: Visit[] = [];
    for (;;) {
      const tab = await chromium.openTab(`${bridge.url}?role=viewer`);
      await sleep(SETTLE_MS);
      visits.push((await tab.ask(VISIT)) as Visit);
      if (visits.length < VISITS) {
        await tab.close();
        continue;
      }
      await tab.ask(START_GESTURE);
      // Longer than it takes at 60 frames a second; a slow one is waited for with the question.
      await sleep(1000 + FRAMES * 20);
      const late = sleep(GESTURE_TIMEOUT_MS).then(() => Promise.reject(new Error('the gesture did not end')));
      return { visits, gesture: (await Promise.race([tab.ask('globalThis.gesture'), late])) as Gesture };
    }
  } finally {
    await chromium.stop();
  }
}

const kilobytesOf = (scripts: readonly string[]): number =>
  scripts
    .map((url) => readFileSync(join(repository, 'dist', 'web', new URL(url).pathname)))
    .reduce((sum, script) => sum + gzipSync(script, { level: 9 }).length / 1000, 0);

function print(visits: readonly Visit[], { frameMs, longestTaskMs }: Gesture): string[] {
  const [first, ...later] = visits;
  if (first === undefined) return ['no visit was measured'];
  const again = (of: (visit: Visit) => number): number => quantile(later.map(of), 0.5);
  printTable(
    `A viewer at ${first.size.join('×')}, software rendering, ${REMEMBERED_FILES} files of history, live data`,
    ['', 'measured', 'goal'],
    [
      ['first picture after navigation, nothing cached: ms', first.firstPictureMs, GOALS.firstPictureMs],
      ['the same, opened again', again((visit) => visit.firstPictureMs), GOALS.firstPictureMs],
      ['longest task in the first seconds, at first: ms', first.longestTaskMs, GOALS.longTaskMs],
      ['the same, opened again', again((visit) => visit.longestTaskMs), GOALS.longTaskMs],
      [`frame while zooming and panning, median of ${frameMs.length}: ms`, quantile(frameMs, 0.5), 16.7],
      ['the same, p95', quantile(frameMs, 0.95), GOALS.frameMs],
      ['the same, p99', quantile(frameMs, 0.99), Number.NaN],
      ['longest task meanwhile (0: none over 50 ms): ms', longestTaskMs, GOALS.longTaskMs],
      ['JavaScript of the first load, gzipped: kB', kilobytesOf(first.scripts), GOALS.scriptKilobytes],
    ],
  );
  return visits.every((visit) => Number.isFinite(visit.firstPictureMs)) ? [] : ['a visit showed no spectrum'];
}
