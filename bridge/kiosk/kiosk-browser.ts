/**
 * One life of the browser on a wall: started full screen, looked after, and ended when it is of no use any more.
 *
 * What a page cannot do for itself is done here: its renderer crashed, hangs, or has eaten the memory; the address
 * could not be opened because the bridge was away. It is looked at from outside, with a debugger attached for the
 * moment of one question only, because an attached one makes the page's traffic slower.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { DevtoolsError, type DevtoolsEvent, DevtoolsPipe } from './devtools-pipe.ts';
import { familyBytes } from './family-memory.ts';

/** No dialog, bubble or bar covers the plots, and nothing is asked of the network beside the page. */
const FLAGS = [
  '--kiosk',
  '--no-first-run',
  '--no-default-browser-check',
  '--noerrdialogs',
  '--hide-crash-restore-bubble',
  '--disable-session-crashed-bubble',
  '--disable-features=Translate',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--password-store=basic',
  '--remote-debugging-pipe',
];
const KILL_AFTER_MS = 3_000;

export interface KioskBrowserOptions {
  readonly program: string;
  readonly url: string;
  /** Folder of Chrome's profile: its own, or a browser that runs already opens the page and ends. */
  readonly profile: string;
  readonly extraFlags: readonly string[];
  /** Chrome with all its processes; more ends it. Only where the system has /proc. */
  readonly mostBytes: number;
  readonly checkEveryMs: number;
  /** A page that does not answer for so long hangs. */
  readonly hangMs: number;
}

/**
 * Why a life ended.
 * - `crashed`: the renderer is gone, or was killed for want of memory
 * - `hung`: the page did not answer
 * - `memory`: more than `mostBytes`
 * - `ended`: the browser itself has gone, or could not be started
 * - `stopped`: asked for
 */
export interface KioskEnd {
  readonly reason: 'crashed' | 'hung' | 'memory' | 'ended' | 'stopped';
  readonly message: string;
}

interface Target {
  readonly targetId: string;
  readonly type: string;
  readonly url: string;
}

/** Resolves when the browser is gone; `stop` ends it. */
export async function runKioskBrowser(options: KioskBrowserOptions, stop: AbortSignal): Promise<KioskEnd> {
  const flags = [...FLAGS, `--user-data-dir=${options.profile}`, ...options.extraFlags];
  // A process group of its own, so that its children end with it.
  const child = spawn(options.program, [...flags, options.url], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const life = new Life(options, child);
  const onStop = (): void => life.end({ reason: 'stopped', message: 'stopped' });
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  const why = await life.over;
  stop.removeEventListener('abort', onStop);
  await endFamily(child);
  return why;
}

class Life {
  readonly over: Promise<KioskEnd>;
  readonly #options: KioskBrowserOptions;
  readonly #child: ChildProcess;
  readonly #pipe: DevtoolsPipe;
  #resolve: (end: KioskEnd) => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(options: KioskBrowserOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const [, , , commands, answers] = child.stdio;
    this.#pipe = new DevtoolsPipe(commands as Writable, answers as Readable, (event) => this.#heard(event));
    child.once('error', (error) => this.end({ reason: 'ended', message: error.message }));
    child.once('exit', (status, signal) =>
      this.end({ reason: 'ended', message: `the browser ended with ${signal ?? `status ${status}`}` }),
    );
    this.#watch().catch((error: unknown) => this.#lost(error));
  }

  end(why: KioskEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#resolve(why);
  }

  async #watch(): Promise<void> {
    await this.#pipe.ask('Target.setDiscoverTargets', { discover: true }, this.#options.hangMs);
    this.#checkLater();
  }

  #checkLater(): void {
    if (this.#isOver) return;
    this.#timer = setTimeout(() => {
      this.#check().then(
        () => this.#checkLater(),
        (error: unknown) => this.#lost(error),
      );
    }, this.#options.checkEveryMs);
  }

  async #check(): Promise<void> {
    const { mostBytes, hangMs, url } = this.#options;
    const bytes = familyBytes(this.#child.pid as number);
    if (bytes > mostBytes) {
      const message = `the browser holds ${inMiB(bytes)}, more than ${inMiB(mostBytes)}`;
      return this.end({ reason: 'memory', message });
    }
    const { targetInfos } = await this.#pipe.ask('Target.getTargets', {}, hangMs);
    const page = (targetInfos as readonly Target[]).find(({ type }) => type === 'page');
    if (page === undefined) return this.end({ reason: 'ended', message: 'the browser has no page any more' });
    const { targetId } = page;
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.#pipe.ask('Target.attachToTarget', attach, hangMs);
    const session = sessionId as string;
    await this.#pipe.ask('Runtime.evaluate', { expression: '1' }, hangMs, session);
    // The bridge was away when the page was opened; a page that is there reconnects by itself.
    if (page.url.startsWith('chrome-error:')) await this.#pipe.ask('Page.navigate', { url }, hangMs, session);
    await this.#pipe.ask('Target.detachFromTarget', { sessionId }, hangMs);
  }

  #heard({ method, params }: DevtoolsEvent): void {
    if (method === 'Target.targetCrashed')
      this.end({ reason: 'crashed', message: `the page's process ended: ${String(params['status'])}` });
  }

  #lost(error: unknown): void {
    if (!(error instanceof DevtoolsError)) throw error;
    // A page that goes just as it is asked refuses; what became of it is asked at the next look.
    if (error.code === 'refused') this.#checkLater();
    else this.end({ reason: error.code === 'closed' ? 'ended' : 'hung', message: error.message });
  }
}

const inMiB = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** Asks it to go, and kills the whole group where it does not. */
async function endFamily(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (process.platform === 'win32') child.kill(name);
      else process.kill(-pid, name);
    } catch {
      // ESRCH: all of them are gone.
    }
  };
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    signal('SIGTERM');
    const harder = setTimeout(() => signal('SIGKILL'), KILL_AFTER_MS);
    await gone;
    clearTimeout(harder);
  }
  // Renderers that hang do not go with their parent.
  signal('SIGKILL');
}
