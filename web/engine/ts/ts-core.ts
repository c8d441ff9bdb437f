/**
 * The last resort: the spectrum engine in plain TypeScript and float64, for machines without WebAssembly SIMD.
 *
 * One slice at a time through a Stockham transform (Stockham 1966; autosort, so the order comes out right), then
 * Welford's recurrence per bin. About eight times slower than the WebAssembly kernel.
 */
import { type BlockMoments, emptyTimeSums, type TimeSums } from '../../../bridge/protocol/moments.ts';
import { type CpuCore, countClipped, finitePeak } from '../cpu-core.ts';
import type { EngineBlock, EngineOptions } from '../engine.ts';
import { checkBlock } from '../block.ts';
import { betterExponent } from '../scale.ts';
import { windowCoefficients } from '../../../bridge/protocol/window.ts';
import { StockhamFft } from './stockham.ts';

/** Adds one slice, unwindowed; the sums show NaN and Inf, which the minima and maxima do not. */
function addSamples(time: TimeSums, i: Float32Array, q: Float32Array): void {
  let { minI, maxI, minQ, maxQ } = time;
  let [sumI, sumQ, sumII, sumQQ, sumIQ] = [0, 0, 0, 0, 0];
  for (let t = 0; t < i.length; t++) {
    const a = i[t] as number;
    const b = q[t] as number;
    if (a < minI) minI = a;
    if (a > maxI) maxI = a;
    if (b < minQ) minQ = b;
    if (b > maxQ) maxQ = b;
    sumI += a;
    sumQ += b;
    sumII += a * a;
    sumQQ += b * b;
    sumIQ += a * b;
  }
  Object.assign(time, { minI, maxI, minQ, maxQ });
  time.samples += i.length;
  time.sumI += sumI;
  time.sumQ += sumQ;
  time.sumII += sumII;
  time.sumQQ += sumQQ;
  time.sumIQ += sumIQ;
}

export class TsCore implements CpuCore {
  readonly kind = 'ts';
  readonly #bins: number;
  readonly #fft: StockhamFft;
  readonly #window: Float64Array;
  readonly #mean: Float64Array;
  readonly #m2: Float64Array;

  constructor({ bins, window }: EngineOptions) {
    this.#bins = bins;
    this.#fft = new StockhamFft(bins);
    this.#window = windowCoefficients(window, bins);
    this.#mean = new Float64Array(bins);
    this.#m2 = new Float64Array(bins);
  }

  process(block: EngineBlock): BlockMoments {
    const bins = this.#bins;
    checkBlock(block, bins);
    this.#mean.fill(0);
    this.#m2.fill(0);
    const time = emptyTimeSums();
    let count = 0;
    for (const { offset, slices } of block.segments) {
      for (let i = offset; i < offset + slices * bins; i += bins) {
        const q = i + slices * bins;
        this.#addSlice(
          time,
          block.samples.subarray(i, i + bins),
          block.samples.subarray(q, q + bins),
          ++count,
        );
      }
    }
    // Float64 sums of float32 squares cannot overflow: only NaN and Inf make them so.
    if (!Number.isFinite(time.sumII + time.sumQQ)) finitePeak(block, bins);
    const peak = Math.max(-time.minI, time.maxI, -time.minQ, time.maxQ);
    if (peak >= block.clipLevel) time.clipped = countClipped(block, bins);
    return this.#answer(count, time, betterExponent(peak, 0) ?? 0);
  }

  #addSlice(time: TimeSums, i: Float32Array, q: Float32Array, count: number): void {
    addSamples(time, i, q);
    const { re, im } = this.#fft.load(i, q, this.#window).transform();
    const mean = this.#mean;
    const m2 = this.#m2;
    for (let k = 0; k < mean.length; k++) {
      const power = (re[k] as number) ** 2 + (im[k] as number) ** 2;
      const delta = power - (mean[k] as number);
      mean[k] = (mean[k] as number) + delta / count;
      m2[k] = (m2[k] as number) + delta * (power - (mean[k] as number));
    }
  }

  /** The exponent only keeps the answer inside float32; the sums are at true scale. */
  #answer(count: number, time: TimeSums, scaleExponent: number): BlockMoments {
    const bins = this.#bins;
    const scale = 2 ** (2 * scaleExponent);
    const mean = new Float32Array(bins);
    const m2 = new Float32Array(bins);
    for (let k = 0; k < bins; k++) {
      const shifted = (k + Math.floor(bins / 2)) % bins;
      mean[shifted] = (this.#mean[k] as number) * scale;
      // One factor after the other: the square of the scale may be beyond float64 where the product is not.
      m2[shifted] = (this.#m2[k] as number) * scale * scale;
    }
    return { count, scaleExponent, mean, m2, time };
  }
}
