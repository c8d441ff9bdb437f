/**
 * How a block reaches the GPU: in chunks that fit one upload buffer, each with the table of its slices.
 *
 * A live block is one chunk and one upload. A whole file is cut where the buffer or the adapter ends.
 */
import { checkBlock } from '../block.ts';
import type { EngineBlock } from '../engine.ts';

/** A stretch of the block's samples and where it goes in the upload buffer; in samples. */
interface Upload {
  readonly from: number;
  readonly to: number;
  readonly samples: number;
}

export interface Chunk {
  readonly uploads: readonly Upload[];
  /** Samples in the upload buffer. */
  readonly samples: number;
  readonly slices: number;
  /** [slices][2]: index in the upload buffer of the first I and of the first Q sample. */
  readonly table: Uint32Array<ArrayBuffer>;
}

/** The whole stretch from the first to the last sample in one upload, so that the table keeps the offsets. */
function wholeBlock({ segments }: EngineBlock, bins: number, from: number, samples: number): Chunk {
  const table = segments.flatMap(({ offset, slices }) =>
    Array.from({ length: slices }, (_, s) => {
      const i = offset - from + s * bins;
      return [i, i + slices * bins];
    }),
  );
  return {
    uploads: [{ from, to: 0, samples }],
    samples,
    slices: table.length,
    table: Uint32Array.from(table.flat()),
  };
}

/** Collects stretches of slices until a chunk is full. */
class ChunkFiller {
  readonly chunks: Chunk[] = [];
  #uploads: Upload[] = [];
  #table: number[] = [];
  #samples = 0;

  /** Slices whose I begin at `i` and whose Q begin at `q`. */
  add(i: number, q: number, slices: number, bins: number): void {
    const samples = slices * bins;
    const to = this.#samples;
    this.#uploads.push({ from: i, to, samples }, { from: q, to: to + samples, samples });
    for (let s = 0; s < slices; s++) this.#table.push(to + s * bins, to + samples + s * bins);
    this.#samples += 2 * samples;
  }

  get slices(): number {
    return this.#table.length / 2;
  }

  close(): void {
    if (this.slices === 0) return;
    this.chunks.push({
      uploads: this.#uploads,
      samples: this.#samples,
      slices: this.slices,
      table: Uint32Array.from(this.#table),
    });
    this.#uploads = [];
    this.#table = [];
    this.#samples = 0;
  }
}

/**
 * @param chunkSlices slices in one chunk, at most
 * @throws {EngineError} `bad-block`
 */
export function planChunks(block: EngineBlock, bins: number, chunkSlices: number): Chunk[] {
  checkBlock(block, bins);
  const from = block.segments.reduce((least, { offset }) => Math.min(least, offset), Infinity);
  const end = block.segments.reduce((most, s) => Math.max(most, s.offset + 2 * s.slices * bins), 0);
  if (end - from <= 2 * chunkSlices * bins) return [wholeBlock(block, bins, from, end - from)];

  const filler = new ChunkFiller();
  for (const { offset, slices } of block.segments) {
    for (let first = 0; first < slices; ) {
      if (filler.slices === chunkSlices) filler.close();
      const taken = Math.min(slices - first, chunkSlices - filler.slices);
      const i = offset + first * bins;
      filler.add(i, i + slices * bins, taken, bins);
      first += taken;
    }
  }
  filler.close();
  return filler.chunks;
}
