import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { surveyMessage } from '../../bridge/survey.ts';
import { gaussian } from './accuracy.ts';

/** Float64 sums of 245760 squares in another order: √n · 1.1e-16, with room. */
const ENERGY_TOLERANCE = 1e-12;

/** A copy of the samples that begins `shift` bytes into its buffer, as Kafka's batches have it. */
function valueAt(samples: Float32Array, shift: number): Buffer {
  const bytes = Buffer.alloc(samples.byteLength + shift);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), shift);
  return bytes.subarray(shift);
}

const plainly = (samples: Float32Array) => ({
  energy: samples.reduce((sum, x) => sum + x * x, 0),
  peak: samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
});

test('energy and peak are those of a plain loop, at any length, offset and scale', () => {
  const noise = gaussian(245_760, 5);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40_000 }),
      fc.integer({ min: 0, max: 7 }),
      fc.constantFrom(1e-38, 1e-12, 1, 1e38),
      (length, shift, scale) => {
        const samples = noise.subarray(0, length).map((x) => x * scale);
        const { finite, energy, peak } = surveyMessage(valueAt(samples, shift));
        const expected = plainly(samples);
        expect(finite).toBe(samples.every(Number.isFinite));
        if (!finite) return;
        expect(Math.abs(energy - expected.energy)).toBeLessThanOrEqual(ENERGY_TOLERANCE * expected.energy);
        expect(peak).toBe(expected.peak);
      },
    ),
    { numRuns: 60 },
  );
  const { energy } = surveyMessage(valueAt(noise, 1));
  expect(Math.abs(energy / plainly(noise).energy - 1)).toBeLessThan(ENERGY_TOLERANCE);
});

test('one NaN or Inf anywhere is found, and forgotten with the next message', () => {
  const clean = gaussian(70_000, 6);
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    for (const at of [0, 1, 15, 16, 32_767, 32_768, 65_535, 65_536, 69_998, 69_999]) {
      const samples = clean.slice();
      samples[at] = bad;
      expect(surveyMessage(valueAt(samples, 2)).finite).toBe(false);
    }
  }
  expect(surveyMessage(valueAt(clean, 2)).finite).toBe(true);
});

test('zeros, nothing at all, subnormals and the largest float32', () => {
  expect(surveyMessage(Buffer.alloc(24_576))).toEqual({ finite: true, energy: 0, peak: 0 });
  expect(surveyMessage(Buffer.alloc(0))).toEqual({ finite: true, energy: 0, peak: 0 });
  const least = 2 ** -149;
  expect(surveyMessage(valueAt(Float32Array.of(least), 0))).toEqual({
    finite: true,
    energy: least ** 2,
    peak: least,
  });
  const most = (2 - 2 ** -23) * 2 ** 127;
  const two = surveyMessage(valueAt(Float32Array.of(most, -most), 0));
  expect(two).toEqual({ finite: true, energy: 2 * most ** 2, peak: most });
});
