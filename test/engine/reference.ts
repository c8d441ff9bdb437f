/**
 * Float64 reference of the spectrum engines: slow, obvious, and sharing no plan, table or codelet with them.
 *
 * The transform is the textbook recursion over the prime factors 2 and 3 (Cooley & Tukey 1965, decimation in
 * time) with roots of unity taken straight from `Math.cos`/`Math.sin`; for any other length it is the defining
 * sum. Moments are Welford's recurrence in float64.
 */
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import type { Segment } from '../../web/engine/engine.ts';

/** Moments per bin of |FFT|² at true scale; arrays are [bins], ascending frequency, DC at ⌊bins/2⌋. */
export interface ReferenceMoments {
  readonly count: number;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
  readonly time: TimeSums;
}

export interface ReferenceOptions {
  readonly bins: number;
  /** Window coefficients, [bins]; none: all ones. */
  readonly window?: ArrayLike<number> | undefined;
  readonly clipLevel?: number | undefined;
}

/** X[k] = Σ_n x[n]·exp(−2πi·k·n/N) by its definition: N² terms. */
export function plainDft(
  re: ArrayLike<number>,
  im: ArrayLike<number>,
): { re: Float64Array; im: Float64Array } {
  const n = re.length;
  const out = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    let sumRe = 0;
    let sumIm = 0;
    for (let t = 0; t < n; t++) {
      const angle = (-2 * Math.PI * ((k * t) % n)) / n;
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      sumRe += (re[t] as number) * c - (im[t] as number) * s;
      sumIm += (re[t] as number) * s + (im[t] as number) * c;
    }
    out.re[k] = sumRe;
    out.im[k] = sumIm;
  }
  return out;
}

/** Recursive float64 FFT of one length; `re` and `im` hold the last result. */
export class ReferenceFft {
  readonly bins: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #scratch = new Float64Array(6);

  constructor(bins: number) {
    this.bins = bins;
    this.re = new Float64Array(bins);
    this.im = new Float64Array(bins);
    this.#cos = Float64Array.from({ length: bins }, (_, k) => Math.cos((-2 * Math.PI * k) / bins));
    this.#sin = Float64Array.from({ length: bins }, (_, k) => Math.sin((-2 * Math.PI * k) / bins));
  }

  transform(re: ArrayLike<number>, im: ArrayLike<number>): void {
    this.#recurse(re, im, 0, 1, this.bins, 0);
  }

  /** DFT of the `n` inputs at offset, offset + stride, …, written at `at` … `at + n − 1`. */
  #recurse(
    re: ArrayLike<number>,
    im: ArrayLike<number>,
    offset: number,
    stride: number,
    n: number,
    at: number,
  ): void {
    const prime = n % 2 === 0 ? 2 : n % 3 === 0 ? 3 : n;
    const part = n / prime;
    if (n === 1) {
      this.re[at] = re[offset] as number;
      this.im[at] = im[offset] as number;
      return;
    }
    if (prime > 3) throw new Error(`the reference transforms 2^a·3^b, not ${this.bins}`);
    for (let r = 0; r < prime; r++)
      this.#recurse(re, im, offset + r * stride, stride * prime, part, at + r * part);
    for (let k = 0; k < part; k++) this.#combine(prime, part, k, at, stride);
  }

  /** X[k + q·part] = Σ_r W_n^(r·(k + q·part)) · Y_r[k]. */
  #combine(prime: number, part: number, k: number, at: number, stride: number): void {
    const y = this.#scratch;
    for (let r = 0; r < prime; r++) {
      y[2 * r] = this.re[at + r * part + k] as number;
      y[2 * r + 1] = this.im[at + r * part + k] as number;
    }
    for (let q = 0; q < prime; q++) {
      let sumRe = 0;
      let sumIm = 0;
      for (let r = 0; r < prime; r++) {
        const root = (r * (k + q * part) * stride) % this.bins;
        const c = this.#cos[root] as number;
        const s = this.#sin[root] as number;
        const a = y[2 * r] as number;
        const b = y[2 * r + 1] as number;
        sumRe += a * c - b * s;
        sumIm += a * s + b * c;
      }
      this.re[at + q * part + k] = sumRe;
      this.im[at + q * part + k] = sumIm;
    }
  }
}

/** Calls `visit` with every slice's I and Q, in the order of the segments. */
function forEachSlice(
  samples: Float32Array,
  segments: readonly Segment[],
  bins: number,
  visit: (i: Float32Array, q: Float32Array) => void,
): void {
  for (const { offset, slices } of segments)
    for (let s = 0; s < slices; s++) {
      const i = offset + s * bins;
      const q = i + slices * bins;
      visit(samples.subarray(i, i + bins), samples.subarray(q, q + bins));
    }
}

function addSlice(time: TimeSums, i: Float32Array, q: Float32Array, clipLevel: number): void {
  for (let t = 0; t < i.length; t++) {
    const a = i[t] as number;
    const b = q[t] as number;
    time.minI = Math.min(time.minI, a);
    time.maxI = Math.max(time.maxI, a);
    time.minQ = Math.min(time.minQ, b);
    time.maxQ = Math.max(time.maxQ, b);
    time.clipped += (Math.abs(a) >= clipLevel ? 1 : 0) + (Math.abs(b) >= clipLevel ? 1 : 0);
    time.sumI += a;
    time.sumQ += b;
    time.sumII += a * a;
    time.sumQQ += b * b;
    time.sumIQ += a * b;
  }
  time.samples += i.length;
}

/** What every engine should answer for these slices, to float64. */
export function referenceMoments(
  samples: Float32Array,
  segments: readonly Segment[],
  { bins, window, clipLevel = Infinity }: ReferenceOptions,
): ReferenceMoments {
  const fft = new ReferenceFft(bins);
  const mean = new Float64Array(bins);
  const m2 = new Float64Array(bins);
  const time: TimeSums = {
    samples: 0,
    minI: Infinity,
    maxI: -Infinity,
    minQ: Infinity,
    maxQ: -Infinity,
    clipped: 0,
    sumI: 0,
    sumQ: 0,
    sumII: 0,
    sumQQ: 0,
    sumIQ: 0,
  };
  const half = Math.floor(bins / 2);
  let count = 0;
  forEachSlice(samples, segments, bins, (i, q) => {
    addSlice(time, i, q, clipLevel);
    if (window)
      fft.transform(
        Float64Array.from(i, (x, t) => x * (window[t] as number)),
        Float64Array.from(q, (x, t) => x * (window[t] as number)),
      );
    else fft.transform(i, q);
    count++;
    for (let k = 0; k < bins; k++) {
      const power = (fft.re[k] as number) ** 2 + (fft.im[k] as number) ** 2;
      const at = (k + half) % bins;
      const delta = power - (mean[at] as number);
      const updated = (mean[at] as number) + delta / count;
      mean[at] = updated;
      m2[at] = (m2[at] as number) + delta * (power - updated);
    }
  });
  return { count, mean, m2, time };
}
