/**
 * What one client may ask of the bridge, and how long it may take. Each with its reason; tests tighten them.
 */
import { MAX_CREDITS } from '../protocol/control.ts';
import { MAX_BLOCK_FRAME_BYTES } from '../protocol/frames/block.ts';

export interface SocketLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** From the upgrade to a complete hello. */
  readonly helloMs: number;
  /** Between pings; a client that has said nothing in a whole interval is dropped at its end. */
  readonly pingMs: number;
  /** Between states sent unasked. */
  readonly stateMs: number;
  /** Messages and pings per second, on average over `burstSeconds`. */
  readonly processorMessagesPerSecond: number;
  readonly viewerMessagesPerSecond: number;
  readonly burstSeconds: number;
  /** Bytes accepted by the kernel's send buffer no more, and waiting for it. */
  readonly processorBufferedBytes: number;
  readonly viewerBufferedBytes: number;
  /** Between `stopping` and the end of a connection that does not close by itself. */
  readonly closeMs: number;
}

const MIB = 1024 * 1024;

export const SOCKET_LIMITS: SocketLimits = {
  // A hundred viewers, twice over; each page holds one connection, and an idle one costs some 50 KB.
  connections: 256,
  helloMs: 5_000,
  pingMs: 15_000,
  stateMs: 500,
  // 2000 blocks per second are 8 GB/s; each block costs an answer and a credit.
  processorMessagesPerSecond: 4_000,
  // A viewer answers spectra: three traces at ten per second, and room.
  viewerMessagesPerSecond: 100,
  burstSeconds: 2,
  // What credits allow, and room for states and spectra.
  processorBufferedBytes: MAX_CREDITS * MAX_BLOCK_FRAME_BYTES + MIB,
  viewerBufferedBytes: MIB,
  closeMs: 1_000,
};

/** Pieces in which a client may send one message: browsers cut at 64 KiB and above, floods at a byte. */
export const MAX_FRAGMENTS = 32;

/** Chunks of TCP that one fragment may arrive in; the longest message is 64 KiB, a chunk is rarely below 536 B. */
export const MAX_BUFFERED_CHUNKS = 1024;

/** Messages per second, averaged: a bucket that fills at the rate and holds a burst. */
export class RateLimit {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burstSeconds: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#capacity = perSecond * burstSeconds;
    this.#tokens = this.#capacity;
    this.#atMs = nowMs;
  }

  /** Whether one more fits. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
