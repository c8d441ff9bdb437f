/**
 * Two markers on a spectrum and what lies between them.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import type { Averaged } from './display.ts';

export interface MarkerDifference {
  readonly bins: number;
  readonly hz: number;
  /** Power at B less that at A, and its standard error; of the unit of the spectrum. */
  readonly difference: number;
  readonly differenceError: number;
  /** Power at B over that at A, in dB; NaN where one of them is none. */
  readonly ratioDb: number;
  /** Σ m·Δν from the one to the other, both included. */
  readonly bandPower: number;
}

export function markerDifference(spectrum: Averaged, a: number, b: number, g: Geometry): MarkerDifference {
  const { mean, std, slices } = spectrum;
  const atA = mean[a] as number;
  const atB = mean[b] as number;
  let sum = 0;
  for (let k = Math.min(a, b); k <= Math.max(a, b); k++) sum += mean[k] as number;
  return {
    bins: b - a,
    hz: (b - a) * binWidthHz(g),
    difference: atB - atA,
    differenceError:
      a === b
        ? 0
        : Math.hypot(std[a] as number, std[b] as number) / Math.sqrt(slices > 1 ? slices : Number.NaN),
    ratioDb: atA > 0 && atB > 0 ? 10 * Math.log10(atB / atA) : Number.NaN,
    bandPower: sum * binWidthHz(g),
  };
}
