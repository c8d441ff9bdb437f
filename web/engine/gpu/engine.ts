/**
 * The WebGPU engine: blocks go round a ring of lanes, so that upload, computation and read-back overlap.
 *
 * A fault of the device ends the engine: every pending block rejects at once with the fault, every later one,
 * too, and somebody else has to compute them. An engine never repairs itself; a new one is made.
 */
import { slicesPerBlockLimit } from '../../../bridge/protocol/geometry.ts';
import { type BlockMoments, emptyTimeSums, type TimeSums } from '../../../bridge/protocol/moments.ts';
import { gpuLengths } from '../../../shaders/plan.ts';
import { SUM_FIELDS, type SumField } from '../../../shaders/spectrum.ts';
import {
  type EngineBlock,
  type EngineDescription,
  EngineError,
  type EngineOptions,
  type SpectrumEngine,
} from '../engine.ts';
import { runSelfTest } from '../self-test.ts';
import { windowCoefficients } from '../../../bridge/protocol/window.ts';
import { type Chunk, planChunks } from './chunks.ts';
import { adapterName, requestAdapter, requestDevice, watchDevice } from './device.ts';
import { Lane, type LaneAnswer, type LaneJob, type LaneSizes } from './lane.ts';
import { MergePass } from './merge-pass.ts';
import { clipBits } from './clip-bits.ts';
import { betterExponent } from '../scale.ts';
import { SpectrumPass } from './spectrum-pass.ts';

/** Lanes of the ring: one uploads, one computes, one is read. */
const LANES = 3;

/** A workgroup with fewer slices costs more to merge than it saves. */
const SLICES_PER_WORKGROUP = 4;

/** Real adapters want a few workgroups per core; software ones zero-fill memory for each. */
const MOST_WORKGROUPS = { real: 512, software: 4 } as const;

/**
 * Bytes of one upload, below the 128 MiB that every device binds: a file of nominal length on a real adapter.
 * On a software one a live block, so that no dispatch comes near the 10 s after which drivers give up, and no
 * running mean gets longer than 40 slices, whose rounding stays below that of the transform.
 */
const MOST_UPLOAD_BYTES = 96 * 2 ** 20;

/** No answer for so long means that the driver hangs without saying so. */
const BLOCK_LIMIT_MS = 30_000;

interface Limits {
  readonly chunkSlices: number;
  readonly workgroups: number;
}

const limitsFor = (bins: number, software: boolean): Limits =>
  software
    ? { chunkSlices: slicesPerBlockLimit(bins), workgroups: MOST_WORKGROUPS.software }
    : { chunkSlices: Math.floor(MOST_UPLOAD_BYTES / (8 * bins)), workgroups: MOST_WORKGROUPS.real };

const workgroupsFor = (slices: number, most: number): number =>
  Math.max(1, Math.min(most, Math.floor(slices / SLICES_PER_WORKGROUP)));

const fieldIndex = Object.fromEntries(SUM_FIELDS.map((field, i) => [field, i])) as Record<SumField, number>;

/** Adds up the workgroups' records in float64 and takes the scale out again, exactly. */
function timeSumsOf(
  sums: Float32Array,
  bins: number,
  scaleExponent: number,
): TimeSums & { nonFinite: number } {
  const time = { ...emptyTimeSums(), nonFinite: 0 };
  const scale = 2 ** -scaleExponent;
  for (let at = 0; at < sums.length; at += SUM_FIELDS.length) {
    const value = (field: SumField): number => sums[at + fieldIndex[field]] as number;
    const slices = value('slices');
    time.samples += slices * bins;
    time.minI = Math.min(time.minI, value('minI'));
    time.maxI = Math.max(time.maxI, value('maxI'));
    time.minQ = Math.min(time.minQ, value('minQ'));
    time.maxQ = Math.max(time.maxQ, value('maxQ'));
    time.clipped += value('clipped');
    time.nonFinite += value('nonFinite');
    time.sumI += slices * value('meanI') * scale;
    time.sumQ += slices * value('meanQ') * scale;
    time.sumII += slices * value('meanII') * scale * scale;
    time.sumQQ += slices * value('meanQQ') * scale * scale;
    time.sumIQ += slices * value('meanIQ') * scale * scale;
  }
  return time;
}

const peakOf = (t: TimeSums): number => Math.max(-t.minI, t.maxI, -t.minQ, t.maxQ);

export class GpuEngine implements SpectrumEngine {
  readonly description: EngineDescription;
  readonly depth = LANES;
  /** Resolves with the fault, or `disposed`, that ended this engine; it never rejects. */
  readonly ended: Promise<EngineError>;
  readonly #device: GPUDevice;
  readonly #bins: number;
  readonly #limits: Limits;
  readonly #lanes: readonly Lane[];
  readonly #free: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  readonly #pending = new Set<(reason: EngineError) => void>();
  #over: EngineError | undefined;
  #released: Promise<void> | undefined;
  #onEnd: (reason: EngineError) => void = () => {};
  #lastBlockMs: number | undefined;
  /** First guess for the next block: samples of one run are of one size. */
  #scaleExponent = 0;

  constructor(
    device: GPUDevice,
    name: string,
    software: boolean,
    bins: number,
    passes: { spectrum: SpectrumPass; merge: MergePass },
  ) {
    this.description = { kind: 'gpu', name, why: 'WebGPU passed its self-test' };
    this.#device = device;
    this.#bins = bins;
    this.#limits = limitsFor(bins, software);
    const live = slicesPerBlockLimit(bins);
    const sizes: LaneSizes = {
      samples: 2 * bins * live,
      slices: live,
      partials: workgroupsFor(live, this.#limits.workgroups),
    };
    this.#lanes = Array.from({ length: LANES }, (_, index) => new Lane(device, passes, bins, index, sizes));
    this.#free = [...this.#lanes];
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    watchDevice(device, (fault) => this.#end(fault));
  }

  /** Time of the last block on the GPU, from timestamps; nothing where the adapter has none. */
  get lastBlockMs(): number | undefined {
    return this.#lastBlockMs;
  }

  /**
   * The block is left as it is, and may be given to another engine when this one rejects.
   * @throws {EngineError}
   */
  process(block: EngineBlock): Promise<BlockMoments> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#pending.add(reject);
      this.#process(block)
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject));
    });
  }

  async dispose(): Promise<void> {
    this.#end(new EngineError('disposed', 'the GPU engine was shut down'));
    await this.#released;
  }

  #end(reason: EngineError): void {
    if (this.#over) return;
    this.#over = reason;
    this.#onEnd(reason);
    for (const reject of this.#pending) reject(reason);
    // Later, because Dawn reports some faults from inside of a call, and holds its lock until that returns.
    this.#released = new Promise((resolve) => {
      setTimeout(() => {
        for (const lane of this.#lanes) lane.destroy();
        this.#device.destroy();
        resolve();
      });
    });
  }

  async #process(block: EngineBlock): Promise<BlockMoments> {
    const chunks = planChunks(block, this.#bins, this.#limits.chunkSlices);
    const lane = await this.#takeLane();
    if (this.#over) throw this.#over;
    const watchdog = setTimeout(
      () => this.#end(new EngineError('device-lost', `no answer from the GPU in ${BLOCK_LIMIT_MS / 1000} s`)),
      BLOCK_LIMIT_MS,
    );
    try {
      return await this.#compute(lane, block, chunks);
    } catch (cause) {
      if (cause instanceof EngineError) {
        // A block may be at fault alone; memory and commands are the whole engine's.
        if (cause.code !== 'non-finite') this.#end(cause);
        throw cause;
      }
      throw (
        this.#over ?? new EngineError('device-lost', `the GPU did not answer: ${String(cause)}`, { cause })
      );
    } finally {
      clearTimeout(watchdog);
      this.#giveLane(lane);
    }
  }

  async #compute(lane: Lane, block: EngineBlock, chunks: readonly Chunk[]): Promise<BlockMoments> {
    const slices = chunks.reduce((sum, chunk) => sum + chunk.slices, 0);
    const job = {
      samples: block.samples,
      chunks,
      workgroups: chunks.map((chunk) => workgroupsFor(chunk.slices, this.#limits.workgroups)),
      clipBits: clipBits(block.clipLevel),
    };
    let scaleExponent = this.#scaleExponent;
    for (;;) {
      const answer = await this.#ask(lane, { ...job, scaleExponent });
      const { nonFinite, ...time } = timeSumsOf(answer.sums, this.#bins, scaleExponent);
      if (time.samples !== slices * this.#bins) {
        const done = time.samples / this.#bins;
        throw new EngineError('self-test', `the GPU did ${done} of ${slices} slices: its driver is at fault`);
      }
      if (nonFinite > 0) throw new EngineError('non-finite', 'the block holds NaN or Inf');
      const better = betterExponent(peakOf(time), scaleExponent);
      if (better === undefined) return this.#moments(answer, slices, scaleExponent, time);
      scaleExponent = better;
      this.#scaleExponent = better;
    }
  }

  async #ask(lane: Lane, job: LaneJob): Promise<LaneAnswer> {
    const answer = await lane.run(job);
    if (this.#over) throw this.#over;
    this.#lastBlockMs = answer.gpuMs;
    return answer;
  }

  #moments(answer: LaneAnswer, count: number, scaleExponent: number, time: TimeSums): BlockMoments {
    const mean = answer.merged.slice(0, this.#bins);
    const m2 = answer.merged.slice(this.#bins);
    return { count, scaleExponent, mean, m2, time };
  }

  #takeLane(): Promise<Lane> {
    const lane = this.#free.pop();
    return lane ? Promise.resolve(lane) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveLane(lane: Lane): void {
    const next = this.#waiting.shift();
    if (next) next(lane);
    else this.#free.push(lane);
  }
}

async function build(
  device: GPUDevice,
  name: string,
  software: boolean,
  options: EngineOptions,
): Promise<GpuEngine> {
  const { bins, window } = options;
  const taper = window === 'none' ? undefined : Float32Array.from(windowCoefficients(window, bins));
  const [spectrum, merge] = await Promise.all([
    SpectrumPass.create(device, bins, taper),
    MergePass.create(device, bins),
  ]);
  return new GpuEngine(device, name, software, bins, { spectrum, merge });
}

/**
 * Opens a fresh device, compiles the kernels for one length, and asks them a question with a known answer.
 *
 * @param gpu `navigator.gpu`, or Dawn's in Node
 * @throws {EngineError} `unavailable` (no adapter, no such length, kernels refused), `self-test`, `device-lost`
 */
export async function createGpuEngine(gpu: GPU, options: EngineOptions): Promise<GpuEngine> {
  if (!gpuLengths.includes(options.bins)) {
    const lengths = gpuLengths.join(', ');
    throw new EngineError('unavailable', `the GPU transforms ${lengths} bins, not ${options.bins}`);
  }
  const adapter = await requestAdapter(gpu);
  const name = adapterName(adapter);
  const device = await requestDevice(adapter);
  let engine: GpuEngine;
  try {
    engine = await build(device, name, adapter.info.isFallbackAdapter, options);
  } catch (cause) {
    device.destroy();
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('unavailable', `${name} cannot run the kernels: ${String(cause)}`, { cause });
  }
  try {
    await runSelfTest(engine, options);
  } catch (error) {
    await engine.dispose();
    throw error;
  }
  return engine;
}
