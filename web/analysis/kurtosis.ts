/**
 * Spectral kurtosis per bin (Nita & Gary, MNRAS 406, L60, 2010): 1 for Gaussian noise, below 1 for a continuous
 * wave, above 1 for bursts.
 *
 *   SK = (M + 1)/(M − 1) · (M·S₂/S₁² − 1) = (M + 1)/M · (s/m)²
 *
 * with M slices, S₁ = Σ|X|², S₂ = Σ|X|⁴, m the mean and s the sample standard deviation (M − 1) of |X|². It does not
 * depend on the unit of power.
 */

/** NaN for fewer than two slices, or where there is no power. */
export function spectralKurtosis(mean: number, std: number, slices: number): number {
  if (slices < 2 || !(mean > 0)) return Number.NaN;
  return ((slices + 1) / slices) * (std / mean) ** 2;
}

/** Standard deviation of SK for Gaussian noise: 2M/√((M − 1)(M + 2)(M + 3)), about 2/√M. NaN below two slices. */
export const kurtosisSigma = (slices: number): number =>
  slices < 2 ? Number.NaN : (2 * slices) / Math.sqrt((slices - 1) * (slices + 2) * (slices + 3));

/** Expected SK of a continuous wave with `ratio` times the noise's power in the bin: (1 + 2ρ)/(1 + ρ)². */
export const toneKurtosis = (ratio: number): number => (1 + 2 * ratio) / (1 + ratio) ** 2;
