/** One connection to a tab's debugger, for as long as a few questions take: nobody is connected before or after. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';

/** One tab, as Chromium lists it. */
export interface Tab {
  readonly id: string;
  readonly type: string;
  readonly url: string;
  readonly webSocketDebuggerUrl: string;
}

/** Address of the debugger of a browser that was started with `--remote-debugging-port=0`. */
export async function controlOf(profile: string): Promise<string> {
  const [port] = (await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
  return `http://127.0.0.1:${port}/json`;
}

/** The page that was opened first and is still there; undefined where there is none. */
export async function firstPage(profile: string): Promise<Tab | undefined> {
  const tabs = (await (await fetch(`${await controlOf(profile)}/list`)).json()) as Tab[];
  return tabs.find(({ type }) => type === 'page');
}

type Answer = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Answer;
  readonly result?: Answer;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Devtools {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  /** Everything that was told without being asked for. */
  readonly events: { readonly method: string; readonly params: Answer }[] = [];
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#received(JSON.parse((data as Buffer).toString()) as Message));
    socket.on('close', () => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Error('the tab has gone'));
    });
  }

  static async open({ webSocketDebuggerUrl }: Tab): Promise<Devtools> {
    const socket = new WebSocket(webSocketDebuggerUrl);
    await once(socket, 'open');
    return new Devtools(socket);
  }

  /** @param session of a worker that belongs to the tab */
  ask(method: string, params: object = {}, session?: string): Promise<Answer> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: session }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** What an expression gives in the page, promises awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = (await this.ask('Runtime.evaluate', params)) as {
      result: { value?: unknown };
      exceptionDetails?: { exception?: { description?: string } };
    };
    if (exceptionDetails !== undefined)
      throw new Error(`in the page: ${exceptionDetails.exception?.description ?? 'an exception'}`);
    return result.value;
  }

  close(): void {
    this.#socket.close();
  }

  #received({ id, method, params, result, error }: Message): void {
    if (id === undefined) {
      if (method !== undefined) this.events.push({ method, params: params ?? {} });
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result ?? {});
    else waiting?.reject(new Error(error.message));
  }
}

/** Asks the page itself, once; the connection is gone again before anything is measured. */
export async function askPage(tab: Tab, expression: string): Promise<unknown> {
  const devtools = await Devtools.open(tab);
  try {
    return await devtools.evaluate(expression);
  } finally {
    devtools.close();
  }
}
