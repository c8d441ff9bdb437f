/**
 * Float64 FFT of length 2^a·3^b by Stockham's autosort, radices 4, 3 and 2, between two pairs of arrays.
 *
 * A stage of radix R turns n = R·m points at stride s (n·s = N), x at q + s·p, into R transforms of m points at
 * stride s·R:
 *
 *     y[q + s·(R·p + r)] = W_n^(p·r) · Σ_h x[q + s·(p + m·h)] · W_R^(h·r),   p < m, q < s, r < R
 *
 * With the last stage m = 1 everything stands in natural order.
 */

/** Real and imaginary parts, each [N]. */
export interface ComplexArray {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

interface Stage {
  readonly radix: 2 | 3 | 4;
  readonly m: number;
  readonly s: number;
  /** W_n^(p·r): [m][radix − 1] pairs cos, sin. */
  readonly twiddles: Float64Array;
}

const complexArray = (n: number): ComplexArray => ({ re: new Float64Array(n), im: new Float64Array(n) });

function planStages(bins: number): Stage[] {
  const stages: Stage[] = [];
  let n = bins;
  while (n > 1) {
    const radix = n % 4 === 0 ? 4 : n % 3 === 0 ? 3 : 2;
    if (n % radix !== 0) throw new Error(`expected a length 2^a·3^b, found ${bins}`);
    const m = n / radix;
    const twiddles = new Float64Array(2 * m * (radix - 1));
    for (let p = 0; p < m; p++)
      for (let r = 1; r < radix; r++) {
        const at = 2 * (p * (radix - 1) + r - 1);
        twiddles[at] = Math.cos((2 * Math.PI * p * r) / n);
        twiddles[at + 1] = -Math.sin((2 * Math.PI * p * r) / n);
      }
    stages.push({ radix, m, s: bins / n, twiddles });
    n = m;
  }
  return stages;
}

function radix2({ m, s, twiddles }: Stage, x: ComplexArray, y: ComplexArray): void {
  for (let p = 0; p < m; p++) {
    const c = twiddles[2 * p] as number;
    const d = twiddles[2 * p + 1] as number;
    for (let q = 0; q < s; q++) {
      const a = q + s * p;
      const b = a + s * m;
      const to = q + 2 * s * p;
      const re = (x.re[a] as number) - (x.re[b] as number);
      const im = (x.im[a] as number) - (x.im[b] as number);
      y.re[to] = (x.re[a] as number) + (x.re[b] as number);
      y.im[to] = (x.im[a] as number) + (x.im[b] as number);
      y.re[to + s] = re * c - im * d;
      y.im[to + s] = re * d + im * c;
    }
  }
}

const HALF_SQRT_3 = Math.sqrt(3) / 2;

function radix3({ m, s, twiddles }: Stage, x: ComplexArray, y: ComplexArray): void {
  for (let p = 0; p < m; p++) {
    const c1 = twiddles[4 * p] as number;
    const d1 = twiddles[4 * p + 1] as number;
    const c2 = twiddles[4 * p + 2] as number;
    const d2 = twiddles[4 * p + 3] as number;
    for (let q = 0; q < s; q++) {
      const a = q + s * p;
      const b = a + s * m;
      const c = b + s * m;
      const to = q + 3 * s * p;
      const sumRe = (x.re[b] as number) + (x.re[c] as number);
      const sumIm = (x.im[b] as number) + (x.im[c] as number);
      const sideRe = HALF_SQRT_3 * ((x.im[b] as number) - (x.im[c] as number));
      const sideIm = HALF_SQRT_3 * ((x.re[c] as number) - (x.re[b] as number));
      const halfRe = (x.re[a] as number) - 0.5 * sumRe;
      const halfIm = (x.im[a] as number) - 0.5 * sumIm;
      y.re[to] = (x.re[a] as number) + sumRe;
      y.im[to] = (x.im[a] as number) + sumIm;
      y.re[to + s] = (halfRe + sideRe) * c1 - (halfIm + sideIm) * d1;
      y.im[to + s] = (halfRe + sideRe) * d1 + (halfIm + sideIm) * c1;
      y.re[to + 2 * s] = (halfRe - sideRe) * c2 - (halfIm - sideIm) * d2;
      y.im[to + 2 * s] = (halfRe - sideRe) * d2 + (halfIm - sideIm) * c2;
    }
  }
}

function radix4({ m, s, twiddles }: Stage, x: ComplexArray, y: ComplexArray): void {
  const step = s * m;
  for (let p = 0; p < m; p++) {
    const c1 = twiddles[6 * p] as number;
    const d1 = twiddles[6 * p + 1] as number;
    const c2 = twiddles[6 * p + 2] as number;
    const d2 = twiddles[6 * p + 3] as number;
    const c3 = twiddles[6 * p + 4] as number;
    const d3 = twiddles[6 * p + 5] as number;
    for (let q = 0; q < s; q++) {
      const a = q + s * p;
      const to = q + 4 * s * p;
      const evenRe = (x.re[a] as number) + (x.re[a + 2 * step] as number);
      const evenIm = (x.im[a] as number) + (x.im[a + 2 * step] as number);
      const wideRe = (x.re[a] as number) - (x.re[a + 2 * step] as number);
      const wideIm = (x.im[a] as number) - (x.im[a + 2 * step] as number);
      const oddRe = (x.re[a + step] as number) + (x.re[a + 3 * step] as number);
      const oddIm = (x.im[a + step] as number) + (x.im[a + 3 * step] as number);
      const turnRe = (x.im[a + step] as number) - (x.im[a + 3 * step] as number);
      const turnIm = (x.re[a + 3 * step] as number) - (x.re[a + step] as number);
      y.re[to] = evenRe + oddRe;
      y.im[to] = evenIm + oddIm;
      y.re[to + s] = (wideRe + turnRe) * c1 - (wideIm + turnIm) * d1;
      y.im[to + s] = (wideRe + turnRe) * d1 + (wideIm + turnIm) * c1;
      y.re[to + 2 * s] = (evenRe - oddRe) * c2 - (evenIm - oddIm) * d2;
      y.im[to + 2 * s] = (evenRe - oddRe) * d2 + (evenIm - oddIm) * c2;
      y.re[to + 3 * s] = (wideRe - turnRe) * c3 - (wideIm - turnIm) * d3;
      y.im[to + 3 * s] = (wideRe - turnRe) * d3 + (wideIm - turnIm) * c3;
    }
  }
}

const STAGE = { 2: radix2, 3: radix3, 4: radix4 } as const;

export class StockhamFft {
  readonly #stages: readonly Stage[];
  #from: ComplexArray;
  #to: ComplexArray;

  /** @param bins 2^a·3^b */
  constructor(bins: number) {
    this.#stages = planStages(bins);
    this.#from = complexArray(bins);
    this.#to = complexArray(bins);
  }

  /** Takes one slice, times the window. */
  load(i: Float32Array, q: Float32Array, window: Float64Array): this {
    const { re, im } = this.#from;
    for (let t = 0; t < window.length; t++) {
      re[t] = (i[t] as number) * (window[t] as number);
      im[t] = (q[t] as number) * (window[t] as number);
    }
    return this;
  }

  /** X[k] in natural order, DC first; valid until the next call. */
  transform(): ComplexArray {
    for (const stage of this.#stages) {
      STAGE[stage.radix](stage, this.#from, this.#to);
      [this.#from, this.#to] = [this.#to, this.#from];
    }
    return this.#from;
  }
}
