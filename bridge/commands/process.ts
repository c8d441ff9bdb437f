/**
 * `process URL`: a headless processor, the engine of the page in Node.
 *
 * Started by a person, or by `serve`; then the channel to the parent tells it when to go, even if the parent was
 * killed.
 */
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { CreateEngine } from '../../web/worker/computer.ts';
import { Session } from '../../web/worker/session.ts';
import type { Connection } from '../../web/worker/updates.ts';
import type { ProcessOptions } from '../config/options.ts';
import { createLogger, type Logger } from '../logger.ts';
import { SOFTWARE } from '../protocol/software.ts';
import type { BridgeState } from '../protocol/state.ts';
import { bridgeSocket, type TlsTrouble } from './bridge-socket.ts';

/**
 * Closed list of why a headless processor gives up; everything else it waits out.
 * - `token`: the bridge wants another token
 * - `bad-results`: the bridge found its results wrong
 * - `no-engine`: this machine cannot compute
 * - `certificate`, `scheme`: TLS with the bridge fails, and would again
 */
type ProcessErrorCode = 'token' | 'bad-results' | 'no-engine' | TlsTrouble['code'];

class ProcessError extends Error {
  readonly code: ProcessErrorCode;
  constructor(code: ProcessErrorCode, message: string) {
    super(message);
    this.name = 'ProcessError';
    this.code = code;
  }
}

const STATUS_EVERY_MS = 60_000;
/** A parent that was told to stop is gone within its own ten seconds. */
const PARENT_STOP_MS = 10_000;

const createEngine: CreateEngine = (bins) => createCpuEngine({ bins, window: 'none' });

/**
 * Computes until it is told to stop: SIGTERM, SIGINT, the end of the parent, or `stopped`.
 * @throws {ProcessError}
 */
export async function runProcess(
  options: ProcessOptions,
  stopped?: AbortSignal,
  log: Logger = createLogger(),
): Promise<void> {
  const end = deferred();
  const watch = new Watch(log, (error) => end.reject(error));
  const session = new Session({
    url: options.url,
    // The child of a bridge ends with it.
    stays: process.channel !== undefined,
    open: bridgeSocket(options, ({ code, message }, url) => {
      if (new URL(url).host === options.url.host) end.reject(new ProcessError(code, message));
      else log.warn({ code, bridge: url }, message);
    }),
    software: SOFTWARE,
    role: 'processor',
    headless: true,
    token: options.token?.reveal(),
    createEngine,
    handlers: {
      connection: (connection) => watch.connection(connection),
      state: (state) => watch.state(state),
      spectrum: () => {},
      engine: (engine, trouble) => {
        if (engine !== null) log.info({ engine: engine.name, why: engine.why }, 'computing');
        else end.reject(new ProcessError('no-engine', `this machine cannot compute: ${trouble}`));
      },
    },
  });
  const release = onStop(() => end.resolve(), stopped);
  const status = setInterval(() => watch.report(), STATUS_EVERY_MS);
  session.start();
  try {
    await end.promise;
  } finally {
    clearInterval(status);
    release();
    await session.stop();
  }
}

/** Node 20 has no `Promise.withResolvers`. */
function deferred() {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}

/**
 * Everything that means «stop»; returns what takes the listeners away. A signal to a whole group of processes
 * (Ctrl-C, a service manager) reaches child and parent at once: the child then stays until the parent, which
 * still has a file in hand, lets it go.
 */
function onStop(stop: () => void, stopped: AbortSignal | undefined): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const told = (): void => {
    if (process.channel === undefined) stop();
    else setTimeout(stop, PARENT_STOP_MS).unref();
  };
  for (const signal of signals) process.on(signal, told);
  if (process.channel !== undefined) process.once('disconnect', stop);
  stopped?.addEventListener('abort', stop);
  if (stopped?.aborted === true) stop();
  return () => {
    for (const signal of signals) process.off(signal, told);
    process.off('disconnect', stop);
    stopped?.removeEventListener('abort', stop);
  };
}

/** What a person, or the parent, wants to know of it. */
class Watch {
  readonly #log: Logger;
  readonly #giveUp: (error: ProcessError) => void;
  #client = '';
  #newest: BridgeState | null = null;
  #isLost = false;

  constructor(log: Logger, giveUp: (error: ProcessError) => void) {
    this.#log = log;
    this.#giveUp = giveUp;
  }

  connection(connection: Connection): void {
    switch (connection.phase) {
      case 'connecting':
        return;
      case 'open':
        this.#isLost = false;
        this.#client = connection.welcome.client;
        this.#log.info(
          { client: this.#client, url: connection.bridge, bridge: connection.welcome.software },
          'connected',
        );
        process.send?.({ client: this.#client });
        return;
      case 'lost':
        // Said once, not at every attempt.
        if (!this.#isLost) this.#log.warn({ reason: connection.reason }, 'no bridge; trying again');
        this.#isLost = true;
        return;
      case 'refused':
        this.#log.warn({ code: connection.code }, connection.message);
        if (connection.code === 'token' || connection.code === 'bad-results')
          this.#giveUp(new ProcessError(connection.code, `the bridge refuses: ${connection.message}`));
    }
  }

  state(state: BridgeState): void {
    this.#newest = state;
  }

  report(): void {
    const own = this.#newest?.clients.find(({ id }) => id === this.#client);
    if (this.#isLost || own === undefined) return;
    const { blocksDone, msPerFile } = own;
    this.#log.info({ blocksDone, msPerFile, filesDone: this.#newest?.run.filesDone }, 'computing');
  }
}
