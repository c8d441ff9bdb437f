import { expect, test } from 'vitest';
import { displayArrays, fillDisplay, typicalError } from '../../web/analysis/display.ts';
import { powerFactor, toDecibel } from '../../web/analysis/power.ts';

const spectrum = {
  slices: 4,
  mean: Float32Array.of(8, 2, 0, Number.NaN),
  std: Float32Array.of(2, 8, 0, Number.NaN),
};

test('decibels: 10·log10, −∞ for no power, never NaN for a number', () => {
  expect(toDecibel(100)).toBeCloseTo(20, 12);
  expect(toDecibel(1)).toBe(0);
  expect(toDecibel(0)).toBe(-Infinity);
  expect(toDecibel(-1)).toBe(-Infinity);
  expect(toDecibel(Number.NaN)).toBeNaN();
});

test('the published power is the density divided by √2', () => {
  // White noise of variance σ² per sample (I and Q together) has the two-sided density σ²/fs.
  const [bins, sampleRateHz, variance] = [3072, 2e6, 2.5];
  const meanSquare = bins * variance;
  const published = meanSquare / (bins * sampleRateHz * Math.SQRT2);
  expect(published * powerFactor('per-hertz')).toBeCloseTo(variance / sampleRateHz, 15);
  expect(powerFactor('published')).toBe(1);
});

test('linear display with the error of the mean', () => {
  const out = displayArrays(4);
  fillDisplay(out, spectrum, { unit: 'published', scale: 'linear', band: 'error' });
  expect(Array.from(out.mean.slice(0, 3))).toEqual([8, 2, 0]);
  expect(Array.from(out.low.slice(0, 3))).toEqual([7, -2, 0]);
  expect(Array.from(out.high.slice(0, 3))).toEqual([9, 6, 0]);
  expect(out.mean[3]).toBeNaN();
});

test('a value that stands for several: the band reaches up to the largest of them, so no line is lost', () => {
  const out = displayArrays(2);
  const stored = {
    slices: 4,
    mean: Float32Array.of(8, 2),
    std: Float32Array.of(Number.NaN, Number.NaN),
    largest: Float32Array.of(20, 2),
  };
  fillDisplay(out, stored, { unit: 'published', scale: 'linear', band: 'std' });
  expect(Array.from(out.low)).toEqual([8, 2]);
  expect(Array.from(out.high)).toEqual([20, 2]);
});

test('in decibels an edge at or below zero is −∞ and not NaN; gaps stay gaps', () => {
  const out = displayArrays(4);
  fillDisplay(out, spectrum, { unit: 'published', scale: 'db', band: 'std' });
  expect(out.mean[0]).toBeCloseTo(10 * Math.log10(8), 12);
  expect(out.low[0]).toBeCloseTo(10 * Math.log10(6), 12);
  expect(out.low[1]).toBe(-Infinity);
  expect(out.high[1]).toBeCloseTo(10, 12);
  expect(out.mean[2]).toBe(-Infinity);
  expect(out.mean[3]).toBeNaN();
});

test('decibels are taken of the average, not averaged', () => {
  const out = displayArrays(1);
  fillDisplay(
    out,
    { slices: 2, mean: [(1 + 100) / 2], std: [1] },
    { unit: 'per-hertz', scale: 'db', band: 'none' },
  );
  expect(out.mean[0]).toBeCloseTo(10 * Math.log10(50.5 * Math.SQRT2), 12);
});

test('no band where none is wanted, or where a single slice has no spread', () => {
  const out = displayArrays(4);
  fillDisplay(out, spectrum, { unit: 'published', scale: 'linear', band: 'none' });
  expect(out.low.every(Number.isNaN)).toBe(true);
  fillDisplay(out, { ...spectrum, slices: 1 }, { unit: 'published', scale: 'linear', band: 'error' });
  expect(out.high.every(Number.isNaN)).toBe(true);
  expect(out.mean[0]).toBe(8);
});

test('a spectrum of another length is refused', () => {
  expect(() =>
    fillDisplay(displayArrays(3), spectrum, { unit: 'published', scale: 'linear', band: 'none' }),
  ).toThrow(/3 bins cannot show a spectrum of 4/);
});

test('the typical error is that of the floor, in every unit and scale', () => {
  const mean = new Float32Array(3072).fill(5);
  const std = new Float32Array(3072).fill(4);
  mean[1536] = 1e6;
  std[1536] = 1e6;
  const floor = { slices: 100, mean, std };
  const error = (unit: 'published' | 'per-hertz', scale: 'linear' | 'db') =>
    typicalError(floor, { unit, scale, band: 'error' });
  expect(error('published', 'linear')).toBeCloseTo(0.4, 12);
  expect(error('per-hertz', 'linear')).toBeCloseTo(0.4 * Math.SQRT2, 12);
  // 10·log10(5.4/5) is 0.334: the slope at the mean gives 0.347, within the curvature.
  expect(error('published', 'db')).toBeCloseTo((10 / Math.LN10) * 0.08, 12);
  expect(typicalError({ ...floor, slices: 1 }, { unit: 'published', scale: 'linear', band: 'none' })).toBe(0);
});

test('a spectrum with zeros and with bands below zero has a number or −∞ everywhere in decibels, never NaN', () => {
  const mean = Float32Array.from({ length: 300 }, (_, k) => (k % 3 === 0 ? 0 : 1e-9 * k));
  const std = mean.map((m, k) => (k % 2 === 0 ? 2 * m : m / 2));
  for (const band of ['error', 'std'] as const) {
    const out = displayArrays(300);
    fillDisplay(out, { slices: 3, mean, std }, { unit: 'published', scale: 'db', band });
    for (const values of [out.mean, out.low, out.high]) expect(values.some(Number.isNaN)).toBe(false);
    // 2 m − m·2/√3 and m − 2 m: the error of three slices and the deviation reach below zero, or do not.
    mean.forEach((m, k) => {
      const half = (std[k] as number) / (band === 'error' ? Math.sqrt(3) : 1);
      expect(out.low[k] === -Infinity, `bin ${k}`).toBe(m - half <= 0);
    });
  }
});
