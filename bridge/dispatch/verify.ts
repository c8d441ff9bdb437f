/**
 * Whether a processor's answer can be true, judged by what the bridge knows by itself.
 *
 * Parseval: Σ_k |X_k|² = bins · Σ_n |x_n|² for every slice, so over a block
 *
 *   count · Σ_k mean_k · 2^(−2s)  =  bins · energy
 *
 * with the energy summed by the bridge in float64 from the bytes it sent.
 */
import type { BlockMoments, TimeSums } from '../protocol/moments.ts';
import type { Block } from './lease.ts';

/**
 * Relative. An FFT in float32 of 8192 points keeps the energy to within about log2(N) · 2⁻²⁴ ≈ 8e-7 of itself, and
 * rounding the means to float32 adds less than 2⁻²⁴; ten times that leaves room for every engine and window of
 * arithmetic, and is far below the error that one wrong slice of a block of 160 makes (6e-3).
 */
export const PARSEVAL_TOLERANCE = 1e-5;

/** Relative, for sums that a GPU forms in float32 from up to 10⁶ samples. */
export const TIME_SUM_TOLERANCE = 1e-3;

/** Smallest normal float32; hardware may flush samples below it to zero. */
const FLUSHED = 2 ** -126;

/** Null when the answer passes, otherwise what is wrong with it: expected and found. */
export function faultOf(block: Block, moments: BlockMoments): string | null {
  const { count, mean, m2, scaleExponent, time } = moments;
  if (count !== block.slices) return `expected ${block.slices} slices counted, found ${count}`;
  if (mean.length !== block.bins || m2.length !== block.bins) {
    return `expected ${block.bins} bins, found ${mean.length} means and ${m2.length} deviations`;
  }
  let total = 0;
  for (let k = 0; k < mean.length; k++) {
    const p = mean[k] as number;
    const q = m2[k] as number;
    if (!(p >= 0 && q >= 0 && p < Infinity && q < Infinity)) {
      return `bin ${k}: expected finite moments ≥ 0, found mean ${p} and M2 ${q}`;
    }
    if (q > mostDeviation(count, p)) {
      return `bin ${k}: expected M2 up to ${mostDeviation(count, p)} about a mean of ${p}, found ${q}`;
    }
    total += p;
  }
  const samples = block.slices * block.bins;
  const floor = samples * FLUSHED * FLUSHED;
  const spectral = (count * total * 2 ** (-2 * scaleExponent)) / block.bins;
  if (!agree(spectral, block.energy, PARSEVAL_TOLERANCE, floor)) {
    return `Parseval: expected an energy of ${block.energy}, found ${spectral}`;
  }
  return timeFaultOf(block, time, floor);
}

/**
 * Sums over the samples: what the bridge knows of them, and what holds for any samples of that energy E.
 *
 *   max|x|² ≤ E    |Σx|² ≤ n·E    2·|Σ I·Q| ≤ E
 */
function timeFaultOf(block: Block, time: TimeSums, floor: number): string | null {
  const samples = block.slices * block.bins;
  const most = block.energy * (1 + TIME_SUM_TOLERANCE) + floor;
  const isIn = (least: number, largest: number): boolean =>
    least <= largest && least * least <= most && largest * largest <= most;
  const isRight =
    time.samples === samples &&
    agree(time.sumII + time.sumQQ, block.energy, TIME_SUM_TOLERANCE, floor) &&
    time.sumII >= 0 &&
    time.sumQQ >= 0 &&
    isIn(time.minI, time.maxI) &&
    isIn(time.minQ, time.maxQ) &&
    time.sumI * time.sumI <= samples * most &&
    time.sumQ * time.sumQ <= samples * most &&
    Math.abs(2 * time.sumIQ) <= most &&
    Number.isInteger(time.clipped) &&
    time.clipped >= 0 &&
    time.clipped <= 2 * samples;
  if (isRight) return null;
  return `time-domain sums: expected those of ${samples} samples of energy ${block.energy}, found ${JSON.stringify(time)}`;
}

/**
 * n powers P ≥ 0 of a given mean deviate most when one of them is all: M2 = ΣP² − n·mean² ≤ (ΣP)² − n·mean².
 * For a single slice that is nothing at all, but for rounding.
 */
const mostDeviation = (n: number, mean: number): number => n * (n - 1 + PARSEVAL_TOLERANCE * n) * mean ** 2;

const agree = (a: number, b: number, relative: number, absolute: number): boolean =>
  Number.isFinite(a) && Math.abs(a - b) <= relative * Math.max(a, b) + absolute;
