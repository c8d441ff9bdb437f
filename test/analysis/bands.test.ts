import { expect, test } from 'vitest';
import { bandFactor, errorOfMean } from '../../web/analysis/bands.ts';
import { gaussianNoisePowers } from './noise.ts';

test('the error of the mean is s/√n, and a single slice has none', () => {
  expect(errorOfMean(6, 9)).toBe(2);
  expect(errorOfMean(5.2e-9, 2731)).toBeCloseTo(5.2e-9 / 52.2589, 14);
  expect(errorOfMean(Number.NaN, 1)).toBeNaN();
  expect(errorOfMean(1, 0)).toBeNaN();
});

test('bands by name', () => {
  expect(bandFactor('error', 100)).toBeCloseTo(0.1, 15);
  expect(bandFactor('std', 100)).toBe(1);
  expect(bandFactor('none', 100)).toBe(0);
  expect(bandFactor('std', 1)).toBeNaN();
});

test('the band of the error of the mean covers the true mean as often as 1 σ should', () => {
  const slices = 200;
  const bins = 2000;
  let covered = 0;
  for (let bin = 0; bin < bins; bin++) {
    const powers = gaussianNoisePowers(bin + 1, slices);
    const mean = powers.reduce((sum, p) => sum + p, 0) / slices;
    const std = Math.sqrt(powers.reduce((sum, p) => sum + (p - mean) ** 2, 0) / (slices - 1));
    if (Math.abs(mean - 1) < errorOfMean(std, slices)) covered++;
  }
  // 68.27 % less about 1 % for the skew of exponential powers at n = 200; binomial σ = √(0.68·0.32/2000) = 1.04 %.
  expect(covered / bins).toBeGreaterThan(0.67 - 4 * 0.0104);
  expect(covered / bins).toBeLessThan(0.683 + 4 * 0.0104);
});
