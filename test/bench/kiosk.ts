/**
 * `npm run bench -- kiosk`: what a wall display holds after a day of results, and after its renderer was killed twenty
 * times under the launcher. Every quantity has to be flat in the second half: in the first, histories fill.
 *
 * The page is looked at between the stages only: nobody is connected to it while it receives.
 */
import { getEventListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepKiosk } from '../../bridge/kiosk/launcher.ts';
import { createLogger } from '../../bridge/logger.ts';
import { chromiumPath } from '../browser/chromium.ts';
import { askPage, firstPage, type Tab } from '../browser/devtools.ts';
import { startPlainChromium } from '../browser/plain-chromium.ts';
import { until } from '../e2e/haloscope.ts';
import { usage } from '../engine/steady.ts';
import { KioskStage, serveStage, SLICES } from './kiosk-stage.ts';
import { fitLine } from './line.ts';
import { type PageMemory, pageMemory, processesOf } from './page-memory.ts';
import { type Cell, printTable } from './table.ts';

const QUERY = '?kiosk&role=viewer';
const WINDOW = '--window-size=1920,1167';
const STAGES = 20;
const TIMEOUT_MS = 60_000;
/** Longer than a frame of a slow page, which brings all that its worker has. */
const SETTLE_MS = 300;

/** What may be added by the second half, and still is no growth: less than a hundredth of what a day may cost. */
const LIMITS = {
  pageHeapMb: 1,
  workerHeapMb: 1,
  nodes: 20,
  listeners: 5,
  canvases: 0,
  // Pages that an allocator keeps come and go by so much.
  rendererMb: 15,
  gpuMb: 15,
} as const satisfies Record<keyof PageMemory, number>;
const LAUNCHER_LIMITS = { launcherMb: 1, stopListeners: 0 } as const;

type Row = { readonly at: number } & Readonly<Record<string, number>>;

/** @returns what has grown, or did not come back */
export async function benchKiosk(results: number, kills: number): Promise<string[]> {
  return [...(results > 0 ? await soak(results) : []), ...(kills > 0 ? await killAgainAndAgain(kills) : [])];
}

/** Slices of all files in the page's history, by its own count; 0 before there is one. */
const RECEIVED = `Number(
  /([\\d\\s]+) of [\\d\\s]+ slices/.exec(document.querySelector('.facts')?.textContent ?? '')?.[1].replace(/\\s/g, '') ?? 0
)`;

/** A browser that is not there yet, or not any more, has no answer. */
const eventually = <T>(what: string, look: () => Promise<T | undefined>): Promise<T> =>
  until(what, () => look().catch(() => undefined), TIMEOUT_MS);

/** How many files the page has, when it has taken in everything that was sent. */
async function receivedFiles(tab: Tab): Promise<number> {
  for (let before = -1; ; ) {
    const slices = (await askPage(tab, RECEIVED)) as number;
    if (slices === before) return Math.round(slices / SLICES);
    before = slices;
    await sleep(SETTLE_MS);
  }
}

async function soak(results: number): Promise<string[]> {
  const stage = new KioskStage(results);
  const server = await serveStage(stage);
  const chromium = await startPlainChromium(`${server.url}${QUERY}`, true, [WINDOW]);
  const rows: Row[] = [];
  let receivingMs = 0;
  try {
    const tab = await eventually('a page', () => firstPage(chromium.profile));
    await eventually('the page is there', async () =>
      (await askPage(tab, RECEIVED)) === 0 ? true : undefined,
    );
    for (let k = 1; k <= STAGES; k++) {
      const wanted = Math.round((k * results) / STAGES);
      const beganMs = performance.now();
      while (stage.files < wanted) await stage.publishFile();
      receivingMs += performance.now() - beganMs;
      const received = await receivedFiles(tab);
      if (received < wanted) return [`kiosk: the page has ${received} of ${wanted} results`];
      rows.push({ at: received, ...(await pageMemory(tab, chromium.profile)) });
    }
  } finally {
    await chromium.stop();
    await server.close();
  }
  const rate = (1000 * results) / receivingMs;
  const title = `A wall display while results come, ${rate.toFixed(0)} a second: MB after a collection, and counts`;
  return judge(title, 'results', 1000, rows, LIMITS);
}

async function killAgainAndAgain(kills: number): Promise<string[]> {
  const stage = new KioskStage(0);
  const server = await serveStage(stage);
  const publishing = setInterval(() => void stage.publishFile(), 250);
  const profile = await mkdtemp(join(tmpdir(), 'haloscope-kiosk-'));
  const stop = new AbortController();
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const kept = keepKiosk(
    {
      program: chromiumPath(),
      url: `${server.url}${QUERY}`,
      profile,
      extraFlags: ['--headless=new', '--remote-debugging-port=0', WINDOW, ...sandbox],
      mostBytes: 4 * 2 ** 30,
      checkEveryMs: 1000,
      hangMs: 30_000,
      logger: createLogger('silent', false),
      longLifeMs: 0,
    },
    stop.signal,
  );
  const rows: Row[] = [];
  let killedMs = performance.now();
  try {
    for (let life = 0; life <= kills; life++) {
      const tab = await eventually(`life ${life} shows data`, () => pageWithData(profile));
      const backSeconds = (performance.now() - killedMs) / 1000;
      const page = await pageMemory(tab, profile);
      const launcherMb = (await usage()).heapBytes / 1e6;
      const stopListeners = getEventListeners(stop.signal, 'abort').length;
      rows.push({ at: life, ...page, launcherMb, stopListeners, backSeconds });
      killedMs = performance.now();
      for (const pid of processesOf(profile, 'renderer')) process.kill(pid, 'SIGKILL');
      await eventually('the page is gone', async () =>
        (await pageWithData(profile).catch(() => undefined)) === undefined ? true : undefined,
      );
    }
  } finally {
    stop.abort();
    await kept;
    clearInterval(publishing);
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  const title = `The renderer killed ${kills} times under the launcher, each time back with data: MB and counts of each life`;
  return judge(title, 'kills', 1, rows, { ...LIMITS, ...LAUNCHER_LIMITS });
}

/** The page, when it says that its data live. */
async function pageWithData(profile: string): Promise<Tab | undefined> {
  const tab = await firstPage(profile);
  if (tab === undefined) return undefined;
  const liveness = await askPage(tab, "document.querySelector('.app')?.dataset.liveness");
  return liveness === 'live' && ((await askPage(tab, RECEIVED)) as number) > 0 ? tab : undefined;
}

/** Prints the rows and, below, the slopes of the second half with their errors. */
function judge(
  title: string,
  unit: string,
  per: number,
  rows: readonly Row[],
  limits: Readonly<Record<string, number>>,
): string[] {
  const names = Object.keys(rows[0] ?? {}).filter((name) => name !== 'at');
  const late = rows.slice(Math.floor(rows.length / 2));
  const span = (late.at(-1)?.at ?? 0) - (late[0]?.at ?? 0);
  const lines = new Map(
    names.map((name) => [name, fitLine(late.map((row) => [row.at, row[name] as number]))]),
  );
  const text = (of: (name: string) => number): Cell[] => names.map((name) => signed(of(name)));
  printTable(
    title,
    [unit, ...names],
    [
      ...rows.map((row): Cell[] => [String(row.at), ...names.map((name) => row[name] as number)]),
      [`second half, per ${per}`, ...text((name) => per * (lines.get(name)?.slope ?? 0))],
      ['± standard error', ...text((name) => per * (lines.get(name)?.error ?? 0))],
    ],
  );
  return Object.entries(limits).flatMap(([name, limit]) => {
    const { slope, error } = lines.get(name) ?? { slope: Number.NaN, error: 0 };
    const grown = slope * span;
    const isFlat = grown <= limit || slope <= 3 * error;
    return isFlat ? [] : [`kiosk: ${name} grew by ${grown.toPrecision(3)} in the last ${span} ${unit}`];
  });
}

const signed = (value: number): string => (value === 0 ? '0' : value.toPrecision(2));
