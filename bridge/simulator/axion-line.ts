/**
 * Noise with the line shape of a virialised axion halo, seen from the laboratory.
 *
 *   f(ν) ∝ exp(−(v² + v_E²) / v_0²) · sinh(2 v v_E / v_0²),   ν = ν_a (1 + v²/2c²)
 *
 * (Turner, Phys. Rev. D 42, 3572, 1990). White noise at a sixteenth of the sampling rate goes through an FIR filter
 * whose response is √f, is interpolated linearly, and is mixed to its place. The images that linear interpolation
 * leaves are 10⁻³ of the line, which itself is a small part of the floor.
 */

import { Noise } from './noise.ts';

/** Speeds in the galactic halo, m/s: of the distribution, and of the Earth through it. */
const HALO_SPEED = 220e3;
const EARTH_SPEED = 232e3;
const LIGHT_SPEED = 299_792_458;

const AXION_DECIMATION = 16;
const TAPS = 128;
/** Keeps the line's stream apart from that of the floor. */
const PURPOSE = 1;

/** Line shape at `excessHz` above the rest frequency, not normalised. */
export function axionShape(excessHz: number, restHz: number): number {
  if (excessHz <= 0) return 0;
  const speed = LIGHT_SPEED * Math.sqrt((2 * excessHz) / restHz);
  const sum = speed * speed + EARTH_SPEED * EARTH_SPEED;
  return Math.exp(-sum / HALO_SPEED ** 2) * Math.sinh((2 * speed * EARTH_SPEED) / HALO_SPEED ** 2);
}

/** Where the mean kinetic energy lies: about the middle of the line. */
export const axionCentreHz = (restHz: number): number =>
  (restHz * (1.5 * HALO_SPEED ** 2 + EARTH_SPEED ** 2)) / (2 * LIGHT_SPEED ** 2);

/** sin(πx)/(πx), the amplitude response of a sample held; linear interpolation has its square. */
const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Filter with response √shape around the line's centre, sampled at TAPS frequencies; unit output power. */
function designFilter(restHz: number, lowRateHz: number): Float64Array {
  const centreHz = axionCentreHz(restHz);
  const taps = new Float64Array(2 * TAPS);
  let power = 0;
  for (let k = 0; k < TAPS; k++) {
    const frequencyHz = ((k - TAPS / 2) * lowRateHz) / TAPS;
    const droop = sinc(frequencyHz / lowRateHz) ** 2;
    const response = Math.sqrt(axionShape(centreHz + frequencyHz, restHz));
    power += response * response;
    for (let n = 0; n < TAPS; n++) {
      const phase = (2 * Math.PI * (k - TAPS / 2) * (n - TAPS / 2)) / TAPS;
      taps[2 * n] = (taps[2 * n] as number) + (response / droop) * Math.cos(phase);
      taps[2 * n + 1] = (taps[2 * n + 1] as number) + (response / droop) * Math.sin(phase);
    }
  }
  // Parseval: Σ|h|² = Σ|H|² / TAPS with h = Σ H e^… / TAPS, so this scale makes the power 1.
  const scale = 1 / Math.sqrt(power * TAPS);
  return taps.map((tap) => tap * scale);
}

/** One file's line: unit mean power per complex sample, at baseband around its centre. */
export class AxionLine {
  readonly #noise: Noise;
  readonly #taps: Float64Array;
  /** White noise, interleaved; the last TAPS − 1 samples are kept from step to step. */
  #white: Float64Array;
  #lastRe = 0;
  #lastIm = 0;

  /** @param restHz frequency of the axion's rest mass */
  constructor(seed: number, file: number, restHz: number, sampleRateHz: number) {
    this.#noise = new Noise(seed, file, PURPOSE);
    this.#taps = designFilter(restHz, sampleRateHz / AXION_DECIMATION);
    this.#white = new Float64Array(2 * (TAPS - 1));
    this.#noise.normals(this.#white);
    const first = new Float64Array(2 * AXION_DECIMATION);
    this.make(first, AXION_DECIMATION);
  }

  /** Fills interleaved `out` with `count` samples, a multiple of `AXION_DECIMATION`. */
  make(out: Float64Array, count: number): void {
    const steps = count / AXION_DECIMATION;
    const history = 2 * (TAPS - 1);
    const white = new Float64Array(history + 2 * steps);
    const fresh = white.subarray(history);
    white.set(this.#white.subarray(this.#white.length - history));
    this.#noise.normals(fresh);
    this.#white = white;
    for (let step = 0; step < steps; step++) this.#interpolate(out, step);
  }

  /** Filters one low-rate sample and writes the straight line that leads to it. */
  #interpolate(out: Float64Array, step: number): void {
    const white = this.#white;
    const taps = this.#taps;
    let re = 0;
    let im = 0;
    for (let n = 0; n < TAPS; n++) {
      const at = 2 * (step + TAPS - 1 - n);
      const hr = taps[2 * n] as number;
      const hi = taps[2 * n + 1] as number;
      const wr = white[at] as number;
      const wi = white[at + 1] as number;
      re += hr * wr - hi * wi;
      im += hr * wi + hi * wr;
    }
    // Unit variance is shared by the two components.
    re *= Math.SQRT1_2;
    im *= Math.SQRT1_2;
    const stepRe = (re - this.#lastRe) / AXION_DECIMATION;
    const stepIm = (im - this.#lastIm) / AXION_DECIMATION;
    for (let k = 0; k < AXION_DECIMATION; k++) {
      const at = 2 * (step * AXION_DECIMATION + k);
      out[at] = this.#lastRe + k * stepRe;
      out[at + 1] = this.#lastIm + k * stepIm;
    }
    this.#lastRe = re;
    this.#lastIm = im;
  }
}
