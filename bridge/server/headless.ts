/**
 * Headless: starts a processor of our own as a child process when nobody else computes, and takes it back when
 * somebody does.
 *
 *            nobody computes for a moment               died
 *   ┌──────┐ ───────────────────────────▶ ┌─────────┐ ────────▶ waits, ever longer ─▶ running
 *   │ idle │                              │ running │
 *   └──────┘ ◀─────────────────────────── └─────────┘
 *              another processor has joined (auto)
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { ProcessorPolicy } from '../config/options.ts';
import type { Secret } from '../config/secret.ts';
import type { Logger } from '../logger.ts';
import type { BridgeServer } from './server.ts';
import type { LocalTrust } from './tls/certificate.ts';

export interface HeadlessTiming {
  /** Without any processor before one is started: a page that reloads is back by then. */
  readonly graceMs: number;
  /** First pause after a death, doubled by every further one, and the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Alive for so long, its death counts as the first one. */
  readonly steadyMs: number;
  /** From the end of the child's session to its replacement, unless it comes back by itself. */
  readonly stuckMs: number;
  /** From the end of the channel, which tells it to go, to SIGKILL. */
  readonly killMs: number;
}

const HEADLESS_TIMING: HeadlessTiming = {
  graceMs: 1_500,
  firstPauseMs: 500,
  longestPauseMs: 30_000,
  steadyMs: 60_000,
  // A child that was frozen or too slow rests for 10 s before it offers to compute again.
  stuckMs: 5_000,
  killMs: 3_000,
};

export interface HeadlessOptions {
  readonly policy: ProcessorPolicy;
  readonly server: Pick<BridgeServer, 'processors' | 'onClients' | 'url'>;
  readonly token: Secret;
  /** How the child verifies the bridge's certificate; null: there is no TLS. */
  readonly trust: LocalTrust | null;
  /** The command line's JavaScript file; it is called as `entry process URL`. */
  readonly entry: string;
  readonly log: Logger;
  readonly timing?: Partial<HeadlessTiming>;
}

/** What the child says over its channel: the name under which the server knows it. */
const clientOf = (message: unknown): string | null =>
  typeof message === 'object' && message !== null && 'client' in message && typeof message.client === 'string'
    ? message.client
    : null;

/** Of our own settings the child gets only these: the others are `serve`'s. */
const INHERITED = new Set(['HALOSCOPE_LOG_LEVEL']);

function childEnvironment({ token, trust }: HeadlessOptions): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('HALOSCOPE_') || INHERITED.has(name),
  );
  return {
    ...Object.fromEntries(kept),
    HALOSCOPE_TOKEN: token.reveal(),
    ...(trust === null ? {} : { HALOSCOPE_CA: trust.caFile, HALOSCOPE_TLS_NAME: trust.name ?? '' }),
  };
}

export class HeadlessSupervisor {
  readonly #options: HeadlessOptions;
  readonly #timing: HeadlessTiming;
  #unsubscribe: () => void = () => {};
  #child: ChildProcess | null = null;
  /** The child's name at the server, once it has said it. */
  #client: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Whether the child has computed under its present name; its session may end before the process does. */
  #hasJoined = false;
  #stuckTimer: NodeJS.Timeout | null = null;
  #deaths = 0;
  /** The child has been told to go. */
  #isEnding = false;
  #isStopped = false;

  constructor(options: HeadlessOptions) {
    this.#options = options;
    this.#timing = { ...HEADLESS_TIMING, ...options.timing };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#options.policy === 'none') return;
    this.#unsubscribe = this.#options.server.onClients(() => this.#look());
    this.#look();
  }

  /** Ends the child and waits for it; idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#cancel();
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#end(child);
    await gone;
  }

  #isWanted(): boolean {
    if (this.#isStopped || this.#options.policy === 'none') return false;
    return this.#options.policy === 'always' || !this.#othersCompute();
  }

  /** A headless processor that joins while the child has not said its name is taken for the child. */
  #othersCompute(): boolean {
    const isOwn = (id: string, headless: boolean): boolean =>
      this.#client === null ? this.#child !== null && headless : id === this.#client;
    return this.#options.server.processors().some(({ id, headless }) => !isOwn(id, headless));
  }

  #look(): void {
    if (!this.#isWanted()) {
      this.#cancel();
      if (this.#child !== null) this.#end(this.#child);
      return;
    }
    this.#watchChild();
    if (this.#child !== null || this.#timer !== null) return;
    const { graceMs, firstPauseMs, longestPauseMs } = this.#timing;
    const pauseMs = this.#deaths === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#deaths - 1));
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (this.#isWanted()) this.#begin();
      },
      Math.max(pauseMs, this.#options.policy === 'always' ? 0 : graceMs),
    );
  }

  /** A child that lives but computes no more is as good as dead. */
  #watchChild(): void {
    const child = this.#child;
    const isComputing = this.#options.server.processors().some(({ id }) => id === this.#client);
    if (isComputing) this.#hasJoined = true;
    if (isComputing || !this.#hasJoined || child === null) return this.#forgive();
    this.#stuckTimer ??= setTimeout(() => {
      this.#options.log.warn({ pid: child.pid }, 'the headless processor computes no more; starting another');
      child.kill('SIGKILL');
    }, this.#timing.stuckMs);
  }

  #forgive(): void {
    if (this.#stuckTimer !== null) clearTimeout(this.#stuckTimer);
    this.#stuckTimer = null;
  }

  #cancel(): void {
    this.#forgive();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #begin(): void {
    const { entry, server, log } = this.#options;
    const child = fork(entry, ['process', server.url], {
      env: childEnvironment(this.#options),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const begunMs = performance.now();
    this.#child = child;
    this.#client = null;
    this.#hasJoined = false;
    this.#isEnding = false;
    child.on('message', (message) => {
      this.#client = clientOf(message);
      this.#look();
    });
    child.once('error', (error) => {
      log.error({ err: error }, 'the headless processor could not be started');
      if (child.pid === undefined) this.#died(begunMs);
    });
    child.once('exit', (code, signal) => {
      if (!this.#isEnding) log.warn({ code, signal }, 'the headless processor died');
      this.#died(begunMs);
    });
    log.info({ pid: child.pid }, 'headless processor started');
  }

  #died(begunMs: number): void {
    if (performance.now() - begunMs > this.#timing.steadyMs) this.#deaths = 0;
    this.#deaths = this.#isEnding ? 0 : this.#deaths + 1;
    this.#child = null;
    this.#client = null;
    this.#hasJoined = false;
    this.#look();
  }

  #end(child: ChildProcess): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#options.log.info({ pid: child.pid }, 'headless processor stopped');
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#timing.killMs);
    child.once('exit', () => clearTimeout(timer));
  }
}
