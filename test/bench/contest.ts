/**
 * What everybody in the benchmark of the engine does: per-bin mean and sample standard deviation of |FFT|² over one
 * file pair that lies in memory. Here are those that run in Node and in a browser alike.
 */
import PFFFT, { type PffftModule } from '@echogarden/pffft-wasm/simd';
import { addBlock, emptyMoments, sampleStd, type SpectrumMoments } from '../../bridge/protocol/moments.ts';
import { slicesPerBlockLimit } from '../../bridge/protocol/geometry.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { EngineBlock } from '../../web/engine/engine.ts';
import type { StartWorker } from '../../web/engine/pool-messages.ts';
import { cutBlock } from '../engine/accuracy.ts';

/** Pairs one after the other under one clock, so that filling and draining a pool weigh as little as in a run. */
export const PAIRS_PER_ROUND = 4;

/** Float32 in volts: I of all slices, then Q of all slices. */
export interface Pair {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly bins: number;
}

/** Milliseconds per pair, and the answer; arrays are [bins], ascending frequency. */
export interface Round {
  readonly ms: number;
  readonly mean: ArrayLike<number>;
  readonly std: ArrayLike<number>;
}

export interface Contestant {
  readonly name: string;
  /** The same on one core: what scaling is measured against. */
  readonly family: string;
  readonly where: 'Node' | 'Chromium' | 'Python';
  readonly cores: number;
  readonly isOurs: boolean;
  round(): Promise<Round>;
  stop(): Promise<void>;
}

/** Whoever knows only this much of itself; the place is added by the one who runs it. */
export type Runner = Pick<Contestant, 'name' | 'round' | 'stop'>;

const slicesOf = ({ samples, bins }: Pair): number => samples.length / 2 / bins;

/** Live blocks, copied before the clock starts, as they would come from a socket. */
function blocksOf(pair: Pair): EngineBlock[] {
  const slices = slicesOf(pair);
  const most = slicesPerBlockLimit(pair.bins);
  return Array.from({ length: Math.ceil(slices / most) }, (_, n) =>
    cutBlock(pair.samples, pair.bins, n * most, Math.min(most, slices - n * most)),
  );
}

/** @param workers 0: in the calling thread */
export async function ourEngine(pair: Pair, workers: number, startWorker?: StartWorker): Promise<Runner> {
  const { bins } = pair;
  const kinds = ['wasm'] as const;
  const start = startWorker && { startWorker };
  const engine = await createCpuEngine({ bins, window: 'none', workers, kinds, ...start });
  return {
    name: engine.description.name,
    stop: () => engine.dispose(),
    round: async () => {
      const blocks = Array.from({ length: PAIRS_PER_ROUND }, () => blocksOf(pair)).flat();
      const perPair = blocks.length / PAIRS_PER_ROUND;
      const totals = Array.from({ length: PAIRS_PER_ROUND }, () => emptyMoments(bins));
      const started = performance.now();
      let next = 0;
      const lane = async (): Promise<void> => {
        for (let n = next++; n < blocks.length; n = next++) {
          const moments = await engine.process(blocks[n] as EngineBlock);
          addBlock(totals[Math.floor(n / perPair)] as SpectrumMoments, moments);
        }
      };
      await Promise.all(Array.from({ length: engine.depth }, lane));
      const ms = (performance.now() - started) / PAIRS_PER_ROUND;
      const last = totals.at(-1) as SpectrumMoments;
      return { ms, mean: last.mean, std: last.mean.map((_, k) => sampleStd(last, k)) };
    },
  };
}

/** A transform of one slice of interleaved I and Q. */
export interface SliceFft {
  readonly name: string;
  readonly input: Float32Array | number[];
  /** Read after each call, since memory may have moved. */
  transform(): ArrayLike<number>;
}

/** Σp and Σp² per bin in float64, slice by slice: both fit the cache. */
export function aroundSlices(pair: Pair, fft: SliceFft): Runner {
  const { samples, bins } = pair;
  const slices = slicesOf(pair);
  const sum = new Float64Array(bins);
  const squares = new Float64Array(bins);
  const { input } = fft;
  const once = (): void => {
    sum.fill(0);
    squares.fill(0);
    for (let s = 0; s < slices; s++) {
      const i = s * bins;
      const q = i + slices * bins;
      for (let k = 0; k < bins; k++) {
        input[2 * k] = samples[i + k] as number;
        input[2 * k + 1] = samples[q + k] as number;
      }
      addPower(fft.transform(), sum, squares);
    }
  };
  return {
    name: fft.name,
    stop: async () => {},
    round: async () => {
      const started = performance.now();
      for (let n = 0; n < PAIRS_PER_ROUND; n++) once();
      const ms = (performance.now() - started) / PAIRS_PER_ROUND;
      return { ms, ...shifted(sum, squares, slices) };
    },
  };
}

function addPower(spectrum: ArrayLike<number>, sum: Float64Array, squares: Float64Array): void {
  for (let k = 0; k < sum.length; k++) {
    const re = spectrum[2 * k] as number;
    const im = spectrum[2 * k + 1] as number;
    const power = re * re + im * im;
    sum[k] = (sum[k] as number) + power;
    squares[k] = (squares[k] as number) + power * power;
  }
}

function shifted(sum: Float64Array, squares: Float64Array, count: number): Pick<Round, 'mean' | 'std'> {
  const bins = sum.length;
  const natural = (k: number): number => (k + Math.ceil(bins / 2)) % bins;
  const mean = sum.map((_, k) => (sum[natural(k)] as number) / count);
  const std = mean.map((m, k) =>
    Math.sqrt(((squares[natural(k)] as number) / count - m * m) * (count / (count - 1))),
  );
  return { mean, std };
}

const PFFFT_COMPLEX = 1;
const PFFFT_FORWARD = 0;

/** PFFFT in WebAssembly with SIMD. */
export async function pffft(bins: number): Promise<SliceFft> {
  const module: PffftModule = await PFFFT();
  const {
    HEAPF32: heap,
    _pffft_new_setup: newSetup,
    _pffft_aligned_malloc: allocate,
    _pffft_transform_ordered: transformOrdered,
  } = module;
  const setup = newSetup(bins, PFFFT_COMPLEX);
  const bytes = 8 * bins;
  const from = allocate(bytes);
  const to = allocate(bytes);
  const work = allocate(bytes);
  const at = (pointer: number): Float32Array => new Float32Array(heap.buffer, pointer, 2 * bins);
  const input = at(from);
  const output = at(to);
  return {
    name: 'pffft-wasm, SIMD',
    input,
    transform: () => {
      transformOrdered(setup, from, to, work, PFFFT_FORWARD);
      return output;
    },
  };
}
