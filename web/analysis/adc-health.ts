/**
 * Health of the digitiser, from sums over the samples in the time domain: level, clipping, DC, and how well I and Q
 * are balanced.
 */
import { CLIPPED_BY_CHANCE } from '../../bridge/protocol/clipping.ts';
import type { TimeSums } from '../../bridge/protocol/moments.ts';

export interface AdcHealth {
  readonly samples: number;
  /** Of the deviation from the mean, volts. */
  readonly rmsI: number;
  readonly rmsQ: number;
  /** Mean, volts. */
  readonly dcI: number;
  readonly dcQ: number;
  /** Extremes, volts. */
  readonly minI: number;
  readonly maxI: number;
  readonly minQ: number;
  readonly maxQ: number;
  /** Largest |x| of either channel, volts. */
  readonly peak: number;
  /** Samples of both channels at the clip level. */
  readonly clipped: number;
  /** Share of samples of both channels at the clip level. */
  readonly clippedShare: number;
  /** σ_Q / σ_I. */
  readonly gainRatio: number;
  /** Error of the quadrature in radians: asin of the correlation of I and Q. */
  readonly phaseRad: number;
  /** Power of a line over that of its image, in dB; Infinity for perfect balance. */
  readonly imageRejectionDb: number;
}

/**
 * Null where there is no sample. With gain ratio g and phase error φ a line's image has the power ratio
 * (1 − 2g cos φ + g²) / (1 + 2g cos φ + g²). Noise lets I and Q correlate by chance as 1/√samples, which limits the
 * rejection that can be seen to about 10·log₁₀(4·samples) dB.
 */
export function adcHealth(t: TimeSums): AdcHealth | null {
  const n = t.samples;
  if (n < 2) return null;
  const dcI = t.sumI / n;
  const dcQ = t.sumQ / n;
  // Rounding can take a variance of nothing below zero.
  const rmsI = Math.sqrt(Math.max(0, t.sumII / n - dcI * dcI));
  const rmsQ = Math.sqrt(Math.max(0, t.sumQQ / n - dcQ * dcQ));
  const gainRatio = rmsQ / rmsI;
  const correlation = (t.sumIQ / n - dcI * dcQ) / (rmsI * rmsQ);
  const phaseRad = Math.asin(Math.min(1, Math.max(-1, correlation)));
  const cross = 2 * gainRatio * Math.cos(phaseRad);
  const square = 1 + gainRatio * gainRatio;
  return {
    samples: n,
    rmsI,
    rmsQ,
    dcI,
    dcQ,
    minI: t.minI,
    maxI: t.maxI,
    minQ: t.minQ,
    maxQ: t.maxQ,
    peak: Math.max(Math.abs(t.minI), Math.abs(t.maxI), Math.abs(t.minQ), Math.abs(t.maxQ)),
    clipped: t.clipped,
    clippedShare: t.clipped / (2 * n),
    gainRatio,
    phaseRad,
    imageRejectionDb: 10 * Math.log10((square + cross) / Math.max(0, square - cross)),
  };
}

/**
 * Closed list of what is wrong with a digitiser.
 * - `clipping`: samples lie at its end, and every spectrum of them is distorted
 * - `silent-i`, `silent-q`: a channel always has the same value
 * - `dc`: a mean so far from zero that it takes range from the signal
 * - `imbalance`: I and Q differ so much in gain or phase that lines have visible images
 */
export type AdcFault = 'clipping' | 'silent-i' | 'silent-q' | 'dc' | 'imbalance';

/** A mean of half an rms: 12 % of the power, and at 3072 bins a line at the LO 400 times the floor of a bin. */
const DC_RMS = 0.5;
/** A gain ratio of 1.12 or 6.4° of phase; receivers of instruments have 30 dB and more. */
const LEAST_REJECTION_DB = 25;
/** Below so many samples chance alone lets I and Q differ: 1/√n must be far below the 6 % of 25 dB. */
const BALANCE_SAMPLES = 10_000;

/** Worst first. */
export function adcFaults(health: AdcHealth): readonly AdcFault[] {
  const { samples, clipped, rmsI, rmsQ, dcI, dcQ, imageRejectionDb } = health;
  const faults: AdcFault[] = [];
  if (clipped > CLIPPED_BY_CHANCE) faults.push('clipping');
  if (rmsI === 0) faults.push('silent-i');
  if (rmsQ === 0) faults.push('silent-q');
  const isSilent = rmsI === 0 || rmsQ === 0;
  if (!isSilent && (Math.abs(dcI) > DC_RMS * rmsI || Math.abs(dcQ) > DC_RMS * rmsQ)) faults.push('dc');
  if (!isSilent && samples >= BALANCE_SAMPLES && imageRejectionDb < LEAST_REJECTION_DB)
    faults.push('imbalance');
  return faults;
}
