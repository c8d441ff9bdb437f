/**
 * A recording, whatever form it has on disk, and how it is read as blocks for an engine.
 *
 *   pair          duck_i: I I I I …          duck_q: Q Q Q Q …        float32
 *   interleaved   I Q I Q I Q …                                       float32, or int16 with full scale 1
 *
 * Samples of one stretch follow each other without a gap; slices never reach across a gap. What does not fill a slice
 * at the end of a stretch is not transformed.
 */
import { sliceBytes, slicesPerBlockLimit } from '../../bridge/protocol/geometry.ts';
import { BYTES_PER_SAMPLE } from '../../bridge/protocol/pairs.ts';
import type { ByteSource, OpenSource } from '../../bridge/protocol/source.ts';
import type { Checksum } from './checksum.ts';
import type { EngineBlock } from '../engine/engine.ts';

/** Samples one after the other, as complex numbers. */
export interface Stretch {
  /** First sample. */
  readonly from: number;
  readonly samples: number;
}

/** How an interleaved file holds its numbers, little-endian. */
export type SampleType = 'cf32' | 'ci16';

/** Bytes of one complex sample. */
export const SAMPLE_BYTES: Readonly<Record<SampleType, number>> = { cf32: 8, ci16: 4 };

/** Integer samples are fractions of full scale, as SigMF's own readers take them: exact in float32. */
const INT16_SCALE = 2 ** -15;

interface Common {
  /** For people, and unique within a session. */
  readonly path: string;
  /** Number of the pair; null where the recording has none. */
  readonly file: number | null;
  /** Of all samples. */
  readonly bytes: number;
  readonly stretches: readonly Stretch[];
  /** What the recording says of itself; null where it does not. */
  readonly sampleRateHz: number | null;
  readonly loHz: number | null;
  readonly startMs: number | null;
  /** When the last byte was written. */
  readonly modifiedMs: number;
  /** Of files whose metadata say what they have to be. */
  readonly checksums: readonly Checksum[];
}

export type Recording = Common &
  (
    | { readonly kind: 'pair'; readonly i: ByteSource; readonly q: ByteSource }
    | { readonly kind: 'interleaved'; readonly type: SampleType; readonly source: ByteSource }
  );

export const samplesOf = ({ stretches }: Recording): number =>
  stretches.reduce((sum, { samples }) => sum + samples, 0);

export const slicesOf = ({ stretches }: Recording, bins: number): number =>
  stretches.reduce((sum, { samples }) => sum + Math.floor(samples / bins), 0);

/**
 * When the recording began: as it says, or by the modification time less its duration. Unix milliseconds; a browser
 * knows no fractions of them, and so there are none.
 */
export const startOf = (recording: Recording, sampleRateHz: number): number =>
  recording.startMs ??
  Math.round(Math.floor(recording.modifiedMs) - (1000 * samplesOf(recording)) / sampleRateHz);

/** Consecutive slices that make one block. */
export interface Piece {
  /** First sample. */
  readonly from: number;
  readonly slices: number;
}

function* piecesOf(stretches: readonly Stretch[], bins: number): Generator<Piece, void, void> {
  const most = slicesPerBlockLimit(bins);
  for (const { from, samples } of stretches) {
    const slices = Math.floor(samples / bins);
    for (let done = 0; done < slices; done += most)
      yield { from: from + done * bins, slices: Math.min(most, slices - done) };
  }
}

/** Fills the samples of one block: all I, then all Q. */
interface SampleReader {
  read(into: Float32Array<ArrayBuffer>, from: number): Promise<void>;
}

export interface PieceBlock {
  readonly piece: Piece;
  readonly block: EngineBlock;
}

/** Gives a buffer of at least this size; whatever it holds is overwritten. */
export type GiveBuffer = (bytes: number) => ArrayBuffer;

/** The blocks of a recording, one after the other. */
export class BlockReader {
  readonly #sources: readonly OpenSource[];
  readonly #reader: SampleReader;
  readonly #pieces: Generator<Piece, void, void>;
  readonly #bins: number;

  private constructor(recording: Recording, bins: number, sources: readonly OpenSource[]) {
    this.#sources = sources;
    this.#bins = bins;
    this.#pieces = piecesOf(recording.stretches, bins);
    this.#reader =
      recording.kind === 'pair' ? pairReader(sources) : interleavedReader(recording.type, sources);
  }

  /** @throws {FileProblem} `unreadable`, `growing`, `changed` */
  static async open(recording: Recording, bins: number): Promise<BlockReader> {
    const files = recording.kind === 'pair' ? [recording.i, recording.q] : [recording.source];
    const sources: OpenSource[] = [];
    try {
      for (const file of files) sources.push(await file.open());
      return new BlockReader(recording, bins, sources);
    } catch (error) {
      await closeAll(sources);
      throw error;
    }
  }

  /**
   * Null at the end, after a look at whether the files are still those that were found. All buffers have one size,
   * that of a full block, so that each serves again for any other.
   * @throws {FileProblem} `unreadable`, `changed`
   */
  async next(buffer: GiveBuffer, clipLevel: number): Promise<PieceBlock | null> {
    const { value: piece } = this.#pieces.next();
    if (piece === undefined) {
      for (const source of this.#sources) await source.checkUnchanged();
      return null;
    }
    const bytes = slicesPerBlockLimit(this.#bins) * sliceBytes(this.#bins);
    const samples = new Float32Array(buffer(bytes), 0, 2 * piece.slices * this.#bins);
    await this.#reader.read(samples, piece.from);
    return {
      piece,
      block: { samples, segments: [{ offset: 0, slices: piece.slices }], clipLevel, keepBuffer: true },
    };
  }

  /** Samples of a piece once more, all I, then all Q. Pieces have to come in their order. */
  async again({ from, slices }: Piece): Promise<Float32Array> {
    const samples = new Float32Array(2 * slices * this.#bins);
    await this.#reader.read(samples, from);
    return samples;
  }

  close(): Promise<void> {
    return closeAll(this.#sources);
  }
}

async function closeAll(sources: readonly OpenSource[]): Promise<void> {
  for (const source of sources) await source.close();
}

function pairReader(sources: readonly OpenSource[]): SampleReader {
  const [i, q] = sources as [OpenSource, OpenSource];
  return {
    read: async (into, from) => {
      const half = into.byteLength / 2;
      const position = from * BYTES_PER_SAMPLE;
      const reads = await Promise.allSettled([
        i.read(new Uint8Array(into.buffer, 0, half), position),
        q.read(new Uint8Array(into.buffer, half, half), position),
      ]);
      for (const read of reads) if (read.status === 'rejected') throw read.reason;
    },
  };
}

function interleavedReader(type: SampleType, sources: readonly OpenSource[]): SampleReader {
  const [source] = sources as [OpenSource];
  const sampleBytes = SAMPLE_BYTES[type];
  let raw = new ArrayBuffer(0);
  return {
    read: async (into, from) => {
      const samples = into.length / 2;
      if (raw.byteLength !== samples * sampleBytes) raw = new ArrayBuffer(samples * sampleBytes);
      await source.read(new Uint8Array(raw), from * sampleBytes);
      if (type === 'cf32') separate(new Float32Array(raw), into, 1);
      else separate(new Int16Array(raw), into, INT16_SCALE);
    },
  };
}

/** I Q I Q … → I … Q …, times a power of two. */
function separate(from: Float32Array | Int16Array, into: Float32Array, scale: number): void {
  const samples = into.length / 2;
  for (let k = 0; k < samples; k++) {
    into[k] = (from[2 * k] as number) * scale;
    into[samples + k] = (from[2 * k + 1] as number) * scale;
  }
}
