import { expect, test } from 'vitest';
import { Noise } from '../../bridge/simulator/noise.ts';

const COUNT = 2_000_000;

function sample(noise = new Noise(1, 0)): Float64Array {
  const out = new Float64Array(COUNT);
  noise.normals(out);
  return out;
}

const mean = (values: Float64Array, of: (x: number) => number): number =>
  values.reduce((sum, x) => sum + of(x), 0) / values.length;

/** Five standard errors: one seed in 1.7 million would fail, and the seed is fixed. */
const SIGMAS = 5;

test('has the moments of a standard normal', () => {
  const x = sample();
  // Variances of x, x², x³, x⁴ over a standard normal: 1, 2, 15, 96.
  for (const [power, expected, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ] as const) {
    const tolerance = SIGMAS * Math.sqrt(variance / COUNT);
    expect(Math.abs(mean(x, (v) => v ** power) - expected), `moment ${power}`).toBeLessThan(tolerance);
  }
});

test('has the tails of a standard normal, beyond the last layer too', () => {
  const x = sample();
  // Q(z) = P(x > z), from tables.
  for (const [z, probability] of [
    [0.5, 0.30853754],
    [1, 0.15865525],
    [2, 0.022750132],
    [3, 1.349898e-3],
    [3.6541528853610088, 1.2902e-4],
    [4, 3.1671242e-5],
  ] as const) {
    const tolerance = SIGMAS * Math.sqrt(probability / COUNT);
    expect(Math.abs(mean(x, (v) => (v > z ? 1 : 0)) - probability), `above ${z}`).toBeLessThan(tolerance);
    expect(Math.abs(mean(x, (v) => (v < -z ? 1 : 0)) - probability), `below −${z}`).toBeLessThan(tolerance);
  }
});

test('has no correlation between neighbours, and none between streams', () => {
  const x = sample();
  const other = sample(new Noise(1, 1));
  const purpose = sample(new Noise(1, 0, 1));
  const seed = sample(new Noise(2, 0));
  const correlation = (y: Float64Array, lag: number): number => {
    let sum = 0;
    for (let k = lag; k < COUNT; k++) sum += (x[k] as number) * (y[k - lag] as number);
    return sum / COUNT;
  };
  const tolerance = SIGMAS / Math.sqrt(COUNT);
  for (const lag of [1, 2, 3, 4, 8])
    expect(Math.abs(correlation(x, lag)), `lag ${lag}`).toBeLessThan(tolerance);
  for (const y of [other, purpose, seed]) expect(Math.abs(correlation(y, 0))).toBeLessThan(tolerance);
});

test('uniform lies in (0, 1] with mean 1/2', () => {
  const noise = new Noise(7, 7);
  let sum = 0;
  for (let k = 0; k < 100_000; k++) {
    const u = noise.uniform();
    expect(u > 0 && u <= 1).toBe(true);
    sum += u;
  }
  expect(Math.abs(sum / 100_000 - 0.5)).toBeLessThan(SIGMAS * Math.sqrt(1 / 12 / 100_000));
});
