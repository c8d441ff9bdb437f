/**
 * Binary WebSocket frames: blocks to a processor, moments back, spectra to everybody.
 * The layouts are drawn above their codecs; all numbers little-endian.
 */
import type { BlockMoments, TimeSums } from './moments.ts';

/** Version of frames and control messages together. A client of another version is refused. */
export const PROTOCOL_VERSION = 2;

/** A stretch of a block as it came in one message: its slices of I, then the same slices of Q. */
export interface FrameSegment {
  /** Index of the first I sample in `samples`. */
  readonly offset: number;
  readonly slices: number;
}

/** Bridge → processor: one leased block. */
export interface BlockFrame {
  readonly block: number;
  readonly epoch: number;
  readonly file: number;
  readonly bins: number;
  /** Samples with |x| ≥ this count as clipped; Infinity counts none. */
  readonly clipLevel: number;
  readonly segments: readonly FrameSegment[];
  /** View into the received frame, 16-byte aligned, no copy. */
  readonly samples: Float32Array<ArrayBuffer>;
}

/** Processor → bridge: the answer to one lease. */
export interface MomentsFrame {
  readonly block: number;
  readonly epoch: number;
  /** Engine time for the block by the processor's own clock. */
  readonly computeMs: number;
  readonly moments: BlockMoments;
}

export type Trace = 'latest' | 'progress' | 'run';

/** Bridge → every client: one spectrum, normalised as published, ascending frequency. */
export interface SpectrumFrame {
  /** Rises with every spectrum sent on a connection; answered by `seen`, which is the viewer's credit. */
  readonly sequence: number;
  readonly trace: Trace;
  readonly run: string;
  /** File of `latest` and `progress`; the newest file contained in `run`. */
  readonly file: number;
  /** Files averaged: 1, or for `run` how many. */
  readonly files: number;
  /** Slices averaged, n of every band. */
  readonly slices: number;
  /** Slices that the file will have; 0 where not known or not of one file. */
  readonly slicesExpected: number;
  /** UTC in milliseconds of the newest sample contained; NaN where not known. */
  readonly newestUtcMs: number;
  /** Over all samples averaged. */
  readonly time: TimeSums;
  /** [bins] mean power, and sample standard deviation (NaN for a single slice). */
  readonly mean: Float32Array;
  readonly std: Float32Array;
}

/** First byte pair of every frame: 'H' 'S'. */
export const FRAME_MAGIC = 0x5348;

/** Fourth byte of every frame. */
export const FRAME_TYPES = { block: 1, moments: 2, spectrum: 3 } as const;
export type FrameType = keyof typeof FRAME_TYPES;

/**
 * Closed list of what can be wrong with a received frame.
 * - `not-a-frame`: it does not begin with the magic
 * - `version`: made by another version of this protocol
 * - `type`: no frame type, or not the one expected here
 * - `truncated`: shorter than its own numbers say
 * - `trailing`: longer than its own numbers say
 * - `out-of-range`: a number that no peer of this version sends
 */
export type FrameErrorCode = 'not-a-frame' | 'version' | 'type' | 'truncated' | 'trailing' | 'out-of-range';

export class FrameError extends Error {
  readonly code: FrameErrorCode;
  constructor(code: FrameErrorCode, message: string) {
    super(message);
    this.name = 'FrameError';
    this.code = code;
  }
}
