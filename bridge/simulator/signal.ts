/**
 * What the simulated DAQ records: parameters of the signal, and the power spectrum that follows from them.
 *
 * Amplitudes are volts at the digitiser. The stationary part is complex white noise plus the same noise through
 * single-pole complex filters (hump, cavity dip, weaker dip); tone and DC are added to it. The rest happens only
 * on demand.
 */

import { DEFAULT_BINS, DEFAULT_LO_HZ, DEFAULT_SAMPLE_RATE_HZ, type Geometry } from '../protocol/geometry.ts';

/** A resonance of the noise spectrum; `depth` is the relative loss of power at its centre. */
export interface Dip {
  /** From the LO. */
  readonly offsetHz: number;
  /** Full width at half depth. */
  readonly widthHz: number;
  /** 0 to 1. */
  readonly depth: number;
}

/** A narrow line; `heightInBins` is its power in units of the floor's power in one default bin. */
export interface Spur {
  readonly offsetHz: number;
  readonly height: number;
  /** First file in which it is on. */
  readonly fromFile: number;
}

export interface SignalParameters {
  /** Equal seeds give equal samples, whatever the order in which files are made. */
  readonly seed: number;
  readonly geometry: Geometry;
}

export const defaultSignal = (seed: number): SignalParameters => ({
  seed,
  geometry: { bins: DEFAULT_BINS, sampleRateHz: DEFAULT_SAMPLE_RATE_HZ, loHz: DEFAULT_LO_HZ },
});
