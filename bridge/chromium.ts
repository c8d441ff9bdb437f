/**
 * The system's Chrome or Chromium: where it is, its version, and starting it with a profile of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const NAMES = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  'microsoft-edge-stable',
  'microsoft-edge',
];
const FILES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];
const VERSION_LIMIT_MS = 10_000;

/** Nothing is asked of the network, and no dialog appears. */
const QUIET_FLAGS = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** `CHROMIUM` in the environment, else the first that PATH or the usual places have. */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = environment['CHROMIUM'];
  if (given !== undefined && given !== '') return isProgram(given) ? given : undefined;
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const inPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...inPath, ...FILES].find(isProgram);
}

/** What `--version` says, such as `Chromium 150.0.7700.1`; undefined where it says nothing (Windows). */
export async function browserVersion(file: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: VERSION_LIMIT_MS });
    return /^[^\n]*\d+\.\d+[^\n]*/.exec(stdout)?.[0].trim();
  } catch {
    return undefined;
  }
}

export interface HeadlessBrowser {
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<unknown>;
  /** Ends it and its children, and removes its profile. */
  stop(): Promise<void>;
}

/** Opens one page in a browser without a window and with nothing of the user's in it. */
export async function startHeadless(file: string, url: string): Promise<HeadlessBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'haloscope-browser-'));
  // Chromium refuses to run as root with its sandbox.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const flags = ['--headless=new', `--user-data-dir=${profile}`, ...QUIET_FLAGS, ...sandbox];
  // A process group of its own, so that its children end with it.
  const child = spawn(file, [...flags, url], { stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const killOnExit = (): void => killGroup(child);
  process.once('exit', killOnExit);
  return {
    ended,
    stop: async () => {
      process.removeListener('exit', killOnExit);
      if (isRunning(child)) {
        const gone = once(child, 'exit');
        killGroup(child);
        await gone;
      }
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const isRunning = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid !== undefined && exitCode === null && signalCode === null;

function killGroup(child: ChildProcess): void {
  if (!isRunning(child)) return;
  // Windows has no process groups.
  if (process.platform === 'win32') child.kill();
  else process.kill(-(child.pid as number), 'SIGKILL');
}
