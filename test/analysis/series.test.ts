/** What runs along in time: total power, tone, Allan deviation, digitiser, live fraction. */
import { expect, test } from 'vitest';
import { emptyTimeSums } from '../../bridge/protocol/moments.ts';
import { adcHealth } from '../../web/analysis/adc-health.ts';
import { allanCurve, allanDeviation, idealDeviation } from '../../web/analysis/allan.ts';
import { liveFraction } from '../../web/analysis/live-fraction.ts';
import { strongestBin, toneHeight, totalPower } from '../../web/analysis/total-power.ts';
import { fixtures, lehmer } from './fixtures.ts';

const g = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };

test('Allan deviation as its definition written out in numpy', () => {
  const series = lehmer(200, 99).map((value, k) => value + 0.002 * k);
  for (const { m, deviation } of fixtures.allan.points)
    expect(allanDeviation(series, m)?.deviation).toBeCloseTo(deviation, 13);
  expect(allanCurve(series).map(({ m }) => m)).toEqual([1, 2, 4, 8, 16, 32]);
});

test('Allan deviation of white noise falls as 1/√m, and a gap costs only its own differences', () => {
  const noise = lehmer(40_000, 5);
  // Uniform deviates have σ² = 1/12; a deviation from N differences is good to about 1/√(2N).
  for (const { m, deviation, differences } of allanCurve(noise).slice(0, 8))
    expect(Math.abs(deviation * Math.sqrt(12 * m) - 1)).toBeLessThan(4 / Math.sqrt(2 * differences));
  const gap = noise.slice(0, 100);
  gap[50] = Number.NaN;
  expect(allanDeviation(gap, 1)?.differences).toBe(97);
  expect(allanDeviation(noise.slice(0, 3), 1)).toBeNull();
  // B τ = 2 MHz · 4.19 s: the design's 0.035 %.
  expect(idealDeviation(2e6, 4.19)).toBeCloseTo(0.00035, 5);
});

test('total power is the sum over the band, a tone its height over the floor', () => {
  const mean = new Float64Array(256).fill(2e-9);
  expect(totalPower(mean, g)).toBeCloseTo(2e-9 * 2e6, 12);
  mean[200] = Number.NaN;
  expect(totalPower(mean, g)).toBeCloseTo((2e-9 * 2e6 * 255) / 256, 12);
  mean[200] = 2e-9 * 8;
  expect(toneHeight(mean, 200)).toBeCloseTo(7, 10);
  // Half in the one, half in the next: the same height, wherever it is looked for.
  mean[200] = 2e-9 * 4.5;
  mean[201] = 2e-9 * 4.5;
  expect(toneHeight(mean, 200)).toBeCloseTo(7, 10);
  expect(toneHeight(mean, 201)).toBeCloseTo(7, 10);
  expect(toneHeight(new Float64Array(256), 100)).toBeNaN();
  expect(toneHeight(mean, 0)).toBeCloseTo(0, 10);
  // As the bridge remembers it: columns of four bins, and the line across two of them.
  mean[203] = 2e-9 * 3;
  mean[204] = 2e-9 * 3;
  mean[200] = mean[201] = 2e-9;
  const columns = Float64Array.from(
    { length: 64 },
    (_, c) => mean.slice(4 * c, 4 * c + 4).reduce((a, b) => a + b) / 4,
  );
  expect(toneHeight(columns, 203, 256)).toBeCloseTo(4, 10);
  expect(toneHeight(columns, 204, 256)).toBeCloseTo(4, 10);
});

test('the strongest line is the tone, unless it is the leakage of the LO', () => {
  const mean = new Float64Array(256).fill(1);
  mean[128] = 99;
  mean[240] = 4;
  expect(strongestBin(mean)).toBe(240);
  expect(strongestBin(new Float64Array(256))).toBeNull();
});

test('digitiser: level, DC, gain and phase; image rejection as in the spectrum of the same samples', () => {
  const { sums, rmsI, rmsQ, gain, phase, rejectionDb } = fixtures.digitiser;
  const health = adcHealth(sums);
  expect(health?.rmsI).toBeCloseTo(rmsI, 12);
  expect(health?.rmsQ).toBeCloseTo(rmsQ, 12);
  expect(health?.dcI).toBeCloseTo(0.01, 12);
  expect(health?.dcQ).toBeCloseTo(-0.02, 12);
  expect(health?.gainRatio).toBeCloseTo(gain, 10);
  expect(health?.phaseRad).toBeCloseTo(phase, 10);
  expect(health?.imageRejectionDb).toBeCloseTo(rejectionDb, 8);
  expect(health?.peak).toBe(-sums.minQ);
  expect(health?.clipped).toBe(3);
  expect(health?.clippedShare).toBeCloseTo(3 / 8192, 12);
  expect(health).toMatchObject({ minI: sums.minI, maxI: sums.maxI, minQ: sums.minQ, maxQ: sums.maxQ });
  expect(adcHealth(emptyTimeSums())).toBeNull();
});

test('live fraction counts missing slices and missing files', () => {
  const row = (firstFile: number, files: number, slices: number, slicesExpected: number) => ({
    firstFile,
    lastFile: firstFile + files - 1,
    files,
    slices,
    slicesExpected,
  });
  expect(liveFraction([], 100).fraction).toBeNaN();
  expect(liveFraction([row(5, 4, 400, 400), row(9, 1, 100, 0)], 100)).toEqual({
    received: 500,
    expected: 500,
    missingFiles: 0,
    fraction: 1,
  });
  // Files 7 and 8 are not there, and file 9 has half of its slices.
  expect(liveFraction([row(5, 2, 200, 200), row(9, 1, 50, 100)], 100)).toEqual({
    received: 250,
    expected: 500,
    missingFiles: 2,
    fraction: 0.5,
  });
});
