/** Merging of moments, against sums over all values at once in extended precision. */
import { expect, test } from 'vitest';
import {
  addBlock,
  addMoments,
  type BlockMoments,
  emptyMoments,
  emptyTimeSums,
  sampleStd,
} from '../../bridge/protocol/moments.ts';

const BINS = 4;
const SLICES = 20;
const FILES = 5000;

/**
 * Relative. Every merge rounds mean and M2 once or twice in float64; 5000 of them random-walk to about √5000 · 2⁻⁵³
 * ≈ 8e-15, and could add up to 5000 · 2⁻⁵² ≈ 1e-12 at worst.
 */
const MERGE_TOLERANCE = 1e-12;

/** Powers as a periodogram has them: exponential, around another level in every bin. */
function powers(seed: number): (bin: number) => number {
  let state = seed;
  return (bin) => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return -Math.log((state + 1) / 2 ** 32) * 10 ** (3 * bin - 6);
  };
}

/** Two-pass mean and M2 in float64 over values that are few enough for that to be exact to rounding. */
function twoPass(values: readonly number[]): { mean: number; m2: number } {
  const mean = compensatedSum(values) / values.length;
  return { mean, m2: compensatedSum(values.map((value) => (value - mean) ** 2)) };
}

/** Neumaier's compensated sum: error of one rounding, whatever the length. */
function compensatedSum(values: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

test('5000 files merge to the mean and deviation of all their slices', () => {
  const run = emptyMoments(BINS);
  const all: number[][] = Array.from({ length: BINS }, () => []);
  for (let file = 0; file < FILES; file++) {
    const next = powers(file + 1);
    const one = emptyMoments(BINS);
    one.count = SLICES;
    for (let bin = 0; bin < BINS; bin++) {
      const values = Array.from({ length: SLICES }, () => next(bin));
      const { mean, m2 } = twoPass(values);
      one.mean[bin] = mean;
      one.m2[bin] = m2;
      all[bin]?.push(...values);
    }
    addMoments(run, one);
  }
  expect(run.count).toBe(FILES * SLICES);
  for (let bin = 0; bin < BINS; bin++) {
    const { mean, m2 } = twoPass(all[bin] ?? []);
    const std = Math.sqrt(m2 / (FILES * SLICES - 1));
    expect(Math.abs((run.mean[bin] as number) / mean - 1)).toBeLessThan(MERGE_TOLERANCE);
    expect(Math.abs(sampleStd(run, bin) / std - 1)).toBeLessThan(MERGE_TOLERANCE);
  }
});

test("a block's power of two is undone exactly", () => {
  const block = (scaleExponent: number): BlockMoments => ({
    count: 3,
    scaleExponent,
    mean: Float32Array.of(1.5 * 4 ** scaleExponent),
    m2: Float32Array.of(0.75 * 16 ** scaleExponent),
    time: { ...emptyTimeSums(), samples: 3, minI: -1, maxI: 2, sumI: 5 },
  });
  const plain = emptyMoments(1);
  addBlock(plain, block(0));
  for (const exponent of [-20, -3, 7, 20]) {
    const scaled = emptyMoments(1);
    addBlock(scaled, block(exponent));
    expect(scaled).toEqual(plain);
  }
  expect(plain.time).toMatchObject({ samples: 3, minI: -1, maxI: 2, minQ: Infinity, sumI: 5 });
});

test('nothing added changes nothing, and a single slice has no deviation', () => {
  const one = emptyMoments(1);
  addMoments(one, emptyMoments(1));
  expect(one).toEqual(emptyMoments(1));
  one.count = 1;
  expect(sampleStd(one, 0)).toBeNaN();
});
