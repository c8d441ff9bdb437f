/**
 * The one interface of every spectrum engine: a block of slices in, moments out.
 *
 * An engine keeps nothing between blocks, so a block may be given to any engine, twice, or in any order.
 * Implementations: WebGPU (`gpu`), WebAssembly SIMD in workers (`wasm`) and plain TypeScript (`ts`).
 */
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import type { WindowName } from '../../bridge/protocol/window.ts';

/** A stretch of a block as it came in one message: `slices` slices of I, then the same slices of Q. */
export interface Segment {
  /** Index in `samples` of the first I sample; Q begins `slices · bins` samples later. */
  readonly offset: number;
  readonly slices: number;
}

/** Slices of one file, in any order. */
export interface EngineBlock {
  /** Float32 samples in volts. The engine may transfer the buffer: the caller must not touch it any more. */
  readonly samples: Float32Array<ArrayBuffer>;
  readonly segments: readonly Segment[];
  /** Samples with |x| ≥ this are counted as clipped; Infinity counts none. */
  readonly clipLevel: number;
  /** The engine keeps the buffer for `spareBuffer` when it is done with it, if it can. */
  readonly keepBuffer?: boolean;
}

export type EngineKind = 'gpu' | 'wasm' | 'ts';

/** What is shown of an engine, and sent to the bridge. */
export interface EngineDescription {
  readonly kind: EngineKind;
  /** Adapter's or processor's name, as a person knows it. */
  readonly name: string;
  /** Why this engine and no faster one: a sentence for the status strip. */
  readonly why: string;
}

export interface EngineOptions {
  readonly bins: number;
  readonly window: WindowName;
}

export interface SpectrumEngine {
  readonly description: EngineDescription;
  /** Blocks to keep in flight so that upload, compute and read-back overlap. */
  readonly depth: number;
  /** @throws {EngineError} */
  process(block: EngineBlock): Promise<BlockMoments>;
  /** A buffer of this size, of a block with `keepBuffer` that is done; it holds anything. */
  spareBuffer?(bytes: number): ArrayBuffer | undefined;
  /** Frees workers, buffers and the device; pending blocks reject with `disposed`. */
  dispose(): Promise<void>;
}

/**
 * Closed list of what can go wrong in an engine.
 * - `unavailable`: this machine or page cannot run the engine (no WebGPU, no SIMD, insecure page)
 * - `self-test`: it runs, but its answer to a known question is wrong or too slow
 * - `device-lost`: the GPU or a worker thread went away; the block was not computed
 * - `out-of-memory`: buffers could not be had
 * - `non-finite`: the block holds NaN or Inf and cannot be averaged
 * - `bad-block`: segments that do not fit the samples; a programming error or a corrupt frame
 * - `disposed`: the engine was shut down first
 */
export type EngineErrorCode =
  | 'unavailable'
  | 'self-test'
  | 'device-lost'
  | 'out-of-memory'
  | 'non-finite'
  | 'bad-block'
  | 'disposed';

export class EngineError extends Error {
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}
