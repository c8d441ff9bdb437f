/**
 * Health of the digitiser, from sums over the samples in the time domain: level, clipping, DC, and how well I and Q
 * are balanced.
 */
import type { TimeSums } from '../../bridge/protocol/moments.ts';

export interface AdcHealth {
  readonly samples: number;
  /** Of the deviation from the mean, volts. */
  readonly rmsI: number;
  readonly rmsQ: number;
  /** Mean, volts. */
  readonly dcI: number;
  readonly dcQ: number;
  /** Largest |x| of either channel, volts. */
  readonly peak: number;
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
    peak: Math.max(Math.abs(t.minI), Math.abs(t.maxI), Math.abs(t.minQ), Math.abs(t.maxQ)),
    clippedShare: t.clipped / (2 * n),
    gainRatio,
    phaseRad,
    imageRejectionDb: 10 * Math.log10((square + cross) / Math.max(0, square - cross)),
  };
}
