/**
 * Window coefficients, w[n] = Σ_j (−1)^j·a_j·cos(2πjn/N), periodic (N, not N − 1, in the denominator), as
 * spectral analysis wants them: Harris, "On the use of windows for harmonic analysis" (1978); flat-top of
 * D'Antona & Ferrero, "Digital Signal Processing for Measurement Systems" (2006).
 */

export const WINDOW_NAMES = ['none', 'hann', 'blackman-harris', 'flat-top'] as const;
export type WindowName = (typeof WINDOW_NAMES)[number];

const TERMS: Readonly<Record<WindowName, readonly number[]>> = {
  none: [1],
  hann: [0.5, 0.5],
  'blackman-harris': [0.35875, 0.48829, 0.14128, 0.01168],
  'flat-top': [0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368],
};

/** [bins], float64; all ones for `none`. */
export const windowCoefficients = (window: WindowName, bins: number): Float64Array =>
  Float64Array.from({ length: bins }, (_, n) =>
    TERMS[window].reduce(
      (sum, a, j) => sum + (j % 2 === 0 ? a : -a) * Math.cos((2 * Math.PI * j * n) / bins),
      0,
    ),
  );

/** What a window does to a spectrum; both are exact for the periodic form. */
export interface WindowFigures {
  readonly name: WindowName;
  /** Mean coefficient a_0: a line's height is this times its amplitude · bins. */
  readonly coherentGain: number;
  /** Equivalent noise bandwidth in bins, N·Σw² / (Σw)² = 1 + Σ_{j>0} (a_j/a_0)²/2. */
  readonly enbwBins: number;
}

export function windowFigures(window: WindowName): WindowFigures {
  const [coherentGain = 1, ...others] = TERMS[window];
  const enbwBins = 1 + others.reduce((sum, a) => sum + (a / coherentGain) ** 2 / 2, 0);
  return { name: window, coherentGain, enbwBins };
}

/** Mean of w²: what a window leaves of the power of noise, and what a density is divided by. */
export const meanSquareOf = ({ coherentGain, enbwBins }: WindowFigures): number =>
  coherentGain ** 2 * enbwBins;
