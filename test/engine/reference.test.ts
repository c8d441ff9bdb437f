import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gaussian } from './accuracy.ts';
import { plainDft, ReferenceFft, referenceMoments } from './reference.ts';

/** Float64: a few hundred roundings of 1.1e-16, relative to the largest value. */
const FLOAT64_TOLERANCE = 1e-12;

interface Fixture {
  readonly bins: number;
  readonly slices: number;
  readonly window: string;
  readonly coefficients: readonly number[];
  readonly indices: readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/numpy.json', import.meta.url), 'utf8'),
) as readonly Fixture[];

/** The same deviates as in make_fixtures.py: Lehmer's generator of Park & Miller, scaled to exact float32. */
function fixtureSamples(length: number): Float32Array {
  let state = 12345;
  return Float32Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return ((state >> 8) - 4194304) / 4194304;
  });
}

test('the recursion agrees with the defining sum for factors 2, 3 and both', () => {
  for (const bins of [256, 243, 486, 768]) {
    const x = gaussian(2 * bins, bins);
    const re = x.subarray(0, bins);
    const im = x.subarray(bins);
    const fft = new ReferenceFft(bins);
    fft.transform(re, im);
    const dft = plainDft(re, im);
    const largest = Math.max(...dft.re.map(Math.abs), ...dft.im.map(Math.abs));
    for (let k = 0; k < bins; k++) {
      expect(Math.abs((fft.re[k] as number) - (dft.re[k] as number)) / largest).toBeLessThan(
        FLOAT64_TOLERANCE,
      );
      expect(Math.abs((fft.im[k] as number) - (dft.im[k] as number)) / largest).toBeLessThan(
        FLOAT64_TOLERANCE,
      );
    }
  }
});

test.each(fixtures)('mean and std agree with numpy: $bins bins, window $window', (fixture) => {
  const { bins, slices, coefficients, indices } = fixture;
  const samples = fixtureSamples(2 * bins * slices);
  const window = coefficients.length > 0 ? coefficients : undefined;
  const found = referenceMoments(samples, [{ offset: 0, slices }], { bins, window });
  const scale = Math.max(...fixture.mean);
  indices.forEach((bin, n) => {
    const std = Math.sqrt((found.m2[bin] as number) / (slices - 1));
    expect(Math.abs((found.mean[bin] as number) - (fixture.mean[n] as number))).toBeLessThan(
      FLOAT64_TOLERANCE * scale,
    );
    expect(Math.abs(std - (fixture.std[n] as number))).toBeLessThan(FLOAT64_TOLERANCE * scale);
  });
});

test('time sums are those of two slices done by hand', () => {
  const samples = Float32Array.of(1, -2, 3, 4, 0.5, 8, -1, -8);
  const { time, count } = referenceMoments(samples, [{ offset: 0, slices: 2 }], { bins: 2, clipLevel: 4 });
  expect(count).toBe(2);
  expect(time).toEqual({
    samples: 4,
    minI: -2,
    maxI: 4,
    minQ: -8,
    maxQ: 8,
    clipped: 3,
    sumI: 6,
    sumQ: -0.5,
    sumII: 30,
    sumQQ: 129.25,
    sumIQ: 0.5 - 16 - 3 - 32,
  });
});
