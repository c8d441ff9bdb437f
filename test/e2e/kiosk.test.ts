/** The launcher of the wall display, with a real browser and a page that comes to harm in every way that it can. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type KioskEnd, runKioskBrowser } from '../../bridge/kiosk/kiosk-browser.ts';
import { familyBytes } from '../../bridge/kiosk/family-memory.ts';
import { keepKiosk } from '../../bridge/kiosk/launcher.ts';
import { chromiumPath } from '../browser/chromium.ts';
import { silent } from '../server/harness.ts';
import { freePort, Haloscope, until } from './haloscope.ts';
import { keptFolder } from './kept.ts';

const FLAGS = ['--headless=new', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
const WAIT_MS = 60_000;
const GIB = 2 ** 30;
const WELL = '<!doctype html><title>well</title>';
const HANGS = '<!doctype html><script>setTimeout(() => { for (;;); }, 300)</script>';

interface Page {
  readonly url: string;
  /** How often it has been asked for. */
  visits(): number;
}

async function servePage(html: string, port = 0): Promise<Page> {
  let visits = 0;
  const server: Server = createServer((request, response) => {
    if (request.url?.startsWith('/wall') === true) visits++;
    response.setHeader('Content-Type', 'text/html').end(html);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/wall`, visits: () => visits };
}

async function optionsFor(url: string) {
  return {
    program: chromiumPath(),
    url,
    profile: await keptFolder(),
    extraFlags: FLAGS,
    mostBytes: 4 * GIB,
    checkEveryMs: 200,
    hangMs: 20_000,
  };
}

type Options = Awaited<ReturnType<typeof optionsFor>>;

/** One life, which the end of the test ends. */
async function live(options: Options): Promise<{ readonly end: Promise<KioskEnd>; stop(): void }> {
  const stop = new AbortController();
  const end = runKioskBrowser(options, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await end;
  });
  return { end, stop: () => stop.abort() };
}

/** Chromium's processes of this profile, by what they are. */
function processesOf(profile: string, kind: 'renderer' | 'any'): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const words = commandOf(pid);
      return words.includes(profile) && (kind === 'any' || words.includes('--type=renderer'));
    });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** What has been killed is gone a moment later. */
const allGone = (profile: string): Promise<true> =>
  until(
    'no process is left',
    async () => (processesOf(profile, 'any').length === 0 ? true : undefined),
    WAIT_MS,
  );

const visited = (page: Page, times: number): Promise<true> =>
  until(`${times} visits`, async () => (page.visits() >= times ? true : undefined), WAIT_MS);

test('a renderer that is killed ends the life, and so does the browser itself', async () => {
  const page = await servePage(WELL);
  const options = await optionsFor(page.url);
  const first = await live(options);
  await visited(page, 1);
  const renderer = await until(
    'a renderer runs',
    async () => processesOf(options.profile, 'renderer').at(0),
    WAIT_MS,
  );
  process.kill(renderer, 'SIGKILL');
  expect(await first.end).toMatchObject({ reason: 'crashed' });

  const second = await live(options);
  await visited(page, 2);
  const main = processesOf(options.profile, 'any').find((pid) => !commandOf(pid).includes('--type='));
  if (main !== undefined) process.kill(main, 'SIGKILL');
  expect(await second.end).toMatchObject({ reason: 'ended' });
  await allGone(options.profile);
});

test('a page that hangs ends the life, with its renderer', async () => {
  const page = await servePage(HANGS);
  const options = { ...(await optionsFor(page.url)), hangMs: 3_000 };
  const { end } = await live(options);
  expect(await end).toMatchObject({ reason: 'hung' });
  await allGone(options.profile);
});

test('a browser that holds too much memory ends the life', async () => {
  const page = await servePage(WELL);
  const { end } = await live({ ...(await optionsFor(page.url)), mostBytes: 1 });
  expect(await end).toMatchObject({ reason: 'memory' });
});

test('memory of a family counts its descendants', () => {
  expect(familyBytes(process.pid)).toBeGreaterThan(10 * 2 ** 20);
  expect(familyBytes(2 ** 22 + 1)).toBe(0);
});

test('a program that is no browser is said, and tried again', async () => {
  const { end } = await live({ ...(await optionsFor('http://127.0.0.1:1/')), program: '/no/such/program' });
  expect(await end).toMatchObject({ reason: 'ended', message: expect.stringContaining('ENOENT') });
});

test('the launcher begins a new life after each, and an address that was not there yet is opened', async () => {
  const port = await freePort();
  const options = await optionsFor(`http://127.0.0.1:${port}/wall`);
  const stop = new AbortController();
  const kept = keepKiosk({ ...options, logger: silent }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await kept;
  });
  await until('the browser runs', async () => processesOf(options.profile, 'renderer').at(0), WAIT_MS);
  const page = await servePage(WELL, port);
  await visited(page, 1);
  for (let life = 2; life <= 3; life++) {
    for (const pid of processesOf(options.profile, 'renderer')) process.kill(pid, 'SIGKILL');
    await visited(page, life);
  }
  expect(page.visits()).toBe(3);
  stop.abort();
  await kept;
  await allGone(options.profile);
});

test('the command: the page as a kiosk that only looks, and SIGTERM ends it all with 0', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('Content-Type', 'text/html').end(WELL);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const profile = await keptFolder();
  const { port } = server.address() as AddressInfo;
  const words = [
    'kiosk',
    `http://127.0.0.1:${port}/`,
    '--profile',
    profile,
    '--chrome-flags',
    '--headless=new',
  ];
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const command = new Haloscope([...words, ...sandbox]);
  onTestFinished(async () => {
    if (command.isRunning) await command.stop('SIGKILL');
  });
  const found = async (): Promise<true | undefined> =>
    asked.includes('/?kiosk&role=viewer') ? true : undefined;
  await until('the page is asked for', found, WAIT_MS);
  expect(await command.stop()).toBe(0);
  await allGone(profile);
});
