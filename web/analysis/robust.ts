/**
 * Median and spread that a few wild values do not move.
 */

/** Consistency with the standard deviation of a normal distribution: 1/Φ⁻¹(3/4). */
const NORMAL_PER_MAD = 1.482602218505602;

/** Of the finite values; NaN where there is none. Sorts `values` in place. */
function medianInPlace(values: Float64Array): number {
  values.sort();
  const n = values.length;
  if (n === 0) return Number.NaN;
  const upper = values[n >> 1] as number;
  return n % 2 === 1 ? upper : (upper + (values[(n >> 1) - 1] as number)) / 2;
}

export const median = (values: Iterable<number>): number =>
  medianInPlace(Float64Array.from(values).filter((value) => Number.isFinite(value)));

/** Standard deviation of the bulk: 1.4826 times the median distance from the median. NaN where there is none. */
export function robustSigma(values: Iterable<number>): number {
  const finite = Float64Array.from(values).filter((value) => Number.isFinite(value));
  const centre = medianInPlace(finite);
  return NORMAL_PER_MAD * medianInPlace(finite.map((value) => Math.abs(value - centre)));
}
