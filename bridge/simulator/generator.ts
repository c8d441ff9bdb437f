/**
 * Samples of one simulated file pair, in order, in stretches of any length.
 *
 * A file depends on nothing but the parameters and its number: filters are warmed up on noise of their own, the
 * tone's phase follows from the sample's place in the run. Work is done in steps of `STEP` samples; all that
 * changes slowly or happens on demand changes at their borders, so the length of the stretches does not matter.
 * Nothing is allocated per stretch unless an axion line is on.
 */

import { AxionLine, axionCentreHz } from './axion-line.ts';
import { Noise } from './noise.ts';
import {
  driftFactor,
  lineAmplitude,
  noiseVariance,
  type PoleFilter,
  poleFilter,
  type SignalParameters,
  type Tone,
} from './signal.ts';

/** Samples that are made at a time; 64 KB of float64, which stays in the cache. */
const STEP = 2048;
/** Of the narrowest resonance's memory (14 samples) nothing is left after this. */
const WARM_UP = 2048;

export const BURST_S = 0.1;
export const BURST_FACTOR = 5;
export const CLIPPED_S = 0.2;
export const OVERDRIVE = 12;
/** The digitiser's end, in standard deviations of one channel of the floor: a burst stays below it. */
export const CLIP_SIGMAS = 30;
/** The DC step doubles the LO leakage. */
const STEP_FACTOR = 2;
/** Direction of the LO leakage in the plane of I and Q. */
const LEAKAGE_PHASE = 0.9;

/** A filter with its state. */
interface Stage extends PoleFilter {
  re: number;
  im: number;
}

interface Line {
  readonly cyclesPerSample: number;
  readonly startCycles: number;
  readonly amplitude: number;
}

const fraction = (x: number): number => x - Math.floor(x);

export class PairGenerator {
  readonly #p: SignalParameters;
  readonly #file: number;
  readonly #samples: number;
  readonly #noise: Noise;
  readonly #stages: Stage[];
  readonly #lines: Line[];
  readonly #axion: { readonly line: AxionLine; readonly mix: Line } | null;
  /** Interleaved complex samples of the step in hand, and of the axion's line. */
  readonly #step = new Float64Array(2 * STEP);
  readonly #axionStep = new Float64Array(2 * STEP);
  #done = 0;
  #taken = STEP;

  /** @param samplesPerFile of every file of the run; where in the run a file lies follows from it */
  constructor(p: SignalParameters, file: number, samplesPerFile: number) {
    this.#p = p;
    this.#file = file;
    this.#samples = samplesPerFile;
    this.#noise = new Noise(p.seed, file);
    this.#stages = p.resonances.map((one) => ({ ...poleFilter(one, p.geometry.sampleRateHz), re: 0, im: 0 }));
    const spur = p.spur !== null && file >= p.spur.fromFile ? [p.spur] : [];
    this.#lines = [p.tone, ...spur].map((tone) => this.#line(tone));
    this.#axion = this.#axionOf(p);
    for (let k = 0; k < WARM_UP; k += STEP) this.#shapedNoise();
  }

  /** Samples that are still to come. */
  get left(): number {
    return this.#samples - this.#done + STEP - this.#taken;
  }

  /** Writes the next samples; `i` and `q` are of equal length, at most `left`. */
  writeTo(i: Float32Array, q: Float32Array): void {
    const step = this.#step;
    for (let at = 0; at < i.length; ) {
      if (this.#taken === STEP) this.#makeStep();
      const count = Math.min(STEP - this.#taken, i.length - at);
      const from = 2 * this.#taken;
      for (let k = 0; k < count; k++) {
        i[at + k] = step[from + 2 * k] as number;
        q[at + k] = step[from + 2 * k + 1] as number;
      }
      at += count;
      this.#taken += count;
    }
  }

  #line(tone: Tone): Line {
    const { sampleRateHz } = this.#p.geometry;
    const cyclesPerFile = (tone.offsetHz * this.#samples) / sampleRateHz;
    return {
      cyclesPerSample: tone.offsetHz / sampleRateHz,
      startCycles: fraction(fraction(cyclesPerFile) * this.#file),
      amplitude: lineAmplitude(tone.ratio, this.#p),
    };
  }

  #axionOf(p: SignalParameters): { readonly line: AxionLine; readonly mix: Line } | null {
    if (p.axion === null) return null;
    const restHz = p.geometry.loHz + p.axion.offsetHz;
    const offsetHz = p.axion.offsetHz + axionCentreHz(restHz);
    return {
      line: new AxionLine(p.seed, this.#file, restHz, p.geometry.sampleRateHz),
      mix: this.#line({ offsetHz, ratio: p.axion.ratio }),
    };
  }

  /** The next STEP samples. */
  #makeStep(): void {
    const p = this.#p;
    const { sampleRateHz } = p.geometry;
    this.#shapedNoise();
    const timeS = (this.#file * this.#samples + this.#done) / sampleRateHz;
    const gain = Math.sqrt(driftFactor(p, timeS));
    const burst = this.#within(p.burstFile, BURST_S) ? BURST_FACTOR : 1;
    this.#scale(gain * burst * Math.sqrt(noiseVariance(p.floor, sampleRateHz) / 2));
    this.#addLeakage(gain);
    for (const line of this.#lines) this.#addLine(line, gain);
    if (this.#axion !== null) this.#addAxion(this.#axion.line, this.#axion.mix, gain);
    if (this.#within(p.clippedFile, CLIPPED_S)) this.#clip();
    this.#done += STEP;
    this.#taken = 0;
  }

  /** Unit white noise per channel, through every resonance. */
  #shapedNoise(): void {
    this.#noise.normals(this.#step);
    for (const stage of this.#stages) applyStage(stage, this.#step);
  }

  /** Whether the step lies in the stretch of this length that begins in the middle of the named file. */
  #within(file: number | null, durationS: number): boolean {
    const sinceS = (this.#done - Math.floor(this.#samples / 2)) / this.#p.geometry.sampleRateHz;
    return file === this.#file && sinceS >= 0 && sinceS < durationS;
  }

  #scale(factor: number): void {
    const step = this.#step;
    for (let k = 0; k < step.length; k++) step[k] = (step[k] as number) * factor;
  }

  #addLeakage(gain: number): void {
    const { dcStepFile } = this.#p;
    const stepped = dcStepFile !== null && (this.#file > dcStepFile || this.#within(dcStepFile, Infinity));
    const amplitude = gain * lineAmplitude(this.#p.leakageRatio, this.#p) * (stepped ? STEP_FACTOR : 1);
    const re = amplitude * Math.cos(LEAKAGE_PHASE);
    const im = amplitude * Math.sin(LEAKAGE_PHASE);
    const step = this.#step;
    for (let k = 0; k < step.length; k += 2) {
      step[k] = (step[k] as number) + re;
      step[k + 1] = (step[k + 1] as number) + im;
    }
  }

  /** Phase of a line at the step's first sample, in radians. */
  #phase(line: Line): number {
    return 2 * Math.PI * fraction(line.startCycles + fraction(line.cyclesPerSample * this.#done));
  }

  #addLine(line: Line, gain: number): void {
    const step = this.#step;
    const turnRe = Math.cos(2 * Math.PI * line.cyclesPerSample);
    const turnIm = Math.sin(2 * Math.PI * line.cyclesPerSample);
    const phase = this.#phase(line);
    let re = gain * line.amplitude * Math.cos(phase);
    let im = gain * line.amplitude * Math.sin(phase);
    for (let k = 0; k < step.length; k += 2) {
      step[k] = (step[k] as number) + re;
      step[k + 1] = (step[k + 1] as number) + im;
      const next = re * turnRe - im * turnIm;
      im = re * turnIm + im * turnRe;
      re = next;
    }
  }

  #addAxion(axion: AxionLine, mix: Line, gain: number): void {
    axion.make(this.#axionStep, STEP);
    const phase = this.#phase(mix);
    for (let k = 0; k < STEP; k++) {
      const angle = phase + 2 * Math.PI * mix.cyclesPerSample * k;
      const cos = gain * mix.amplitude * Math.cos(angle);
      const sin = gain * mix.amplitude * Math.sin(angle);
      const re = this.#axionStep[2 * k] as number;
      const im = this.#axionStep[2 * k + 1] as number;
      this.#step[2 * k] = (this.#step[2 * k] as number) + re * cos - im * sin;
      this.#step[2 * k + 1] = (this.#step[2 * k + 1] as number) + re * sin + im * cos;
    }
  }

  #clip(): void {
    const limit = CLIP_SIGMAS * Math.sqrt(noiseVariance(this.#p.floor, this.#p.geometry.sampleRateHz) / 2);
    const step = this.#step;
    for (let k = 0; k < step.length; k++) {
      step[k] = Math.min(limit, Math.max(-limit, OVERDRIVE * (step[k] as number)));
    }
  }
}

/** Runs interleaved complex samples through one resonance, in place. */
function applyStage(stage: Stage, samples: Float64Array): void {
  const { poleRe, poleIm, oneMinusR, gain } = stage;
  let { re, im } = stage;
  for (let k = 0; k < samples.length; k += 2) {
    const x = samples[k] as number;
    const y = samples[k + 1] as number;
    const next = oneMinusR * x + poleRe * re - poleIm * im;
    im = oneMinusR * y + poleRe * im + poleIm * re;
    re = next;
    samples[k] = x + gain * re;
    samples[k + 1] = y + gain * im;
  }
  stage.re = re;
  stage.im = im;
}
