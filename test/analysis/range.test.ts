import { expect, test } from 'vitest';
import { RangeFinder, steadyRange } from '../../web/analysis/range.ts';
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
  expect(range?.max).toBeGreaterThan(Math.max(...noise));
});

test('infinities and NaN do not count; nothing finite gives no range', () => {
  expect(find(Float64Array.of(-Infinity, Number.NaN, 3, 4), 'full')).toEqual({
    min: expect.closeTo(2.88, 6),
    max: expect.closeTo(4.12, 6),
  });
  expect(find(Float64Array.of(-Infinity, Number.NaN), 'robust')).toBeNull();
});

test('one value alone still gives a range with room', () => {
  const range = find(Float64Array.of(5, 5, 5), 'robust');
  expect(range?.min).toBeLessThan(5);
  expect(range?.max).toBeGreaterThan(5);
  expect(find(Float64Array.of(0), 'robust')).toEqual({ min: -1, max: 1 });
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
  expect(finder.find('full')).toEqual({
    min: expect.closeTo(-1079.88, 2),
    max: expect.closeTo(10_078.88, 2),
  });
});

test('the axis keeps still while it fits, widens when it must, narrows when it is far too wide', () => {
  const shown = { min: 0, max: 10 };
  expect(steadyRange(null, shown)).toBe(shown);
  expect(steadyRange(shown, { min: -0.3, max: 10.2 })).toBe(shown);
  expect(steadyRange(shown, { min: 0, max: 14 })).toEqual({ min: 0, max: 14 });
  expect(steadyRange(shown, { min: 3, max: 6 })).toEqual({ min: 3, max: 6 });
});
