/**
 * Chrome's debugging protocol over the two pipes of `--remote-debugging-pipe`: JSON messages, each ended by a zero byte.
 *
 * A pipe instead of a port, because nobody else on the machine can open it, and because Chrome ends itself when its
 * other end is gone: a launcher that is killed leaves no browser behind.
 */
import type { Readable, Writable } from 'node:stream';

/** `closed`: the browser has gone. `silent`: no answer in time. `refused`: it cannot do that. */
export type DevtoolsErrorCode = 'closed' | 'silent' | 'refused';

export class DevtoolsError extends Error {
  override readonly name = 'DevtoolsError';
  readonly code: DevtoolsErrorCode;
  constructor(code: DevtoolsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface DevtoolsEvent {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Answer extends Partial<DevtoolsEvent> {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(result: Readonly<Record<string, unknown>>): void;
  reject(error: DevtoolsError): void;
}

export class DevtoolsPipe {
  readonly #commands: Writable;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listen: (event: DevtoolsEvent) => void;
  #lastId = 0;
  #rest = '';

  constructor(commands: Writable, answers: Readable, listen: (event: DevtoolsEvent) => void) {
    this.#commands = commands;
    this.#listen = listen;
    answers.setEncoding('utf8');
    answers.on('data', (text: string) => this.#received(text));
    for (const stream of [commands, answers]) {
      stream.on('error', () => this.#closed());
      stream.on('close', () => this.#closed());
    }
  }

  /**
   * @param session of an attached target; the browser itself where it is left out
   * @throws {DevtoolsError} when Chrome refuses, is gone, or does not answer in time
   */
  ask(
    method: string,
    params: object,
    limitMs: number,
    session?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new DevtoolsError('silent', `${method}: no answer within ${limitMs / 1000} s`));
      }, limitMs);
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        action();
      };
      this.#waiting.set(id, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      });
      this.#commands.write(`${JSON.stringify({ id, method, params, sessionId: session })}\0`);
    });
  }

  #received(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) this.#take(JSON.parse(message) as Answer);
  }

  #take({ id, result, error, method, params }: Answer): void {
    if (id === undefined) {
      if (method !== undefined) this.#listen({ method, params: params ?? {} });
      return;
    }
    const waiting = this.#waiting.get(id);
    if (error === undefined) waiting?.resolve(result ?? {});
    else waiting?.reject(new DevtoolsError('refused', error.message));
  }

  #closed(): void {
    for (const waiting of this.#waiting.values())
      waiting.reject(new DevtoolsError('closed', 'the browser has closed its pipe'));
  }
}
