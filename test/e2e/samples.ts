/**
 * Files with known samples, and what the pipeline has to publish for them, computed in float64 by the reference
 * that shares no code with the engines.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gaussian } from '../engine/accuracy.ts';
import { referenceMoments } from '../engine/reference.ts';

export const BINS = 3072;
export const SAMPLE_RATE_HZ = 2e6;
/** 2731 slices of 3072. */
export const NOMINAL_SLICES = 2731;

/** Volts; near what the receiver delivers. */
const NOISE_SIGMA = 2e-3;
/** Amplitude whose line stands 30 dB above the noise of its bin. */
const TONE_AMPLITUDE = NOISE_SIGMA * Math.sqrt((2 * 1000) / BINS);
/** Seeds of I and Q of different files never meet. */
const SEED_STEP = 2;

/** One file of the run. */
export interface Recording {
  readonly file: number;
  readonly slices: number;
  /** [slices · BINS] volts. */
  readonly i: Float32Array<ArrayBuffer>;
  readonly q: Float32Array<ArrayBuffer>;
}

/** What `results` must say of a recording; arrays are [BINS], ascending in frequency. */
export interface Expected {
  readonly file: number;
  readonly count: number;
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** White noise and a tone; the tone moves with the file, so that no two files look alike. */
export function record(file: number, slices: number): Recording {
  const length = slices * BINS;
  const i = gaussian(length, SEED_STEP * file, NOISE_SIGMA);
  const q = gaussian(length, SEED_STEP * file + 1, NOISE_SIGMA);
  const cyclesPerSlice = 100 + (file % 400);
  for (let t = 0; t < length; t++) {
    const angle = (2 * Math.PI * cyclesPerSlice * (t % BINS)) / BINS;
    i[t] = (i[t] as number) + TONE_AMPLITUDE * Math.cos(angle);
    q[t] = (q[t] as number) + TONE_AMPLITUDE * Math.sin(angle);
  }
  return { file, slices, i, q };
}

/** Recordings of consecutive files. */
export const recordMany = (first: number, files: number, slices: number): Recording[] =>
  Array.from({ length: files }, (_, k) => record(first + k, slices));

/** Writes `duck_i_NNNNN.dat` and `duck_q_NNNNN.dat`. */
export async function writePair(folder: string, { file, i, q }: Recording): Promise<void> {
  const number = String(file).padStart(5, '0');
  await writeFile(join(folder, `duck_i_${number}.dat`), i);
  await writeFile(join(folder, `duck_q_${number}.dat`), q);
}

export async function writePairs(folder: string, recordings: readonly Recording[]): Promise<void> {
  for (const recording of recordings) await writePair(folder, recording);
}

const references = new WeakMap<Recording, Expected>();

/**
 * P[k] = |FFT(I + iQ)[k]|² / (bins · fs · √2): mean and sample standard deviation over the slices. Computed once for
 * each recording.
 */
export function expectedOf(recording: Recording): Expected {
  const known = references.get(recording);
  if (known !== undefined) return known;
  const expected = reference(recording);
  references.set(recording, expected);
  return expected;
}

function reference({ file, slices, i, q }: Recording): Expected {
  const samples = new Float32Array(i.length + q.length);
  samples.set(i);
  samples.set(q, i.length);
  const { mean, m2 } = referenceMoments(samples, [{ offset: 0, slices }], { bins: BINS });
  const scale = 1 / (BINS * SAMPLE_RATE_HZ * Math.SQRT2);
  return {
    file,
    count: slices,
    mean: mean.map((value) => value * scale),
    std: m2.map((value) => Math.sqrt(value / (slices - 1)) * scale),
  };
}
