/**
 * Bands around a mean of n slices: the error of the mean, or the spread of the single slices.
 *
 * For one averaged periodogram of Gaussian noise the sample std s is about the mean m itself, so ±s spans 0 to 2m
 * and says nothing about how well m is known; s/√n does (radiometer equation: s/√n ≈ m/√n).
 */

/** `error`: ± s/√n. `std`: ± s. `none`: no band. */
export type BandKind = 'error' | 'std' | 'none';

/** Standard error of a mean of n slices with sample standard deviation `std`; NaN where there is none (n < 2). */
export const errorOfMean = (std: number, slices: number): number =>
  slices > 1 ? std / Math.sqrt(slices) : Number.NaN;

/** Factor from the sample std to the half width of a band; NaN where a single slice has no spread, 0 for none. */
export function bandFactor(kind: BandKind, slices: number): number {
  switch (kind) {
    case 'error':
      return errorOfMean(1, slices);
    case 'std':
      return slices > 1 ? 1 : Number.NaN;
    case 'none':
      return 0;
  }
}
