/** Kurtosis, chance, histogram, efficiency: against scipy, or against what can be counted by hand. */
import { expect, test } from 'vitest';
import { erfc, expectedAbove, expectedMaximum, tailAbove } from '../../web/analysis/chance.ts';
import { axionLine, expectedExcessStd, matchedFilterEfficiency } from '../../web/analysis/efficiency.ts';
import { countBeyond, histogram } from '../../web/analysis/histogram.ts';
import { kurtosisSigma, spectralKurtosis, toneKurtosis } from '../../web/analysis/kurtosis.ts';
import { median, robustSigma } from '../../web/analysis/robust.ts';
import { axionShape } from '../../bridge/simulator/axion-line.ts';
import { fixtures } from './fixtures.ts';
import { gaussianNoisePowers } from './noise.ts';

test('spectral kurtosis from mean and deviation is that of the sums', () => {
  const { slices, mean, std, kurtosis, variance } = fixtures.kurtosis;
  kurtosis.forEach((expected, k) =>
    expect(spectralKurtosis(mean[k] as number, std[k] as number, slices)).toBeCloseTo(expected, 12),
  );
  for (const [n, expected] of Object.entries(variance))
    expect(kurtosisSigma(Number(n)) ** 2).toBeCloseTo(expected, 15);
  expect(kurtosisSigma(2731)).toBeCloseTo(0.038, 3);
});

test('kurtosis tells noise, a wave and a burst apart; nothing has none', () => {
  const noise = gaussianNoisePowers(7, 5000);
  const of = (values: readonly number[]): number => {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const m2 = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    return spectralKurtosis(mean, Math.sqrt(m2 / (values.length - 1)), values.length);
  };
  expect(Math.abs(of(noise) - 1)).toBeLessThan(4 * kurtosisSigma(5000));
  expect(of(noise.map((v, i) => (i < 100 ? 25 * v : v)))).toBeGreaterThan(1.5);
  expect(toneKurtosis(0)).toBe(1);
  expect(toneKurtosis(1)).toBe(0.75);
  expect(spectralKurtosis(1, 1, 1)).toBeNaN();
  expect(spectralKurtosis(0, 0, 10)).toBeNaN();
});

test('tails of the normal distribution as scipy has them', () => {
  const { z, tail, erfc: complementary, maximum } = fixtures.chance;
  z.forEach((value, i) => {
    expect(tailAbove(value) / (tail[i] as number)).toBeCloseTo(1, 12);
    expect(erfc(value) / (complementary[i] as number)).toBeCloseTo(1, 12);
  });
  for (const [n, expected] of Object.entries(maximum))
    expect(expectedMaximum(Number(n))).toBeCloseTo(expected, 7);
  // The design's figure: 4.1 of 3072 bins above 3 σ.
  expect(expectedAbove(3072, 3)).toBeCloseTo(4.147, 3);
  expect(expectedAbove(100, 3, 3)).toBeCloseTo(15.866, 3);
});

test('matched filter: what a baseline leaves of an axion, as a matrix of numpy’s says', () => {
  const g = { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 };
  for (const { window, degree, efficiency, std } of fixtures.efficiency) {
    // The line is integrated by midpoints here, adaptively there.
    expect(matchedFilterEfficiency(g, window, degree)).toBeCloseTo(efficiency, 4);
    expect(expectedExcessStd(window, degree)).toBeCloseTo(std, 10);
  }
  expect(matchedFilterEfficiency(g, 91, 4)).toBeCloseTo(0.58, 2);
  expect(matchedFilterEfficiency(g, 201, 4)).toBeCloseTo(0.79, 2);
});

test('the line has the shape of the simulator’s', () => {
  const line = axionLine(10.353e9, 10);
  const peak = line.indexOf(Math.max(...line));
  for (const k of [50, 300, peak, 1200])
    expect((line[k] as number) / (line[peak] as number)).toBeCloseTo(
      axionShape(10 * (k + 0.5), 10.353e9) / axionShape(10 * (peak + 0.5), 10.353e9),
      5,
    );
});

test('histogram: every finite value once, those left out not at all', () => {
  const values = [-9, -1, -0.5, 0, 0.49, 0.5, 1, 9, Number.NaN, 0.2];
  const leftOut = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  const h = histogram(values, leftOut, -1, 1, 4);
  expect(Array.from(h.counts)).toEqual([1, 1, 2, 1]);
  expect([h.below, h.above, h.total]).toEqual([1, 2, 8]);
  expect(Array.from(h.edges)).toEqual([-1, -0.5, 0, 0.5, 1]);
  // Φ(1) − Φ(½), of tables.
  expect(h.expected[3]).toBeCloseTo(8 * (0.841345 - 0.691462), 4);
  expect(countBeyond(values, leftOut, 0.9)).toEqual({ above: 2, below: 2, total: 8 });
});

test('median and robust spread do not mind lines', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3, Number.NaN])).toBe(2.5);
  expect(median([])).toBeNaN();
  // 1..9 has the median distance 2 from 5, and so has it with a line for the 9.
  expect(robustSigma([1, 2, 3, 4, 5, 6, 7, 8, 1e9])).toBeCloseTo(2 * 1.4826, 4);
});
