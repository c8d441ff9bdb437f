/** The commands as a user runs them: the built `haloscope.js` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BridgeState, ClientState } from '../../bridge/protocol/state.ts';
import { repository } from '../../scripts/machine.mjs';

/** Token of every bridge that the tests start; pages and headless processors show it. */
export const TOKEN = 'e2e-token-0123456789abcdef';

const COMMAND = join(repository, 'dist', 'node', 'haloscope.js');
const READY_TIMEOUT_MS = 30_000;
/** The contract says 10 s for SIGTERM; a little more before this process is killed for being stuck. */
const STOP_TIMEOUT_MS = 12_000;
const POLL_MS = 25;

export interface Finished {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export class Haloscope {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #stdout = '';
  #stderr = '';

  constructor(words: readonly string[], folder?: string) {
    this.#child = spawn(process.execPath, [COMMAND, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HALOSCOPE_TOKEN: TOKEN },
      ...(folder === undefined ? {} : { cwd: folder }),
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#exit = once(this.#child, 'close').then(([status]) => status as number | null);
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the command did not start');
    return pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async finished(): Promise<Finished> {
    const status = await this.#exit;
    return { status, stdout: this.#stdout, stderr: this.#stderr };
  }

  /** @returns exit status, null when a signal ended it */
  async stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const harder = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.kill(signal);
    const status = await this.#exit;
    clearTimeout(harder);
    return status;
  }
}

/** Runs a command to its end. */
export const run = (...words: string[]): Promise<Finished> => new Haloscope(words).finished();

/** Runs a command that has to succeed. */
export async function succeed(...words: string[]): Promise<Finished> {
  const done = await run(...words);
  if (done.status !== 0) {
    throw new Error(`haloscope ${words.join(' ')} ended with ${done.status}:\n${done.stdout}${done.stderr}`);
  }
  return done;
}

/** A bridge that listens. */
export class Bridge {
  readonly process: Haloscope;
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;

  constructor(process: Haloscope, url: string) {
    this.process = process;
    this.url = url;
  }

  /** Address of the page for a person who has the token. */
  page(query = ''): string {
    return `${this.url}${query}#token=${TOKEN}`;
  }

  async state(): Promise<BridgeState> {
    return (await this.get('api/state').then((response) => response.json())) as BridgeState;
  }

  /** Asks again where the server closed a kept connection, idle for its five seconds, just as it was used again. */
  async get(path: string): Promise<Response> {
    const url = new URL(path, this.url);
    try {
      return await fetch(url);
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      if (cause?.code !== 'UND_ERR_SOCKET') throw error;
      return fetch(url);
    }
  }

  /** Waits until the state is as wanted, and returns it; throws with the last state and the log after that time. */
  async until(what: string, isSo: (state: BridgeState) => boolean, timeoutMs = 60_000): Promise<BridgeState> {
    let last: BridgeState | undefined;
    const holds = async (): Promise<BridgeState | undefined> => {
      last = await this.state();
      return isSo(last) ? last : undefined;
    };
    try {
      return await until(what, holds, timeoutMs);
    } catch (cause) {
      const state = JSON.stringify(last, null, 1);
      throw new Error(`${what}: not so\n${state}\n${this.process.stderr.slice(-4000)}`, { cause });
    }
  }

  /** Waits until input and output are reachable, and the topics there. */
  async ready(): Promise<void> {
    const isReady = async () => ((await this.get('readyz')).status === 200 ? true : undefined);
    await until('the bridge is ready', isReady, READY_TIMEOUT_MS);
  }

  /** Waits until a processor has chosen its engine, and returns it. */
  async processor(): Promise<ClientState> {
    const { clients } = await this.until('a processor has its engine', (state) =>
      state.clients.some(isWorking),
    );
    const found = clients.find(isWorking);
    if (found === undefined) throw new Error('the processor has gone');
    return found;
  }

  stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    return this.process.stop(signal);
  }
}

const isWorking = ({ role, engine }: ClientState): boolean => role === 'processor' && engine !== null;

/** Starts `haloscope serve` on a free port unless `--listen` says which, and waits until it listens. */
export async function serve(...words: string[]): Promise<Bridge> {
  const listen = words.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const child = new Haloscope(['serve', ...listen, ...words]);
  try {
    const url = await until(
      'the bridge says which URL to open',
      () => {
        if (!child.isRunning) throw new Error(`haloscope serve ended:\n${child.stderr}`);
        return Promise.resolve(/^open (\S+)$/m.exec(child.stdout)?.[1]);
      },
      READY_TIMEOUT_MS,
    );
    return new Bridge(child, url);
  } catch (error) {
    await child.stop('SIGKILL');
    throw error;
  }
}

/** Polls until there is a value. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  timeoutMs: number,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(POLL_MS);
  }
}

/** A port that was free a moment ago, for a bridge that comes back where it was. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port to be had on 127.0.0.1');
  return address.port;
}
