/**
 * What chance alone does: how many of many normal deviates lie beyond a threshold, and how far the largest reaches.
 */

/** Where the series of erf ends and the continued fraction of erfc begins; both converge fast there. */
const SERIES_UP_TO = 2;
const CONVERGED = 1e-17;
const MOST_TERMS = 400;

/** erf(x) = 2/√π Σ (−1)^k x^(2k+1) / (k! (2k+1)). */
function erfSeries(x: number): number {
  let power = x;
  let sum = x;
  for (let k = 1; k < MOST_TERMS; k++) {
    power *= (-x * x) / k;
    const term = power / (2 * k + 1);
    sum += term;
    if (Math.abs(term) < CONVERGED * Math.abs(sum)) break;
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** √π e^{x²} erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), from the inside out (DLMF 7.9.1). */
function erfcFraction(x: number): number {
  let tail = x;
  for (let k = 80; k > 0; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}

/** Complementary error function, to about 1e-14 of its value. */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  return x < SERIES_UP_TO ? 1 - erfSeries(x) : erfcFraction(x);
}

/** Probability that a unit normal deviate lies above z. */
export const tailAbove = (z: number): number => erfc(z / Math.SQRT2) / 2;

/** Of `bins` deviates with standard deviation `sigma`, how many lie above the threshold (one side) by chance. */
export const expectedAbove = (bins: number, threshold: number, sigma = 1): number =>
  bins * tailAbove(threshold / sigma);

/** Median of the largest of `bins` unit normal deviates: 3.5 for 3072. */
export function expectedMaximum(bins: number): number {
  if (bins < 1) return Number.NaN;
  // P(all below z) = 1/2.
  const tail = -Math.expm1(Math.log(0.5) / bins);
  let low = -8;
  let high = 9;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (tailAbove(middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
