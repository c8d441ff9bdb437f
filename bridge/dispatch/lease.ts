/**
 * What the dispatcher and the server say to each other: blocks, leases, and the session of one processor.
 *
 * A lease is one block given to one processor under a rising epoch. Only the current lease's first valid answer
 * counts; an answer of an older epoch is dropped.
 */
import type { BlockMoments } from '../protocol/moments.ts';
import type { EngineSummary } from '../protocol/state.ts';

/** Slices as they came in one message. */
export interface BlockSegment {
  /** `slices` slices of I, then the same of Q; little-endian float32. */
  readonly value: Buffer;
  readonly slices: number;
}

/** Up to about 160 slices of one file. */
export interface Block {
  readonly id: number;
  readonly file: number;
  readonly bins: number;
  readonly slices: number;
  readonly segments: readonly BlockSegment[];
  /** Σ|x|² over all samples in V², summed by the bridge: the other side of Parseval's equation. */
  readonly energy: number;
  readonly clipLevel: number;
}

export interface Lease {
  readonly block: Block;
  readonly epoch: number;
}

/** The server's side of one processor: how leases reach it. */
export interface ProcessorLink {
  readonly id: string;
  readonly headless: boolean;
  readonly engine: EngineSummary;
  /** Sends the block; must not block and must not be called beyond the credits granted. */
  deliver(lease: Lease): void;
  /** Ends the connection: its answers cannot be trusted, or it has been silent too long. */
  dismiss(code: 'bad-results' | 'silent', message: string): void;
}

/** The dispatcher's side of one processor: what the server reports of it. */
export interface ProcessorSession {
  grant(blocks: number): void;
  answer(block: number, epoch: number, moments: BlockMoments, computeMs: number): void;
  failed(block: number, epoch: number, code: string, message: string): void;
  engineChanged(engine: EngineSummary): void;
  /** The connection is gone: its leases go to the next processor. */
  leave(): void;
}
