/**
 * A TCP proxy in front of a broker, with faults that a test switches on. It rewrites nothing: the broker has a
 * listener that advertises the proxy's port, so that everything of a client that came through it stays on it.
 *
 *   client ── request ──▶ [hold] ──▶ broker        Kafka's framing, as far as it matters here:
 *   client ◀── [hold│lose] ── response ── broker     request   size i32 · api key i16 · version i16 · correlation i32 …
 *                                                    response  size i32 · correlation i32 …
 *
 * A frame that is held holds whatever comes behind it on its connection, as a slow broker does. When one side of a
 * connection goes, the other goes with it, and what was held is never delivered.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { ProxiedListener } from '../broker/kafka.ts';

/** https://kafka.apache.org/protocol#protocol_api_keys, those that tests name. */
const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  OffsetCommit: 8,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  EndTxn: 26,
} as const;
export type Api = keyof typeof API_KEYS;

const HOST = '127.0.0.1';
const SIZE_BYTES = 4;
/** What a lane may have waiting before its source has to. */
const WAITING_BYTES = 16 * 1024 * 1024;

/** One request or response that is to be caught. */
interface Trap {
  readonly kind: 'hold-request' | 'hold-response' | 'lose-response';
  readonly api: Api;
  /** How many of them may pass first. */
  skip: number;
  /** For a lost response: what the client sees instead. */
  readonly instead: 'reset' | 'silence';
  caught(): void;
  readonly released: Promise<void>;
}

/** A trap as its test sees it. */
export interface Caught {
  /** Resolves when a frame is in it. */
  readonly caught: Promise<void>;
  /** Lets a frame that is held go on. */
  release(): void;
}

/** How often the trap lets its kind of request pass before it closes. */
export interface TrapOptions {
  readonly skip?: number;
}

export class KafkaProxy {
  /** Added to every frame, in both directions. */
  latencyMs = 0;
  readonly #target: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #traps: Trap[] = [];
  #healed: Promise<void> = Promise.resolve();
  #heal: () => void = () => {};

  constructor(targetPort: number) {
    this.#target = targetPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param port 0 for any that is free; @returns the port */
  async listen(port: number): Promise<number> {
    this.#server.listen(port, HOST);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    return address.port;
  }

  /** Keeps a request from the broker. */
  holdRequest(api: Api, options: TrapOptions = {}): Caught {
    return this.#set('hold-request', api, options, 'silence');
  }

  /** Keeps the answer to a request from the client: the broker has done it. */
  holdResponse(api: Api, options: TrapOptions = {}): Caught {
    return this.#set('hold-response', api, options, 'silence');
  }

  /** Swallows the answer to a request; the connection is reset, or stays open and silent. */
  loseResponse(api: Api, instead: 'reset' | 'silence', options: TrapOptions = {}): Caught {
    return this.#set('lose-response', api, options, instead);
  }

  /** From here nothing comes through in either direction, and nobody is told. */
  blackHole(): void {
    this.#healed = new Promise((resolve) => {
      this.#heal = resolve;
    });
  }

  /** What the black hole has swallowed comes through after all, as it does when TCP sends again. */
  heal(): void {
    this.#heal();
  }

  /** Resets every connection; @returns how many there were */
  reset(): number {
    const connections = [...this.#connections];
    for (const connection of connections) connection.reset();
    return connections.length;
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Passes a frame on, later or never. */
  async deliver(direction: Direction, api: number | undefined, sinceMs: number): Promise<Verdict> {
    const lateMs = sinceMs + this.latencyMs - performance.now();
    if (lateMs > 0) await sleep(lateMs);
    await this.#healed;
    const trap = this.#spring(direction, api);
    if (trap === null) return 'pass';
    trap.caught();
    if (trap.kind === 'lose-response') return trap.instead === 'reset' ? 'reset' : 'drop';
    await trap.released;
    return 'pass';
  }

  #set(kind: Trap['kind'], api: Api, { skip = 0 }: TrapOptions, instead: Trap['instead']): Caught {
    let caught: () => void = () => {};
    let release: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      caught = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#traps.push({ kind, api, skip, instead, caught, released });
    return { caught: closed, release };
  }

  /** The trap that this frame falls into; it is spent with it. */
  #spring(direction: Direction, api: number | undefined): Trap | null {
    const fits = ({ kind, api: wanted }: Trap): boolean =>
      (kind === 'hold-request') === (direction === 'request') && API_KEYS[wanted] === api;
    for (const trap of this.#traps.filter(fits)) {
      if (trap.skip-- > 0) continue;
      this.#traps.splice(this.#traps.indexOf(trap), 1);
      return trap;
    }
    return null;
  }

  #accept(client: Socket): void {
    const connection = new Connection(this, client, connect(this.#target, HOST));
    this.#connections.add(connection);
    client.once('close', () => this.#connections.delete(connection));
  }
}

type Direction = 'request' | 'response';
type Verdict = 'pass' | 'drop' | 'reset';

/** A client's connection and the one to the broker that belongs to it. */
class Connection {
  readonly #client: Socket;
  readonly #broker: Socket;
  /** Api key of every request that is not answered yet, by correlation id. */
  readonly #asked = new Map<number, number>();

  constructor(proxy: KafkaProxy, client: Socket, broker: Socket) {
    this.#client = client;
    this.#broker = broker;
    for (const socket of [client, broker]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => this.#end());
    }
    new Lane(broker, (frame, sinceMs) => {
      const api = frame.readInt16BE(SIZE_BYTES);
      this.#asked.set(frame.readInt32BE(SIZE_BYTES + 4), api);
      return this.#obey(proxy.deliver('request', api, sinceMs));
    }).carry(client);
    new Lane(client, (frame, sinceMs) => {
      const correlation = frame.readInt32BE(SIZE_BYTES);
      const api = this.#asked.get(correlation);
      this.#asked.delete(correlation);
      return this.#obey(proxy.deliver('response', api, sinceMs));
    }).carry(broker);
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#broker.destroy();
  }

  async #obey(verdict: Promise<Verdict>): Promise<boolean> {
    const what = await verdict;
    if (what === 'reset') this.reset();
    return what === 'pass';
  }

  #end(): void {
    this.#client.destroy();
    this.#broker.destroy();
  }
}

interface WaitingFrame {
  readonly frame: Buffer;
  readonly sinceMs: number;
}

/** One direction of a connection: cuts the stream into frames and passes them on in order. */
class Lane {
  readonly #to: Socket;
  readonly #mayPass: (frame: Buffer, sinceMs: number) => Promise<boolean>;
  readonly #waiting: WaitingFrame[] = [];
  #waitingBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #running = false;

  constructor(to: Socket, mayPass: (frame: Buffer, sinceMs: number) => Promise<boolean>) {
    this.#to = to;
    this.#mayPass = mayPass;
  }

  carry(from: Socket): void {
    from.on('data', (chunk: Buffer) => {
      this.#take(chunk);
      if (this.#waitingBytes > WAITING_BYTES) from.pause();
      void this.#run(from);
    });
  }

  #take(chunk: Buffer): void {
    const sinceMs = performance.now();
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= SIZE_BYTES) {
      const bytes = SIZE_BYTES + rest.readInt32BE(0);
      if (rest.length < bytes) break;
      this.#waiting.push({ frame: rest.subarray(0, bytes), sinceMs });
      this.#waitingBytes += bytes;
      rest = rest.subarray(bytes);
    }
    this.#rest = rest;
  }

  async #run(from: Socket): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { frame, sinceMs } = next;
      const passes = await this.#mayPass(frame, sinceMs);
      if (passes && this.#to.writable && !this.#to.write(frame)) await drained(this.#to);
      this.#waitingBytes -= frame.length;
      if (this.#waitingBytes <= WAITING_BYTES) from.resume();
    }
    this.#running = false;
  }
}

/** Room to write again, or nobody there to write to. */
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.removeListener('drain', done);
      socket.removeListener('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });

/** What `--brokers` says to a client that is to go through the proxy. */
export const proxiedBrokers = ({ advertisedPort }: ProxiedListener): string => `${HOST}:${advertisedPort}`;

/** A proxy in front of a broker's listener; ends with the test. */
export async function keptProxy({ advertisedPort, port }: ProxiedListener): Promise<KafkaProxy> {
  const proxy = new KafkaProxy(port);
  await proxy.listen(advertisedPort);
  onTestFinished(() => proxy.close());
  return proxy;
}
