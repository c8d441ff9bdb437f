/**
 * What the simulated DAQ records: the signal's parameters, and the power spectrum that follows from them.
 *
 *   white noise ─▶ hump ─▶ cavity dip ─▶ weaker dip ─▶ × gain(t) ─▶ + tone + LO leakage ─▶ on demand: line, spur,
 *                                                                                      burst, clipping, DC step
 *
 * Each resonance is one complex pole whose output is added to its input,
 *   H(ω) = 1 + g · (1 − r) / (1 − r · e^(−i(ω − ω₀))),   r = exp(−π · width / fs),
 * so that near ω₀ the power |H|² is 1 + (2g + g²) / (1 + x²), a Lorentzian of the given full width and of relative
 * height 2g + g². Powers are as published (|FFT|² / (bins · fs · √2), see `publishedPowerScale`): white noise of
 * variance σ² = E|x|² lies at σ² / (fs · √2), whatever the slice length.
 */

import { DEFAULT_BINS, DEFAULT_LO_HZ, DEFAULT_SAMPLE_RATE_HZ, type Geometry } from '../protocol/geometry.ts';

/** A Lorentzian in the noise's power; frequencies in Hz from the LO. */
export interface Resonance {
  readonly offsetHz: number;
  /** Full width at half height. */
  readonly widthHz: number;
  /** Relative change of the power at its centre: 0.24 is a hump, −0.08 a dip. */
  readonly height: number;
}

/**
 * A coherent line. `ratio` is its power in units of the floor's power in one bin; a line between two bins shows
 * 0.41 of it in each.
 */
export interface Tone {
  readonly offsetHz: number;
  readonly ratio: number;
}

/** A line that is off until the first sample of a file. */
interface Spur extends Tone {
  readonly fromFile: number;
}

export interface SignalParameters {
  /** Equal seeds give equal samples, whatever the order in which files are made; 32 bits count. */
  readonly seed: number;
  readonly geometry: Geometry;
  /** Power of the white noise before the resonances, as published. */
  readonly floor: number;
  readonly resonances: readonly Resonance[];
  readonly tone: Tone;
  /** LO leakage: power at the LO in units of the floor's power in one bin. */
  readonly leakageRatio: number;
  /** Relative amplitude of the slow change of the power, as a sine over `driftPeriodS`. */
  readonly drift: number;
  readonly driftPeriodS: number;
  /** Axion-shaped line: Maxwell–Boltzmann in the laboratory's frame; offset of its rest frequency. */
  readonly axion: Tone | null;
  readonly spur: Spur | null;
  /** File with a tenth of a second of noise five times as strong in amplitude. */
  readonly burstFile: number | null;
  /** File with a fifth of a second in which the digitiser clips. */
  readonly clippedFile: number | null;
  /** File in the middle of which the LO leakage jumps to twice its amplitude, and stays there. */
  readonly dcStepFile: number | null;
}

const DEFAULT_GEOMETRY: Geometry = {
  bins: DEFAULT_BINS,
  sampleRateHz: DEFAULT_SAMPLE_RATE_HZ,
  loHz: DEFAULT_LO_HZ,
};

/** Places and heights as in the experiment's runs 395 and 404. */
export const defaultSignal = (seed: number, geometry: Geometry = DEFAULT_GEOMETRY): SignalParameters => ({
  seed,
  geometry,
  floor: 4.3e-9,
  resonances: [
    { offsetHz: -150e3, widthHz: 700e3, height: 0.24 },
    // ν_c / Q_L = 10.353 GHz / 230 000.
    { offsetHz: 465e3, widthHz: 45e3, height: -0.08 },
    { offsetHz: 203e3, widthHz: 40e3, height: -0.055 },
  ],
  // Half-way between two bins of 651 Hz: 3 in each, 2.7 times what the noise has there; with the noise, 3.7.
  tone: { offsetHz: 917e3, ratio: 7.45 },
  leakageRatio: 3,
  drift: 0.02,
  driftPeriodS: 3 * 3600,
  axion: null,
  spur: null,
  burstFile: null,
  clippedFile: null,
  dcStepFile: null,
});

/** One resonance as its filter: y = x + gain · s, s ← (1 − r) x + r e^(iω₀) s. */
export interface PoleFilter {
  readonly poleRe: number;
  readonly poleIm: number;
  readonly oneMinusR: number;
  readonly gain: number;
}

export function poleFilter(resonance: Resonance, sampleRateHz: number): PoleFilter {
  const r = Math.exp((-Math.PI * resonance.widthHz) / sampleRateHz);
  const omega = (2 * Math.PI * resonance.offsetHz) / sampleRateHz;
  return {
    poleRe: r * Math.cos(omega),
    poleIm: r * Math.sin(omega),
    oneMinusR: 1 - r,
    gain: Math.sqrt(1 + resonance.height) - 1,
  };
}

/** |H|² of one resonance at an offset from the LO. */
function resonancePower(resonance: Resonance, offsetHz: number, sampleRateHz: number): number {
  const r = Math.exp((-Math.PI * resonance.widthHz) / sampleRateHz);
  const phase = (2 * Math.PI * (offsetHz - resonance.offsetHz)) / sampleRateHz;
  const g = (Math.sqrt(1 + resonance.height) - 1) * (1 - r);
  const re = 1 - r * Math.cos(phase);
  const im = r * Math.sin(phase);
  const norm = re * re + im * im;
  return (1 + (g * re) / norm) ** 2 + ((g * im) / norm) ** 2;
}

/** Factor of the power at a time since the run's first sample, which is that of file 0. */
export const driftFactor = (p: SignalParameters, timeS: number): number =>
  1 + p.drift * Math.sin((2 * Math.PI * timeS) / p.driftPeriodS);

/**
 * The baseline: the expected power per bin at a frequency, as published, without tone, leakage and what happens on
 * demand.
 * @param frequencyHz absolute, within LO ± fs/2
 * @param timeS since the run's first sample; 0 is free of drift
 */
export function truePower(frequencyHz: number, p: SignalParameters, timeS = 0): number {
  const { sampleRateHz, loHz } = p.geometry;
  const shape = p.resonances.reduce(
    (product, one) => product * resonancePower(one, frequencyHz - loHz, sampleRateHz),
    1,
  );
  return p.floor * shape * driftFactor(p, timeS);
}

/** Variance E|x|² of complex white noise whose published power per bin is `power`. */
export const noiseVariance = (power: number, sampleRateHz: number): number =>
  power * sampleRateHz * Math.SQRT2;

/** Amplitude of a line with `ratio` times the power that the floor has in one bin. */
export const lineAmplitude = (ratio: number, p: SignalParameters): number =>
  Math.sqrt((ratio * noiseVariance(p.floor, p.geometry.sampleRateHz)) / p.geometry.bins);
