/**
 * Chromium started by itself, as a user's is: a debugging protocol makes WebSocket traffic several times slower, and
 * test drivers tell every page that it is in front. The page reports through the bridge's state.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { chromiumPath, QUIET_FLAGS } from './chromium.ts';

export interface PlainChromium {
  readonly pid: number;
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

/** One tab, as Chromium lists it. */
interface Tab {
  readonly id: string;
  readonly type: string;
  readonly url: string;
  readonly webSocketDebuggerUrl: string;
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

async function controlOf(profile: string): Promise<string> {
  const [port] = (await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
  return `http://127.0.0.1:${port}/json`;
}

async function coverTab(profile: string): Promise<string> {
  const control = await controlOf(profile);
  const tabs = (await (await fetch(`${control}/list`)).json()) as Tab[];
  const covered = tabs.find(({ type }) => type === 'page');
  if (covered === undefined) throw new Error('Chromium shows no page');
  await fetch(`${control}/new?about:blank`, { method: 'PUT' });
  return (await ask(covered, 'document.visibilityState')) as string;
}

async function openTab(profile: string, url: string): Promise<PlainTab> {
  const control = await controlOf(profile);
  const opened = await fetch(`${control}/new?${encodeURIComponent(url)}`, { method: 'PUT' });
  const tab = (await opened.json()) as Tab;
  return {
    ask: (expression) => ask(tab, expression),
    drop: (paths, x, y) => drop(tab, paths, x, y),
    close: async () => void (await fetch(`${control}/close/${tab.id}`)),
  };
}

async function drop(tab: Tab, files: readonly string[], x: number, y: number): Promise<void> {
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  await command(
    tab,
    (['dragEnter', 'dragOver', 'drop'] as const).map((type) => ({
      method: 'Input.dispatchDragEvent',
      params: { type, x, y, data },
    })),
  );
}

/** Asks the page itself, once; the connection is gone again before anything is measured. */
async function ask(tab: Tab, expression: string): Promise<unknown> {
  const params = { expression, returnByValue: true, awaitPromise: true };
  const [answer] = await command(tab, [{ method: 'Runtime.evaluate', params }]);
  const { result, exceptionDetails } = answer as {
    readonly result: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  };
  if (exceptionDetails !== undefined)
    throw new Error(`in the page: ${exceptionDetails.exception?.description ?? 'an exception'}`);
  return result.value;
}

/** What each of these methods of the debugging protocol answers, one after the other over one connection. */
async function command(
  { webSocketDebuggerUrl }: Tab,
  calls: readonly { readonly method: string; readonly params: object }[],
): Promise<unknown[]> {
  const socket = new WebSocket(webSocketDebuggerUrl);
  await once(socket, 'open');
  const results: unknown[] = [];
  for (const [id, call] of calls.entries()) {
    const answered = once(socket, 'message');
    socket.send(JSON.stringify({ id, ...call }));
    const [data] = (await answered) as [Buffer];
    const { result, error } = JSON.parse(data.toString()) as {
      readonly result?: unknown;
      readonly error?: { readonly message: string };
    };
    if (error !== undefined) throw new Error(`${call.method}: ${error.message}`);
    results.push(result);
  }
  socket.close();
  return results;
}
