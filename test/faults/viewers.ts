/** Viewers without a screen: they take spectra as a page does, or stop reading, or are slow to answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { decodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import { PROTOCOL_VERSION, type Trace } from '../../bridge/protocol/frames.ts';
import type { Bridge } from '../e2e/haloscope.ts';

/** What a viewer was shown last of a trace. */
interface Shown {
  readonly run: string;
  readonly file: number;
}

export class Viewer {
  readonly #url: URL;
  readonly #answerAfterMs: number;
  #socket: WebSocket | null = null;
  /** Spectra received on the present connection. */
  spectra = 0;
  readonly shown = new Map<Trace, Shown>();
  isStalled = false;

  constructor(bridge: Bridge, answerAfterMs: number) {
    this.#url = new URL('ws/view', bridge.url);
    this.#answerAfterMs = answerAfterMs;
  }

  /** Connects, and again when the connection ends, as a page does. */
  connect(): Promise<void> {
    const socket = new WebSocket(this.#url.href.replace(/^http/, 'ws'), {
      perMessageDeflate: false,
      origin: this.#url.origin,
    });
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.spectra = 0;
    const hello = {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      software: 'test',
      role: 'viewer',
      headless: false,
    };
    return new Promise((resolve) => {
      socket.on('open', () => {
        socket.send(JSON.stringify(hello));
        resolve();
      });
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => {
        if (isBinary) void this.#take(socket, data as ArrayBuffer);
      });
      socket.on('close', () => {
        if (this.#socket === socket) void this.connect();
      });
    });
  }

  /** Reads nothing any more. */
  stall(): void {
    this.isStalled = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.isStalled = false;
    this.#socket?.resume();
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }

  async #take(socket: WebSocket, data: ArrayBuffer): Promise<void> {
    const { trace, run, file, sequence } = decodeSpectrum(data);
    this.spectra += 1;
    this.shown.set(trace, { run, file });
    if (this.#answerAfterMs > 0) await sleep(this.#answerAfterMs);
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'seen', sequence }));
  }
}

/** So many viewers, until the test ends. */
export async function keptViewers(bridge: Bridge, count: number, answerAfterMs = 0): Promise<Viewer[]> {
  const viewers = Array.from({ length: count }, () => new Viewer(bridge, answerAfterMs));
  onTestFinished(() => {
    for (const viewer of viewers) viewer.close();
  });
  await Promise.all(viewers.map((viewer) => viewer.connect()));
  return viewers;
}
