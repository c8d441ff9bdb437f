/**
 * A spectrum against a reference: ratio or difference, bin by bin, with both errors.
 */
import type { Averaged } from './display.ts';

/** `off`: the spectrum itself. */
export type ReferenceMode = 'off' | 'ratio' | 'difference';

export interface Reference {
  /** Where it comes from: «run404, file 12», a file's name. */
  readonly name: string;
  readonly slices: number;
  /** [bins] as published; std NaN where it is not known. */
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/**
 * The spectrum divided by the reference, or less it. `referenceError` is the reference's share of the error of the
 * mean, so that σ² = s²/n + referenceError². For a ratio r = m/m₀ its relative errors add: σ_r² = (σ/m₀)² +
 * (r·σ₀/m₀)². Where the reference has no error, its share is 0; where it has no power, a ratio is NaN.
 */
export function against(spectrum: Averaged, reference: Reference, mode: 'ratio' | 'difference'): Averaged {
  const bins = spectrum.mean.length;
  if (reference.mean.length !== bins)
    throw new RangeError(`a reference of ${reference.mean.length} bins cannot serve a spectrum of ${bins}`);
  const mean = new Float64Array(bins);
  const std = new Float64Array(bins);
  const referenceError = new Float64Array(bins);
  for (let k = 0; k < bins; k++) {
    const base = reference.mean[k] as number;
    const error = (reference.std[k] as number) / Math.sqrt(reference.slices);
    const divisor = mode === 'difference' ? 1 : base > 0 ? base : Number.NaN;
    const value = spectrum.mean[k] as number;
    mean[k] = mode === 'difference' ? value - base : value / divisor;
    std[k] = (spectrum.std[k] as number) / divisor;
    const share = mode === 'difference' ? error : ((mean[k] as number) * error) / divisor;
    referenceError[k] = Number.isFinite(share) ? share : 0;
  }
  return { slices: spectrum.slices, mean, std, referenceError };
}
