/**
 * Chromium started by itself, as a user's is: a debugging protocol makes WebSocket traffic several times slower, and
 * test drivers tell every page that it is in front. The page reports through the bridge's state.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumPath, QUIET_FLAGS } from './chromium.ts';
import { askPage, controlOf, Devtools, firstPage, type Tab } from './devtools.ts';

export interface PlainChromium {
  readonly pid: number;
  readonly profile: string;
  /** Opens another tab in front of the one there is, and says what that one then takes itself for. */
  coverTab(): Promise<string>;
  /** Opens an address in a tab of its own, in front. */
  openTab(url: string): Promise<PlainTab>;
  stop(): Promise<void>;
}

export interface PlainTab {
  /** What an expression gives in the page, promises awaited; nobody is connected to the tab before or after. */
  ask(expression: string): Promise<unknown>;
  /** Drops files and folders of this machine at this point of the page, as a file manager does. */
  drop(paths: readonly string[], x: number, y: number): Promise<void>;
  close(): Promise<void>;
}

/** @param isWatched whether `coverTab` or `openTab` will be asked for, which need a debugging port */
export async function startPlainChromium(
  url: string,
  isWatched = false,
  moreFlags: readonly string[] = [],
): Promise<PlainChromium> {
  const profile = await mkdtemp(join(tmpdir(), 'haloscope-chromium-'));
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const watched = isWatched ? ['--remote-debugging-port=0'] : [];
  const flags = [
    '--headless=new',
    `--user-data-dir=${profile}`,
    ...QUIET_FLAGS,
    ...sandbox,
    ...watched,
    ...moreFlags,
  ];
  // A process group of its own, so that its children end with it.
  const child = spawn(chromiumPath(), [...flags, url], { stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error('Chromium did not start');
  const killGroup = (): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
  };
  process.once('exit', killGroup);
  return {
    pid,
    profile,
    coverTab: () => coverTab(profile),
    openTab: (address) => openTab(profile, address),
    stop: async () => {
      const gone = once(child, 'exit');
      process.removeListener('exit', killGroup);
      killGroup();
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

async function coverTab(profile: string): Promise<string> {
  const covered = await firstPage(profile);
  if (covered === undefined) throw new Error('Chromium shows no page');
  await fetch(`${await controlOf(profile)}/new?about:blank`, { method: 'PUT' });
  return (await askPage(covered, 'document.visibilityState')) as string;
}

async function openTab(profile: string, url: string): Promise<PlainTab> {
  const control = await controlOf(profile);
  const opened = await fetch(`${control}/new?${encodeURIComponent(url)}`, { method: 'PUT' });
  const tab = (await opened.json()) as Tab;
  return {
    ask: (expression) => askPage(tab, expression),
    drop: (paths, x, y) => drop(tab, paths, x, y),
    close: async () => void (await fetch(`${control}/close/${tab.id}`)),
  };
}

async function drop(tab: Tab, files: readonly string[], x: number, y: number): Promise<void> {
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  const devtools = await Devtools.open(tab);
  try {
    for (const type of ['dragEnter', 'dragOver', 'drop'])
      await devtools.ask('Input.dispatchDragEvent', { type, x, y, data });
  } finally {
    devtools.close();
  }
}
