/**
 * Moments of power per bin and sums over the samples in the time domain, and how they merge.
 *
 * A processor answers a block with `BlockMoments` (float32, unnormalised |FFT|² of samples that were multiplied
 * by 2^scaleExponent). The bridge merges them into `SpectrumMoments` (float64, true scale, still unnormalised).
 * Merging is by count: Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances" (1979).
 */

/** Sums over the samples of a block or file; I and Q in volts, as recorded. */
export interface TimeSums {
  /** Samples per channel. */
  samples: number;
  minI: number;
  maxI: number;
  minQ: number;
  maxQ: number;
  /** Samples of either channel with |x| ≥ the block's clip level. */
  clipped: number;
  sumI: number;
  sumQ: number;
  sumII: number;
  sumQQ: number;
  sumIQ: number;
}

/** What an engine makes of one block. Arrays are [bins], ascending frequency. */
export interface BlockMoments {
  /** Slices in the block. */
  readonly count: number;
  /** Samples were multiplied by 2^scaleExponent before the transform: true power = mean · 2^(−2·scaleExponent). */
  readonly scaleExponent: number;
  /** Mean of |FFT|² per bin. */
  readonly mean: Float32Array;
  /** Sum of squared deviations of |FFT|² from that mean, per bin. */
  readonly m2: Float32Array;
  readonly time: TimeSums;
}

/** Moments of any number of slices. Arrays are [bins], ascending frequency, |FFT|² in V². */
export interface SpectrumMoments {
  count: number;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
  readonly time: TimeSums;
}

export const emptyTimeSums = (): TimeSums => ({
  samples: 0,
  minI: Infinity,
  maxI: -Infinity,
  minQ: Infinity,
  maxQ: -Infinity,
  clipped: 0,
  sumI: 0,
  sumQ: 0,
  sumII: 0,
  sumQQ: 0,
  sumIQ: 0,
});

export function addTimeSums(into: TimeSums, more: TimeSums): void {
  into.samples += more.samples;
  into.minI = Math.min(into.minI, more.minI);
  into.maxI = Math.max(into.maxI, more.maxI);
  into.minQ = Math.min(into.minQ, more.minQ);
  into.maxQ = Math.max(into.maxQ, more.maxQ);
  into.clipped += more.clipped;
  into.sumI += more.sumI;
  into.sumQ += more.sumQ;
  into.sumII += more.sumII;
  into.sumQQ += more.sumQQ;
  into.sumIQ += more.sumIQ;
}

export const emptyMoments = (bins: number): SpectrumMoments => ({
  count: 0,
  mean: new Float64Array(bins),
  m2: new Float64Array(bins),
  time: emptyTimeSums(),
});

interface MomentArrays {
  readonly count: number;
  readonly mean: ArrayLike<number>;
  readonly m2: ArrayLike<number>;
}

/** Chan's pairwise update: mean += δ·nb/n, M2 += M2b + δ²·na·nb/n; `meanScale` brings b to a's scale exactly. */
function merge(into: SpectrumMoments, more: MomentArrays, meanScale: number): void {
  if (more.count === 0) return;
  const n = into.count + more.count;
  const shift = more.count / n;
  const spread = into.count * shift;
  const m2Scale = meanScale * meanScale;
  for (let k = 0; k < into.mean.length; k++) {
    const delta = (more.mean[k] as number) * meanScale - (into.mean[k] as number);
    into.mean[k] = (into.mean[k] as number) + delta * shift;
    into.m2[k] = (into.m2[k] as number) + (more.m2[k] as number) * m2Scale + delta * delta * spread;
  }
  into.count = n;
}

/** Adds a block's moments to a file's; the power of two of the block is undone exactly. */
export function addBlock(into: SpectrumMoments, block: BlockMoments): void {
  merge(into, block, 2 ** (-2 * block.scaleExponent));
  addTimeSums(into.time, block.time);
}

/** Adds moments of the same scale: a file to the run, a session to another. */
export function addMoments(into: SpectrumMoments, more: SpectrumMoments): void {
  merge(into, more, 1);
  addTimeSums(into.time, more.time);
}

/** Sample standard deviation (n − 1) of bin k; NaN for fewer than two slices, which have none. */
export const sampleStd = (m: Pick<SpectrumMoments, 'count' | 'm2'>, k: number): number =>
  m.count > 1 ? Math.sqrt((m.m2[k] as number) / (m.count - 1)) : Number.NaN;
