/**
 * The power of two by which a block is multiplied, so that |FFT|² and its second moment stay inside float32.
 *
 * Let p be the largest |sample| after scaling. No bin is stronger than 2·(N·p)² ≤ 2^(25 + 2·log2 p) for N = 4096,
 * and M2 of 2^13 slices is at most the square of that times 2^13. Below, the weakest power that float32's FFT
 * can tell from rounding is about 2^−48 of the strongest bin, and it is squared, too. With
 *
 *     2^−16 ≤ p ≤ 2^12:   M2 ≤ 2^(2·49 + 13) = 2^111 < 2^127,   M2 ≥ 2^(2·(22 − 32 − 48)) = 2^−116 > 2^−126
 *
 * A power of two changes no digit, so a block gives the same numbers at every exponent that is in range.
 */

const LEAST_PEAK = 2 ** -16;
const LARGEST_PEAK = 2 ** 12;
/** 2^e has to be a normal float32. */
const LARGEST_EXPONENT = 126;

/**
 * @param peak largest |sample| of the block, unscaled
 * @returns the exponent with which to do the block again; nothing when `exponent` was good enough
 */
export function betterExponent(peak: number, exponent: number): number | undefined {
  const scaled = peak * 2 ** exponent;
  if (peak === 0 || (scaled >= LEAST_PEAK && scaled <= LARGEST_PEAK)) return undefined;
  const wanted = Math.max(-LARGEST_EXPONENT, Math.min(LARGEST_EXPONENT, -Math.floor(Math.log2(peak))));
  return wanted === exponent ? undefined : wanted;
}
