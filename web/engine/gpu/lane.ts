/**
 * One lane of the ring: everything on the GPU that a block in flight needs, from upload to read-back.
 *
 *     samples ─┐                                    ┌─▶ merged ─┐
 *     slices  ─┼─▶ spectrum ─▶ moments, sums ─▶ merge           ├─▶ readback
 *     params  ─┘                     └──────────────────────────┘
 *
 * Lanes share nothing, so one uploads while another computes and a third is read. Buffers grow to the largest
 * block seen, and then stay; a live block, whose size is bounded, never makes them grow.
 *
 * Read-back, in words: [4] two timestamps in ns, [2][bins] merged moments, [partials][12] sums.
 */
import { PARAMS_BYTES, SUM_FIELDS } from '../../../shaders/spectrum.ts';
import type { Chunk } from './chunks.ts';
import { checked } from './device.ts';
import { BUFFER_USAGE, MAP_MODE_READ } from './flags.ts';
import { MERGE_PARAMS_BYTES, type MergePass } from './merge-pass.ts';
import type { SpectrumPass } from './spectrum-pass.ts';

export interface LanePasses {
  readonly spectrum: SpectrumPass;
  readonly merge: MergePass;
}

/** What the kernels are told about a block, besides its samples. */
export interface LaneJob {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly chunks: readonly Chunk[];
  /** Workgroups of each chunk. */
  readonly workgroups: readonly number[];
  readonly clipBits: number;
  readonly scaleExponent: number;
}

/** What comes back, copied out of the mapped buffer. */
export interface LaneAnswer {
  /** [2][bins] */
  readonly merged: Float32Array<ArrayBuffer>;
  /** [partials][SUM_FIELDS.length] */
  readonly sums: Float32Array<ArrayBuffer>;
  /** Time on the GPU; nothing where the adapter has no timestamps. */
  readonly gpuMs: number | undefined;
}

/** What a lane has room for: samples and slices of one chunk, records of one block. */
export interface LaneSizes {
  readonly samples: number;
  readonly slices: number;
  readonly partials: number;
}

interface LaneBuffers {
  readonly samples: GPUBuffer;
  readonly slices: GPUBuffer;
  readonly moments: GPUBuffer;
  readonly sums: GPUBuffer;
  readonly merged: GPUBuffer;
  readonly params: GPUBuffer;
  readonly mergeParams: GPUBuffer;
  readonly readback: GPUBuffer;
}

const TIMESTAMP_BYTES = 16;
const SUMS_BYTES = SUM_FIELDS.length * 4;

const sizesOf = ({ chunks, workgroups }: LaneJob): LaneSizes => ({
  samples: chunks.reduce((most, chunk) => Math.max(most, chunk.samples), 0),
  slices: chunks.reduce((most, chunk) => Math.max(most, chunk.slices), 0),
  partials: workgroups.reduce((sum, n) => sum + n, 0),
});

export class Lane {
  readonly #device: GPUDevice;
  readonly #passes: LanePasses;
  readonly #bins: number;
  readonly #label: string;
  readonly #queries: GPUQuerySet | undefined;
  readonly #timestamps: GPUBuffer | undefined;
  #sizes: LaneSizes;
  #buffers: LaneBuffers | undefined;
  #spectrumGroup: GPUBindGroup | undefined;
  #mergeGroup: GPUBindGroup | undefined;

  constructor(device: GPUDevice, passes: LanePasses, bins: number, index: number, sizes: LaneSizes) {
    this.#sizes = sizes;
    this.#device = device;
    this.#passes = passes;
    this.#bins = bins;
    this.#label = `lane ${index}`;
    if (!device.features.has('timestamp-query')) return;
    this.#queries = device.createQuerySet({ label: this.#label, type: 'timestamp', count: 2 });
    this.#timestamps = device.createBuffer({
      label: `${this.#label}: timestamps`,
      size: TIMESTAMP_BYTES,
      usage: BUFFER_USAGE.queryResolve | BUFFER_USAGE.copySource,
    });
  }

  /** @throws {EngineError} `out-of-memory`; anything else that a lost device makes of the read-back */
  async run(job: LaneJob): Promise<LaneAnswer> {
    const sizes = sizesOf(job);
    const buffers = await this.#fit(sizes);
    this.#submit(job, sizes, buffers);
    const bytes = this.#readbackBytes(sizes.partials);
    await buffers.readback.mapAsync(MAP_MODE_READ, 0, bytes);
    const copy = buffers.readback.getMappedRange(0, bytes).slice(0);
    buffers.readback.unmap();
    return this.#unpack(copy);
  }

  /** One command buffer per chunk: the queue puts each upload before the dispatch that reads it. */
  #submit(job: LaneJob, { partials }: LaneSizes, buffers: LaneBuffers): void {
    const { queue } = this.#device;
    const slices = job.chunks.reduce((sum, chunk) => sum + chunk.slices, 0);
    let firstPartial = 0;
    for (const [index, chunk] of job.chunks.entries()) {
      const workgroups = job.workgroups[index] as number;
      for (const { from, to, samples } of chunk.uploads) {
        queue.writeBuffer(buffers.samples, 4 * to, job.samples, from, samples);
      }
      queue.writeBuffer(buffers.slices, 0, chunk.table);
      this.#passes.spectrum.writeParams(buffers.params, {
        ...job,
        slices: chunk.slices,
        workgroups,
        firstPartial,
      });
      const encoder = this.#device.createCommandEncoder({ label: `${this.#label}, chunk ${index}` });
      // Cleared, so that a kernel that did not run is seen as zero slices and not as the previous block.
      if (index === 0) encoder.clearBuffer(buffers.sums);
      this.#passes.spectrum.run(
        encoder,
        this.#spectrumGroup as GPUBindGroup,
        workgroups,
        this.#stamp(index === 0, 0),
      );
      firstPartial += workgroups;
      queue.submit([encoder.finish()]);
    }
    this.#passes.merge.writeParams(buffers.mergeParams, partials, slices);
    queue.submit([this.#encodeMerge(partials, buffers)]);
  }

  #encodeMerge(partials: number, buffers: LaneBuffers): GPUCommandBuffer {
    const encoder = this.#device.createCommandEncoder({ label: `${this.#label}, merge` });
    encoder.clearBuffer(buffers.merged);
    this.#passes.merge.run(encoder, this.#mergeGroup as GPUBindGroup, this.#stamp(true, 1));
    if (this.#queries && this.#timestamps) {
      encoder.resolveQuerySet(this.#queries, 0, 2, this.#timestamps, 0);
      encoder.copyBufferToBuffer(this.#timestamps, 0, buffers.readback, 0, TIMESTAMP_BYTES);
    }
    const momentsBytes = 8 * this.#bins;
    encoder.copyBufferToBuffer(buffers.merged, 0, buffers.readback, TIMESTAMP_BYTES, momentsBytes);
    const sumsAt = TIMESTAMP_BYTES + momentsBytes;
    encoder.copyBufferToBuffer(buffers.sums, 0, buffers.readback, sumsAt, partials * SUMS_BYTES);
    return encoder.finish();
  }

  /** Query 0 is the beginning of the first pass, query 1 the end of the last. */
  #stamp(wanted: boolean, query: 0 | 1): GPUComputePassTimestampWrites | undefined {
    if (!this.#queries || !wanted) return undefined;
    return query === 0
      ? { querySet: this.#queries, beginningOfPassWriteIndex: 0 }
      : { querySet: this.#queries, endOfPassWriteIndex: 1 };
  }

  #unpack(bytes: ArrayBuffer): LaneAnswer {
    const [begin, end] = new BigUint64Array(bytes, 0, 2) as unknown as [bigint, bigint];
    const sumsAt = TIMESTAMP_BYTES + 8 * this.#bins;
    return {
      merged: new Float32Array(bytes, TIMESTAMP_BYTES, 2 * this.#bins),
      sums: new Float32Array(bytes, sumsAt),
      gpuMs: this.#queries && end >= begin ? Number(end - begin) / 1e6 : undefined,
    };
  }

  destroy(): void {
    for (const buffer of Object.values(this.#buffers ?? {})) (buffer as GPUBuffer).destroy();
    this.#timestamps?.destroy();
    this.#queries?.destroy();
  }

  #readbackBytes(partials: number): number {
    return TIMESTAMP_BYTES + 8 * this.#bins + partials * SUMS_BYTES;
  }

  async #fit(wanted: LaneSizes): Promise<LaneBuffers> {
    const now = this.#sizes;
    const fits =
      wanted.samples <= now.samples && wanted.slices <= now.slices && wanted.partials <= now.partials;
    if (this.#buffers && fits) return this.#buffers;
    for (const buffer of Object.values(this.#buffers ?? {})) (buffer as GPUBuffer).destroy();
    this.#buffers = undefined;
    // The first time `now` is what the lane was made for, and larger than most blocks.
    const sizes = {
      samples: Math.max(wanted.samples, now.samples),
      slices: Math.max(wanted.slices, now.slices),
      partials: Math.max(wanted.partials, now.partials),
    };
    this.#buffers = await checked(this.#device, () => this.#allocate(sizes));
    this.#sizes = sizes;
    return this.#buffers;
  }

  #allocate(sizes: LaneSizes): LaneBuffers {
    const { storage, copySource, copyTarget, uniform, mapRead } = BUFFER_USAGE;
    const make = (name: string, size: number, usage: number): GPUBuffer =>
      this.#device.createBuffer({ label: `${this.#label}: ${name}`, size, usage });
    const buffers: LaneBuffers = {
      samples: make('samples', sizes.samples * 4, storage | copyTarget),
      slices: make('slices', sizes.slices * 8, storage | copyTarget),
      moments: make('moments', sizes.partials * 8 * this.#bins, storage),
      sums: make('sums', sizes.partials * SUMS_BYTES, storage | copySource | copyTarget),
      merged: make('merged', 8 * this.#bins, storage | copySource | copyTarget),
      params: make('params', PARAMS_BYTES, uniform | copyTarget),
      mergeParams: make('merge params', MERGE_PARAMS_BYTES, uniform | copyTarget),
      readback: make('read-back', this.#readbackBytes(sizes.partials), mapRead | copyTarget),
    };
    this.#spectrumGroup = this.#passes.spectrum.bind(this.#label, buffers);
    this.#mergeGroup = this.#passes.merge.bind(this.#label, { ...buffers, params: buffers.mergeParams });
    return buffers;
  }
}
