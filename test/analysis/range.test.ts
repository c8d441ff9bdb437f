import { expect, test } from 'vitest';
import { heightRange, RangeFinder } from '../../web/analysis/range.ts';
import { gaussianNoisePowers } from './noise.ts';

const BINS = 3072;

/** A floor at 5 with 2 % noise, a dip of 8 % over 2 % of the band, a tone in three bins, a DC spike. */
function spectrum(): Float64Array {
  const noise = gaussianNoisePowers(7, BINS * 8);
  return Float64Array.from({ length: BINS }, (_, k) => {
    const scatter = noise.slice(k * 8, k * 8 + 8).reduce((sum, p) => sum + p - 1, 0) / Math.sqrt(8);
    let value = 5 * (1 + 0.02 * scatter);
    if (k > 2100 && k < 2160) value *= 0.92;
    if (k >= 2940 && k <= 2942) value *= 3.7;
    if (k === BINS / 2) value *= 1000;
    return value;
  });
}

const find = (values: Float64Array, mode: 'robust' | 'full', from = 0, to = values.length) => {
  const finder = new RangeFinder();
  finder.add(values, from, to);
  return finder.find(mode);
};

test('a tone and the DC spike do not squash the floor, and the dip is in view', () => {
  const range = find(spectrum(), 'robust');
  expect(range?.max).toBeGreaterThan(5.25);
  expect(range?.max).toBeLessThan(6.5);
  expect(range?.min).toBeLessThan(5 * 0.92);
  expect(range?.min).toBeGreaterThan(3.8);
});

test('`full` shows everything', () => {
  const range = find(spectrum(), 'full');
  expect(range?.max).toBeGreaterThan(4500);
});

test('zoomed in on a stretch with the DC spike the floor is still what is shown', () => {
  const range = find(spectrum(), 'robust', BINS / 2 - 40, BINS / 2 + 40);
  expect(range?.max).toBeLessThan(7);
});

test('two traces with the same spike among a few bins: the floor is still what is shown', () => {
  const finder = new RangeFinder();
  for (let trace = 0; trace < 2; trace++) finder.add(spectrum(), BINS / 2 - 15, BINS / 2 + 15);
  expect(finder.find('robust')?.max).toBeLessThan(7);
});

test('the tails of noise stay in view', () => {
  const noise = gaussianNoisePowers(3, BINS).map((p) => 5 + 0.1 * Math.log(p));
  const range = find(Float64Array.from(noise), 'robust');
  expect(range?.max).toBe(Math.max(...noise));
});

test('infinities and NaN do not count; nothing finite gives no range', () => {
  expect(find(Float64Array.of(-Infinity, Number.NaN, 3, 4), 'full')).toEqual({
    min: 3,
    max: 4,
  });
  expect(find(Float64Array.of(-Infinity, Number.NaN), 'robust')).toBeNull();
});

test('a finder can be used again, and grows beyond its first buffer', () => {
  const finder = new RangeFinder();
  finder.add(new Float64Array(10_000).fill(2), 0, 10_000);
  finder.clear();
  finder.add(
    Float64Array.from({ length: 9000 }, (_, k) => k),
    0,
    9000,
  );
  expect(finder.find('full')).toEqual({ min: 0, max: 8999 });
});

test('the tails of the noisiest trace fit, whatever the leader’s own noise', () => {
  // A floor from 4.9 to 5.5 whose noise has been averaged away, and a file with σ = 0.1.
  const quiet = heightRange({ min: 4.9, max: 5.5 }, 0.0005, 0.1);
  expect(quiet.min).toBeLessThan(4.9 - 3.4 * 0.1);
  expect(quiet.max).toBeGreaterThan(5.5 + 3.4 * 0.1);
  // The first file of a run: its own noise is in the floor already, and is not counted twice.
  const first = heightRange({ min: 4.9 - 0.34, max: 5.5 + 0.34 }, 0.1, 0.1);
  expect(first).toEqual(quiet);
});

test('the axis keeps still while extremes change a little, and ends on round numbers', () => {
  const range = heightRange({ min: 4.65, max: 5.78 }, 0, 0.012);
  expect(range.min).toBeCloseTo(4.5, 12);
  expect(range.max).toBeCloseTo(5.9, 12);
  for (const jitter of [-0.01, 0.01])
    expect(heightRange({ min: 4.65 + jitter, max: 5.78 + jitter }, 0, 0.0121)).toEqual(range);
});

test('one value alone still gives a range with room', () => {
  for (const value of [5e-9, 0, -3]) {
    const range = heightRange({ min: value, max: value }, 0, 0);
    expect(range.min).toBeLessThan(value);
    expect(range.max).toBeGreaterThan(value);
  }
});
