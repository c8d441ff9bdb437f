/**
 * Plan of a transform: how N bins are split into radices, and what each thread of a workgroup does in a stage.
 *
 * Stockham's autosort FFT (Cochran et al., "What is the fast Fourier transform?", 1967; Govindaraju et al.,
 * "High performance discrete Fourier transforms on graphics processors", 2008). A stage of radix R, after
 * stages whose radices multiply to `span` L, is done by N/R threads t, each of which
 *
 *     reads      x[t + r·N/R]                                   r = 0 … R−1
 *     multiplies by exp(−2πi · (t mod L)·r / (L·R))
 *     transforms R points
 *     writes     y[⌊t/L⌋·L·R + (t mod L) + k·L]                 k = 0 … R−1
 *
 * After the last stage L·R = N, so thread t holds the bins k = t + r·N/R, the same ones in every slice: it can
 * keep their running moments in registers. That is why the last stage sets the number of threads.
 *
 * No stage has more than `threads` butterflies, so a thread does at most one per stage; 256 threads and
 * 16 KiB of workgroup memory are what every WebGPU device has without asking.
 */

export interface Stage {
  readonly radix: number;
  /** Product of the radices of the stages before, L. */
  readonly span: number;
  /** Threads that work in this stage, N/R. */
  readonly butterflies: number;
  /** Index of this stage's first entry in `twiddleTable`. */
  readonly twiddles: number;
}

export interface SpectrumPlan {
  readonly bins: number;
  readonly threads: number;
  readonly stages: readonly Stage[];
}

/** Radices by length. The last is the smallest or equal to the others, so that no stage has idle registers. */
const RADICES: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [8, 8, 4]],
  [384, [8, 8, 6]],
  [512, [8, 8, 8]],
  [768, [16, 8, 6]],
  [1024, [16, 8, 8]],
  [1536, [16, 16, 6]],
  [2048, [16, 16, 8]],
  [3072, [16, 16, 12]],
  [4096, [16, 16, 16]],
]);

/** Lengths that the GPU transforms: 2^a and 3·2^a from 256 to 4096. */
export const gpuLengths: readonly number[] = [...RADICES.keys()];

/** @throws {RangeError} for a length that is not in `gpuLengths` */
export function spectrumPlan(bins: number): SpectrumPlan {
  const radices = RADICES.get(bins);
  if (radices === undefined) {
    throw new RangeError(`the GPU transforms ${gpuLengths.join(', ')} bins, not ${bins}`);
  }
  const stages: Stage[] = [];
  let span = 1;
  let twiddles = 0;
  for (const radix of radices) {
    stages.push({ radix, span, butterflies: bins / radix, twiddles });
    if (span > 1) twiddles += (radix - 1) * span;
    span *= radix;
  }
  return { bins, threads: bins / (radices.at(-1) as number), stages };
}

/**
 * exp(−2πi·j·r / (L·R)) for every stage but the first, as (re, im) at index `twiddles + (r−1)·L + j`,
 * r = 1 … R−1, j = 0 … L−1: neighbouring threads read neighbouring entries. Angles are float64 and rounded
 * once; WGSL's own sin and cos are good to 2^−11 only.
 */
export function twiddleTable(plan: SpectrumPlan): Float32Array<ArrayBuffer> {
  const table: number[] = [];
  for (const { radix, span } of plan.stages) {
    if (span === 1) continue;
    for (let r = 1; r < radix; r++) {
      for (let j = 0; j < span; j++) {
        const angle = (-2 * Math.PI * j * r) / (span * radix);
        table.push(Math.cos(angle), Math.sin(angle));
      }
    }
  }
  return new Float32Array(table);
}
