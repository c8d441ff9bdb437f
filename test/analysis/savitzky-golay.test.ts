import { expect, test } from 'vitest';
import { centreWeights, SavitzkyGolay, usableWindow } from '../../web/analysis/savitzky-golay.ts';
import { fixtures, lehmer } from './fixtures.ts';

/** Both sides solve the same least squares in float64 with orthogonal bases: some hundred roundings of numbers near 6. */
const TOLERANCE = 1e-12;
/** scipy solves for its weights in powers of the distance in bins: a condition of 100^4 times 2^-53 times values of 6. */
const SCIPY_TOLERANCE = 1e-7;

/** As in the script of the fixtures. */
function wave(bins: number): Float64Array {
  const noise = lehmer(bins);
  return Float64Array.from(
    { length: bins },
    (_, k) => 5 + 0.002 * k + Math.exp(-(((k - 0.4 * bins) / 30) ** 2)) + 0.1 * ((noise[k] as number) - 0.5),
  );
}

test.each(fixtures.savitzkyGolay)(
  '$bins bins, window $window, degree $degree: as scipy, ends included',
  (it) => {
    const out = new Float64Array(it.bins);
    new SavitzkyGolay(it.bins, it.window, it.degree).fit(wave(it.bins), new Uint8Array(it.bins), out);
    it.at.forEach((k, i) => {
      expect({ k, error: Math.abs((out[k] as number) - (it.smooth[i] as number)) < SCIPY_TOLERANCE }).toEqual(
        {
          k,
          error: true,
        },
      );
    });
  },
);

test.each(fixtures.savitzkyGolay)('window $window, degree $degree: gaps as numpy’s least squares', (it) => {
  const leftOut = new Uint8Array(it.bins);
  const values = wave(it.bins);
  for (const k of it.gaps) {
    leftOut[k] = 1;
    // Whatever lies in a gap has no say.
    values[k] = k % 2 === 0 ? 1e6 : Number.NaN;
  }
  const out = new Float64Array(it.bins);
  new SavitzkyGolay(it.bins, it.window, it.degree).fit(values, leftOut, out);
  it.at.forEach((k, i) => {
    expect({ k, error: Math.abs((out[k] as number) - (it.withGaps[i] as number)) < TOLERANCE }).toEqual({
      k,
      error: true,
    });
  });
});

test('a polynomial of its degree goes through unchanged, over a gap wider than its window as well', () => {
  const bins = 256;
  const values = Float64Array.from({ length: bins }, (_, k) => 3 + 0.01 * k - 2e-5 * k * k);
  const leftOut = new Uint8Array(bins).fill(1, 90, 140);
  const out = new Float64Array(bins);
  new SavitzkyGolay(bins, 31, 2).fit(values, leftOut, out);
  for (let k = 0; k < bins; k++)
    expect(Math.abs((out[k] as number) - (values[k] as number))).toBeLessThan(1e-9);
});

test('with nothing left there is no baseline, and that is NaN', () => {
  const out = new Float64Array(64);
  new SavitzkyGolay(64, 21, 4).fit(new Float64Array(64).fill(1), new Uint8Array(64).fill(1), out);
  expect(out.every((value) => Number.isNaN(value))).toBe(true);
});

test('weights sum to 1, and the centre weight of degree 4 is about 225/(64 W)', () => {
  const weights = centreWeights(201, 4);
  expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 12);
  expect(weights[100]).toBeCloseTo(225 / (64 * 201), 5);
});

test('windows are odd and fit the spectrum; impossible ones are refused', () => {
  expect(usableWindow(200, 4, 3072)).toBe(201);
  expect(usableWindow(1, 4, 3072)).toBe(7);
  expect(usableWindow(1, 3, 3072)).toBe(5);
  expect(usableWindow(9999, 4, 256)).toBe(255);
  expect(() => new SavitzkyGolay(3072, 201, 1.5)).toThrow(RangeError);
  expect(() => new SavitzkyGolay(6, 201, 4)).toThrow(RangeError);
});
