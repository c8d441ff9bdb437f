/**
 * Baseline of a spectrum: Savitzky–Golay, a polynomial fitted by least squares to a sliding window and evaluated at
 * one bin (Savitzky & Golay, Anal. Chem. 36, 1627, 1964), with bins left out.
 *
 * In the orthonormal polynomials q_j of a window the normal matrix of the full window is the identity. Leaving out
 * the bins M makes it 1 − Σ_M q qᵀ, so a window with gaps costs a system of degree + 1 equations and no more. At
 * the ends of the spectrum the outermost full window is evaluated off its centre.
 */

export const LEAST_DEGREE = 0;
export const MOST_DEGREE = 8;
/** Least share of a window that must be left in; below it a window twice as wide is used. */
const LEAST_SHARE = 0.4;

interface Polynomials {
  readonly width: number;
  readonly terms: number;
  /** [terms × width] orthonormal over the window. */
  readonly q: Float64Array;
  /** [width] weights of the value at the centre. */
  readonly centre: Float64Array;
}

/** Gram–Schmidt, twice over, on the monomials of −1…1. */
function polynomials(width: number, degree: number): Polynomials {
  const terms = degree + 1;
  const q = new Float64Array(terms * width);
  const half = Math.max(1, (width - 1) / 2);
  for (let j = 0; j < terms; j++) {
    const row = q.subarray(j * width, (j + 1) * width);
    const before = j === 0 ? null : q.subarray((j - 1) * width, j * width);
    for (let i = 0; i < width; i++)
      row[i] = before === null ? 1 : (before[i] as number) * ((i - (width - 1) / 2) / half);
    for (let pass = 0; pass < 2; pass++) for (let l = 0; l < j; l++) removeProjection(row, q, l * width);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < width; i++) row[i] = (row[i] as number) / norm;
  }
  const middle = (width - 1) / 2;
  const centre = Float64Array.from({ length: width }, (_, i) => weightAt(q, width, terms, middle, i));
  return { width, terms, q, centre };
}

function removeProjection(row: Float64Array, q: Float64Array, at: number): void {
  let dot = 0;
  for (let i = 0; i < row.length; i++) dot += (row[i] as number) * (q[at + i] as number);
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) - dot * (q[at + i] as number);
}

function weightAt(q: Float64Array, width: number, terms: number, at: number, i: number): number {
  let sum = 0;
  for (let j = 0; j < terms; j++) sum += (q[j * width + at] as number) * (q[j * width + i] as number);
  return sum;
}

/** The odd number of bins that a window of about `window` bins has in a spectrum of `bins`. */
export function usableWindow(window: number, degree: number, bins: number): number {
  const most = bins % 2 === 1 ? bins : bins - 1;
  const least = degree + 2 + (degree % 2 === 0 ? 1 : 0);
  const odd = 2 * Math.floor(window / 2) + 1;
  return Math.min(most, Math.max(least, odd));
}

/** [window] weights of the smoothed value at the centre of a window without gaps; symmetric, their sum is 1. */
export const centreWeights = (window: number, degree: number): Float64Array =>
  polynomials(window, degree).centre;

export class SavitzkyGolay {
  readonly bins: number;
  readonly window: number;
  readonly degree: number;
  readonly #p: Polynomials;
  /** For stretches where too much is left out; null where this window is the whole spectrum. */
  #wider: SavitzkyGolay | null | undefined;
  /** Right-hand side and matrix of the equations for one bin. */
  readonly #b: Float64Array;
  readonly #a: Float64Array;

  /** @throws {RangeError} where the degree is not a small integer or the spectrum too short for it */
  constructor(bins: number, window: number, degree: number) {
    if (!Number.isInteger(degree) || degree < LEAST_DEGREE || degree > MOST_DEGREE)
      throw new RangeError(`degree ${degree}: expected an integer from ${LEAST_DEGREE} to ${MOST_DEGREE}`);
    if (bins < degree + 3)
      throw new RangeError(`${bins} bins are too few for a polynomial of degree ${degree}`);
    this.bins = bins;
    this.degree = degree;
    this.window = usableWindow(window, degree, bins);
    this.#p = polynomials(this.window, degree);
    this.#b = new Float64Array(degree + 1);
    this.#a = new Float64Array((degree + 1) ** 2);
  }

  /**
   * Smooths `values` into `out`, both [bins]. Bins with `leftOut` 1, and values that are not finite, take no part in
   * any fit but get a value like every other; NaN where nothing at all is left to fit.
   */
  fit(values: ArrayLike<number>, leftOut: Uint8Array, out: Float64Array): void {
    const { bins, window } = this;
    const half = (window - 1) / 2;
    const used = new Uint8Array(bins);
    /** Bins used before each bin, so that gaps of a window are counted by two look-ups. */
    const before = new Uint32Array(bins + 1);
    for (let k = 0; k < bins; k++) {
      used[k] = leftOut[k] !== 1 && Number.isFinite(values[k]) ? 1 : 0;
      before[k + 1] = (before[k] as number) + (used[k] as number);
    }
    for (let k = 0; k < bins; k++) {
      const start = Math.min(bins - window, Math.max(0, k - half));
      const inside = (before[start + window] as number) - (before[start] as number);
      out[k] =
        inside === window && k - start === half
          ? this.#atCentre(values, start)
          : this.#at(values, used, start, k - start, inside);
    }
  }

  #atCentre(values: ArrayLike<number>, start: number): number {
    const { centre } = this.#p;
    let sum = 0;
    for (let i = 0; i < centre.length; i++) sum += (centre[i] as number) * (values[start + i] as number);
    return sum;
  }

  #at(values: ArrayLike<number>, used: Uint8Array, start: number, at: number, inside: number): number {
    if (inside < Math.max(this.degree + 2, LEAST_SHARE * this.window))
      return this.#widerAt(values, used, start + at);
    const { q, width, terms } = this.#p;
    const a = this.#a.fill(0);
    const b = this.#b.fill(0);
    for (let j = 0; j < terms; j++) a[j * terms + j] = 1;
    for (let i = 0; i < width; i++) {
      if (used[start + i] === 1) {
        const value = values[start + i] as number;
        for (let j = 0; j < terms; j++) b[j] = (b[j] as number) + (q[j * width + i] as number) * value;
        continue;
      }
      for (let j = 0; j < terms; j++)
        for (let l = 0; l <= j; l++)
          a[j * terms + l] =
            (a[j * terms + l] as number) - (q[j * width + i] as number) * (q[l * width + i] as number);
    }
    if (inside < width && !solve(a, b, terms)) return this.#widerAt(values, used, start + at);
    let sum = 0;
    for (let j = 0; j < terms; j++) sum += (b[j] as number) * (q[j * width + at] as number);
    return sum;
  }

  #widerAt(values: ArrayLike<number>, used: Uint8Array, bin: number): number {
    if (this.#wider === undefined)
      this.#wider =
        usableWindow(2 * this.window, this.degree, this.bins) === this.window
          ? null
          : new SavitzkyGolay(this.bins, 2 * this.window, this.degree);
    return this.#wider === null ? Number.NaN : this.#wider.#single(values, used, bin);
  }

  #single(values: ArrayLike<number>, used: Uint8Array, bin: number): number {
    const start = Math.min(this.bins - this.window, Math.max(0, bin - (this.window - 1) / 2));
    let inside = 0;
    for (let i = 0; i < this.window; i++) inside += used[start + i] as number;
    return this.#at(values, used, start, bin - start, inside);
  }
}

/** Smallest pivot (of 1 in a window without gaps) with which a solution is worth anything. */
const LEAST_PIVOT = 1e-7;

/** Solves A x = b in place by Cholesky; A is the lower triangle. False where it is as good as singular. */
function solve(a: Float64Array, b: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    let pivot = a[j * n + j] as number;
    for (let l = 0; l < j; l++) pivot -= (a[j * n + l] as number) ** 2;
    if (!(pivot > LEAST_PIVOT)) return false;
    const root = Math.sqrt(pivot);
    a[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = a[i * n + j] as number;
      for (let l = 0; l < j; l++) sum -= (a[i * n + l] as number) * (a[j * n + l] as number);
      a[i * n + j] = sum / root;
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = b[i] as number;
    for (let l = 0; l < i; l++) sum -= (a[i * n + l] as number) * (b[l] as number);
    b[i] = sum / (a[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i] as number;
    for (let l = i + 1; l < n; l++) sum -= (a[l * n + i] as number) * (b[l] as number);
    b[i] = sum / (a[i * n + i] as number);
  }
  return true;
}
