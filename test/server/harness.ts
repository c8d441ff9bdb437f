/** A server on a port of its own, and clients that say exactly what a test wants. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { Secret } from '../../bridge/config/secret.ts';
import { createLogger } from '../../bridge/logger.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import type { BridgeMessage, ClientMessage, Refuse, Welcome } from '../../bridge/protocol/control.ts';
import { decodeBlock } from '../../bridge/protocol/frames/block.ts';
import { encodeMoments } from '../../bridge/protocol/frames/moments.ts';
import { frameType } from '../../bridge/protocol/frames/prefix.ts';
import { decodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import { type BlockFrame, PROTOCOL_VERSION, type SpectrumFrame } from '../../bridge/protocol/frames.ts';
import { type BlockMoments, emptyTimeSums } from '../../bridge/protocol/moments.ts';
import { type BridgeServer, type ServerOptions, startServer } from '../../bridge/server/server.ts';
import type { BridgeSource } from '../../bridge/server/source.ts';

export const TOKEN = 'correct-horse-battery-staple';
export const ENGINE = { kind: 'ts', name: 'test engine', why: 'a test' } as const;

export const silent = createLogger('silent', false);

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Ends with the test. */
export async function serve(
  source: BridgeSource,
  options: Partial<ServerOptions> = {},
): Promise<BridgeServer & { readonly metrics: BridgeMetrics }> {
  const metrics = options.metrics ?? new BridgeMetrics();
  const server = await startServer(source, {
    listen: { host: '127.0.0.1', port: 0 },
    publicOrigins: [],
    tls: null,
    token: new Secret(TOKEN),
    trustLocalPages: true,
    webFolder: join(tmpdir(), 'haloscope-no-such-folder'),
    software: 'haloscope test',
    log: silent,
    metrics,
    history: { query: () => null },
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, metrics };
}

export interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The path goes out as it is written, `..` included. */
export function get(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

export async function until(isTrue: () => boolean, what: string, mostMs = 5_000): Promise<void> {
  const endMs = performance.now() + mostMs;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`did not happen in ${mostMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const hello = (more: Partial<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    software: 'test',
    role: 'auto',
    headless: false,
    ...more,
  });

/** Any valid answer. */
export const anyMoments = (count = 1, bins = 256): BlockMoments => ({
  count,
  scaleExponent: 0,
  mean: new Float32Array(bins).fill(1),
  m2: new Float32Array(bins),
  time: { ...emptyTimeSums(), samples: count * bins, minI: 0, maxI: 1, minQ: 0, maxQ: 1 },
});

/** A client that keeps all that it hears. */
export class Client {
  readonly socket: WebSocket;
  readonly messages: BridgeMessage[] = [];
  readonly blocks: BlockFrame[] = [];
  readonly spectra: SpectrumFrame[] = [];
  /** HTTP status of a refused upgrade. */
  status: number | null = null;
  closed: { readonly code: number } | null = null;

  constructor(server: { readonly port: number }, path = 'ws/process', options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${server.port}/${path}`, {
      perMessageDeflate: false,
      origin: `http://127.0.0.1:${server.port}`,
      ...options,
    });
    this.socket.binaryType = 'arraybuffer';
    this.socket.on('message', (data, isBinary) => {
      if (!isBinary) this.messages.push(JSON.parse((data as Buffer).toString()) as BridgeMessage);
      else if (frameType(data as ArrayBuffer) === 'block') this.blocks.push(decodeBlock(data as ArrayBuffer));
      else this.spectra.push(decodeSpectrum(data as ArrayBuffer));
    });
    this.socket.on('unexpected-response', (_, response) => {
      this.status = response.statusCode ?? 0;
      this.closed = { code: 1006 };
      response.destroy();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => {
      this.closed = { code };
    });
    onTestFinished(() => this.socket.terminate());
  }

  async opened(): Promise<this> {
    await until(() => this.socket.readyState === WebSocket.OPEN, 'the socket opens');
    return this;
  }

  /** Says hello and waits for the answer. */
  async greet(more: Partial<Record<string, unknown>> = {}): Promise<this> {
    await this.opened();
    this.socket.send(hello(more));
    await until(() => this.messages.length > 0, 'an answer to hello');
    return this;
  }

  /** A processor that has an engine and room for so many blocks. */
  async compute(
    credits: number,
    { token, name = ENGINE.name }: { token?: string; name?: string } = {},
  ): Promise<this> {
    await this.greet(token === undefined ? {} : { token });
    this.say({ type: 'engine', engine: { ...ENGINE, name } });
    this.say({ type: 'credit', blocks: credits });
    return this;
  }

  say(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  answer(block: BlockFrame, moments = anyMoments()): void {
    this.socket.send(encodeMoments({ block: block.block, epoch: block.epoch, computeMs: 1, moments }));
  }

  get welcome(): Welcome | undefined {
    return this.messages.find((message) => message.type === 'welcome');
  }

  get refusal(): Refuse | undefined {
    return this.messages.find((message) => message.type === 'refuse');
  }

  get states(): number {
    return this.messages.filter(({ type }) => type === 'state').length;
  }

  async ended(): Promise<number> {
    await until(() => this.closed !== null, 'the connection ends');
    return this.closed?.code ?? 0;
  }
}

/** Without the header that browsers always send. */
export const noOrigin = { origin: undefined } as unknown as ClientOptions;
