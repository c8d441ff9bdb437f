/**
 * The normalised excess: what rises above the baseline, in units of the noise expected from n slices.
 *
 *   δ = P / baseline − 1,   z = δ·√n
 *
 * Bins beyond the cut are left out, with their neighbours, of baseline and statistics, and everything is fitted
 * again until the same bins are cut. The strongest go first: a line also bends the baseline about itself, and what
 * that bending lifts above the threshold is no line.
 */
import { expectedExcessStd } from './efficiency.ts';
import { robustSigma } from './robust.ts';
import { SavitzkyGolay } from './savitzky-golay.ts';

export interface BaselineSettings {
  /** Bins; made odd and fitted to the spectrum. */
  readonly window: number;
  readonly degree: number;
  /** Cut in units of the measured standard deviation of the excess. */
  readonly cutSigmas: number;
}

/** The IF cut of haloscope analyses, with a window that keeps 79 % of an axion. */
export const DEFAULT_BASELINE: BaselineSettings = { window: 201, degree: 4, cutSigmas: 4.5 };

/** Neighbours on either side that are cut with a bin. */
export const CUT_NEIGHBOURS = 3;
/** Enough to halve a line 30 dB above the noise down to the cut, and to settle. */
const MOST_ROUNDS = 40;
/** Rounds at the final threshold after which only more bins may be cut, so that the last few settle. */
const FREE_ROUNDS = 8;

export interface Excess {
  readonly window: number;
  readonly degree: number;
  /** [bins] in the unit of the mean. */
  readonly baseline: Float64Array;
  /** [bins] δ·√n. */
  readonly z: Float64Array;
  /** [bins] 1 where cut. */
  readonly cut: Uint8Array;
  /** R: standard deviation of z outside cut bins, about its own mean; NaN where nothing is left. */
  readonly std: number;
  /** What R is for pure noise. */
  readonly expectedStd: number;
  /** Threshold of the cut in z. */
  readonly threshold: number;
  /** The same bins were cut twice running. */
  readonly isSettled: boolean;
}

/** Keeps the polynomials of the last settings, which take longer to make than to use. */
let last: SavitzkyGolay | null = null;

function smoother(bins: number, { window, degree }: BaselineSettings): SavitzkyGolay {
  if (last?.bins === bins && last.degree === degree && last.window === window) return last;
  last = new SavitzkyGolay(bins, window, degree);
  return last;
}

/** @param mean [bins] linear power; bins that are not finite are left out */
export function findExcess(mean: ArrayLike<number>, slices: number, settings: BaselineSettings): Excess {
  const bins = mean.length;
  const filter = smoother(bins, settings);
  const baseline = new Float64Array(bins);
  const z = new Float64Array(bins);
  let cut = new Uint8Array(bins);
  let floor = Number.POSITIVE_INFINITY;
  let threshold = Number.NaN;
  let isSettled = false;
  for (let round = 0, finals = 0; round < MOST_ROUNDS && !isSettled; round++) {
    filter.fit(mean, cut, baseline);
    for (let k = 0; k < bins; k++)
      z[k] = ((mean[k] as number) / (baseline[k] as number) - 1) * Math.sqrt(slices);
    // The first rounds know no cut yet, so their spread must not mind lines.
    threshold = settings.cutSigmas * (finals > 1 ? stdOutside(z, cut) : robustSigma(z));
    floor = Math.max(threshold, Math.min(floor, largest(z)) / 2);
    if (floor === threshold) finals++;
    const next = cutAbove(z, floor);
    if (finals > FREE_ROUNDS)
      for (let k = 0; k < bins; k++) next[k] = (next[k] as number) | (cut[k] as number);
    isSettled = finals > 2 && next.every((value, k) => value === cut[k]);
    if (!isSettled && round < MOST_ROUNDS - 1) cut = next;
  }
  return {
    window: filter.window,
    degree: filter.degree,
    baseline,
    z,
    cut,
    std: stdOutside(z, cut),
    expectedStd: expectedExcessStd(filter.window, filter.degree),
    threshold,
    isSettled,
  };
}

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => (value > most ? value : most), Number.NEGATIVE_INFINITY);

function cutAbove(z: Float64Array, threshold: number): Uint8Array<ArrayBuffer> {
  const cut = new Uint8Array(z.length);
  for (let k = 0; k < z.length; k++)
    if ((z[k] as number) > threshold) cut.fill(1, Math.max(0, k - CUT_NEIGHBOURS), k + CUT_NEIGHBOURS + 1);
  return cut;
}

function stdOutside(z: Float64Array, cut: Uint8Array): number {
  let n = 0;
  let mean = 0;
  let m2 = 0;
  for (let k = 0; k < z.length; k++) {
    const value = z[k] as number;
    if (cut[k] === 1 || !Number.isFinite(value)) continue;
    n++;
    const delta = value - mean;
    mean += delta / n;
    m2 += delta * (value - mean);
  }
  return n > 1 ? Math.sqrt(m2 / (n - 1)) : Number.NaN;
}
