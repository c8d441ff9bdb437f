/**
 * Runs the WebAssembly kernel over a block: feeds it four slices at a time and turns its sums into moments.
 *
 * Slices are copied into the kernel's memory one group at a time: 98 KB at 3072 bins, which stay in the L2 cache
 * until the kernel reads them. The copy is the one pass over main memory.
 */
import { type BlockMoments, emptyTimeSums, type TimeSums } from '../../../bridge/protocol/moments.ts';
import { type CpuCore, countClipped, finitePeak, firstExponent } from '../cpu-core.ts';
import { type EngineBlock, EngineError, type EngineOptions } from '../engine.ts';
import { checkBlock } from '../block.ts';
import { betterExponent } from '../scale.ts';
import { windowCoefficients } from '../../../bridge/protocol/window.ts';
import { printKernel } from './kernel.ts';
import { type KernelPlan, LANES, planKernel, stageTwiddles } from './plan.ts';

type GroupFunction = (first: number, scale: number) => void;

/** Sums per lane: ΣI, ΣQ, ΣI², ΣQ², ΣI·Q. */
const TIME_SUMS = 5;

/** Views of the kernel's memory. */
class KernelMemory {
  readonly i: Float32Array;
  readonly q: Float32Array;
  readonly window: Float32Array;
  readonly pivot: Float32Array;
  readonly sum: Float64Array;
  readonly sumSquares: Float64Array;
  /** min I, max I, min Q, max Q, each per lane. */
  readonly range: Float32Array;
  readonly timeSums: Float64Array;

  constructor(buffer: ArrayBuffer, { layout, bins, stages, positions }: KernelPlan) {
    this.i = new Float32Array(buffer, layout.i, LANES * bins);
    this.q = new Float32Array(buffer, layout.q, LANES * bins);
    this.window = new Float32Array(buffer, layout.window, bins);
    this.pivot = new Float32Array(buffer, layout.pivot, positions);
    this.sum = new Float64Array(buffer, layout.sum, positions);
    this.sumSquares = new Float64Array(buffer, layout.sumSquares, positions);
    this.range = new Float32Array(buffer, layout.range, 4 * LANES);
    this.timeSums = new Float64Array(buffer, layout.timeSums, TIME_SUMS * LANES);
    for (const stage of stages.slice(0, -1)) {
      const table = stageTwiddles(stage);
      new Float32Array(buffer, stage.twiddles, table.length).set(table);
    }
  }

  clear(): void {
    this.sum.fill(0);
    this.sumSquares.fill(0);
    this.timeSums.fill(0);
    for (let k = 0; k < this.range.length; k++)
      this.range[k] = Math.floor(k / LANES) % 2 === 0 ? Infinity : -Infinity;
  }

  /** Smallest or largest of the four lanes of row `n` of `range`. */
  extreme(n: number): number {
    const lanes = this.range.subarray(n * LANES, (n + 1) * LANES);
    return n % 2 === 0 ? Math.min(...lanes) : Math.max(...lanes);
  }

  timeSum(n: number): number {
    return this.timeSums.subarray(n * LANES, (n + 1) * LANES).reduce((a, b) => a + b);
  }
}

/** With products and sums in one operation where this engine has relaxed SIMD: Chromium from 114, Node from 22. */
function bestKernel(plan: KernelPlan, windowed: boolean): Uint8Array<ArrayBuffer> {
  const fused = printKernel(plan, { windowed, fused: true });
  return WebAssembly.validate(fused) ? fused : printKernel(plan, { windowed, fused: false });
}

export class WasmCore implements CpuCore {
  readonly kind = 'wasm';
  readonly #plan: KernelPlan;
  readonly #memory: KernelMemory;
  readonly #group: GroupFunction;
  readonly #window: Float64Array | undefined;
  #isFirst = true;
  #scale = 1;

  private constructor(plan: KernelPlan, exports: WebAssembly.Exports, window: Float64Array | undefined) {
    this.#plan = plan;
    this.#group = exports['group'] as GroupFunction;
    this.#memory = new KernelMemory((exports['memory'] as WebAssembly.Memory).buffer, plan);
    this.#window = window;
  }

  /** @throws {EngineError} `unavailable` where WebAssembly or its SIMD is missing */
  static async create({ bins, window }: EngineOptions): Promise<WasmCore> {
    const plan = planKernel(bins);
    const coefficients = window === 'none' ? undefined : windowCoefficients(window, bins);
    const bytes = bestKernel(plan, coefficients !== undefined);
    try {
      const { instance } = await WebAssembly.instantiate(bytes);
      return new WasmCore(plan, instance.exports, coefficients);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError('unavailable', `this machine runs no WebAssembly SIMD: ${reason}`, { cause });
    }
  }

  process(block: EngineBlock): BlockMoments {
    const { bins } = this.#plan;
    checkBlock(block, bins);
    let exponent = firstExponent(block, bins);
    // Twice at most: the second exponent comes from the peak of the whole block.
    for (;;) {
      const count = this.#run(block, exponent);
      const peak = this.#peak(block, exponent);
      const better = betterExponent(peak, exponent);
      if (better === undefined) return this.#answer(block, count, exponent, peak);
      exponent = better;
    }
  }

  /** All slices of a block through the kernel; @returns their number. */
  #run({ samples, segments }: EngineBlock, exponent: number): number {
    const { bins } = this.#plan;
    const memory = this.#memory;
    memory.clear();
    this.#isFirst = true;
    this.#scale = 2 ** exponent;
    this.#window?.forEach((w, n) => {
      memory.window[n] = w;
    });
    let lane = 0;
    let count = 0;
    for (const { offset, slices } of segments) {
      for (let s = 0; s < slices; ) {
        const taken = Math.min(LANES - lane, slices - s);
        const i = offset + s * bins;
        const q = i + slices * bins;
        memory.i.set(samples.subarray(i, i + taken * bins), lane * bins);
        memory.q.set(samples.subarray(q, q + taken * bins), lane * bins);
        lane += taken;
        s += taken;
        if (lane === LANES) {
          this.#runGroup();
          lane = 0;
        }
      }
      count += slices;
    }
    if (lane > 0) this.#runPartialGroup(samples, segments[0] as EngineBlock['segments'][number], lane);
    return count;
  }

  #runGroup(): void {
    this.#group(this.#isFirst ? 1 : 0, this.#scale);
    this.#isFirst = false;
  }

  /** The other lanes repeat the block's first slice: nothing to the moments, and their time sums are undone. */
  #runPartialGroup(
    samples: Float32Array,
    { offset, slices }: EngineBlock['segments'][number],
    lanes: number,
  ) {
    const { bins } = this.#plan;
    const memory = this.#memory;
    const q = offset + slices * bins;
    for (let lane = lanes; lane < LANES; lane++) {
      memory.i.set(samples.subarray(offset, offset + bins), lane * bins);
      memory.q.set(samples.subarray(q, q + bins), lane * bins);
    }
    const before = memory.timeSums.slice();
    this.#runGroup();
    for (let n = 0; n < before.length; n++) if (n % LANES >= lanes) memory.timeSums[n] = before[n] as number;
  }

  /** Largest |sample| of the block, unscaled. NaN and Inf always reach ΣI² or ΣQ², so those tell. */
  #peak(block: EngineBlock, exponent: number): number {
    const memory = this.#memory;
    if (!Number.isFinite(memory.timeSum(2) + memory.timeSum(3))) return finitePeak(block, this.#plan.bins);
    return Math.max(...[0, 1, 2, 3].map((n) => Math.abs(memory.extreme(n)))) * 2 ** -exponent;
  }

  #answer(block: EngineBlock, count: number, exponent: number, peak: number): BlockMoments {
    const { bins, positionOfBin } = this.#plan;
    const { pivot, sum, sumSquares } = this.#memory;
    const mean = new Float32Array(bins);
    const m2 = new Float32Array(bins);
    for (let k = 0; k < bins; k++) {
      const at = positionOfBin[k] as number;
      const deviation = sum[at] as number;
      mean[k] = (pivot[at] as number) + deviation / count;
      m2[k] = Math.max(0, (sumSquares[at] as number) - (deviation * deviation) / count);
    }
    const clipped = peak >= block.clipLevel ? countClipped(block, bins) : 0;
    return { count, scaleExponent: exponent, mean, m2, time: this.#timeSums(count, exponent, clipped) };
  }

  #timeSums(count: number, exponent: number, clipped: number): TimeSums {
    const memory = this.#memory;
    const unscale = 2 ** -exponent;
    const [minI, maxI, minQ, maxQ] = [0, 1, 2, 3].map((n) => memory.extreme(n) * unscale);
    const [sumI, sumQ] = [0, 1].map((n) => memory.timeSum(n) * unscale);
    const [sumII, sumQQ, sumIQ] = [2, 3, 4].map((n) => memory.timeSum(n) * unscale * unscale);
    const found = { minI, maxI, minQ, maxQ, sumI, sumQ, sumII, sumQQ, sumIQ } as Omit<
      TimeSums,
      'samples' | 'clipped'
    >;
    return { ...emptyTimeSums(), ...found, samples: count * this.#plan.bins, clipped };
  }
}
