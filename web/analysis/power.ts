/**
 * Units of power: what a number on the axis means.
 *
 * `results` carries P = |FFT|² / (bins · fs · √2) of samples in volts. Without the √2, which is a convention of
 * the pipeline that this one continues, the same number is the two-sided power spectral density in V²/Hz.
 */

/** `published`: as in `results`. `per-hertz`: power spectral density, without the √2. */
export type PowerUnit = 'published' | 'per-hertz';
export type PowerScale = 'linear' | 'db';

/** Factor from published power to the unit. */
export const powerFactor = (unit: PowerUnit): number => (unit === 'published' ? 1 : Math.SQRT2);

/** 10·log10 of a power; −Infinity for zero and below, which a plot clips at its axis; NaN only for NaN. */
export function toDecibel(power: number): number {
  if (Number.isNaN(power)) return Number.NaN;
  return power > 0 ? 10 * Math.log10(power) : -Infinity;
}
