/** The excess over the fitted baseline: the simulator's floor with noise of known size, and lines put on it. */
import { expect, test } from 'vitest';
import { binFrequencyHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import { defaultSignal, truePower } from '../../bridge/simulator/signal.ts';
import { DEFAULT_BASELINE, findExcess } from '../../web/analysis/excess.ts';
import { findLines, LineMemory, mirrorBin } from '../../web/analysis/flagged.ts';
import { countBeyond } from '../../web/analysis/histogram.ts';
import { gaussianNoisePowers } from './noise.ts';

const BINS = 3072;
const SLICES = 2731;
const g: Geometry = { bins: BINS, sampleRateHz: 2e6, loHz: 10.353e9 };
const signal = defaultSignal(1);
const floor = Float64Array.from({ length: BINS }, (_, bin) => truePower(binFrequencyHz(g, bin), signal));

/** Unit normal deviates (Box & Muller) from exponential ones. */
function normals(seed: number): Float64Array {
  const radii = gaussianNoisePowers(seed, BINS);
  const phases = gaussianNoisePowers(seed + 1000, BINS);
  return Float64Array.from(
    { length: BINS },
    (_, k) => Math.sqrt(2 * (radii[k] as number)) * Math.cos(2 * Math.PI * Math.exp(-(phases[k] as number))),
  );
}

/** Spectrum of one file, with lines of so many times the floor added. */
function spectrum(seed: number, lines: Readonly<Record<number, number>> = {}) {
  const noise = normals(seed);
  const mean = floor.map((p, k) => p * (1 + (lines[k] ?? 0) + (noise[k] as number) / Math.sqrt(SLICES)));
  return { slices: SLICES, mean, std: mean };
}

const FILES = 100;

test('noise alone: R as expected and chance exceedances of both signs, over a hundred files', () => {
  let sumOfSquares = 0;
  let above = 0;
  let below = 0;
  let total = 0;
  let expectedStd = 0;
  for (let seed = 0; seed < FILES; seed++) {
    const found = findExcess(spectrum(seed).mean, SLICES, DEFAULT_BASELINE);
    expect(found.isSettled).toBe(true);
    expectedStd = found.expectedStd;
    sumOfSquares += found.std ** 2 / FILES;
    const beyond = countBeyond(found.z, null, 3 * found.expectedStd);
    above += beyond.above;
    below += beyond.below;
    total += beyond.total;
  }
  expect(total).toBe(FILES * BINS);
  // σ of a standard deviation from N values is 1/√(2N) of it; the floor's own curvature adds less than that.
  expect(Math.abs(Math.sqrt(sumOfSquares) / expectedStd - 1)).toBeLessThan(4 / Math.sqrt(2 * total));
  // 829 of 307 200 beyond 3 σ, Poisson; the ends of the spectrum, fitted off-centre, lose a few.
  expect(Math.abs(above + below - 829)).toBeLessThan(86);
  expect(Math.abs(above - below)).toBeLessThan(4 * Math.sqrt(829));
});

test('a line is flagged with its size, its image is named, and its surroundings are left in peace', () => {
  const lines = { 700: 0.3, 1536: 3, 2944: 2.7 };
  const found = findExcess(spectrum(5, lines).mean, SLICES, DEFAULT_BASELINE);
  const flagged = findLines(spectrum(5, lines), found, g);
  expect(flagged.map(({ bin }) => bin)).toEqual([700, 1536, 2944]);
  for (const line of flagged) {
    // z = ratio·√n, ± 1 of its own and about 0.4 of the baseline in its gap.
    expect(Math.abs(line.z - lines[line.bin as 700] * Math.sqrt(SLICES))).toBeLessThan(5);
    expect([line.from, line.to]).toEqual([line.bin - 3, line.bin + 4]);
  }
  expect(flagged[0]?.mirrorBin).toBe(2372);
  expect(flagged[0]?.offsetHz).toBeCloseTo(((700 - 1536) * 2e6) / 3072, 6);
  expect(Math.abs(flagged[0]?.mirrorZ ?? Number.NaN)).toBeLessThan(4.5);
  // Statistics outside the lines are those of noise: σ of R is 0.013.
  expect(Math.abs(found.std / found.expectedStd - 1)).toBeLessThan(0.05);
});

test('a line of 60 dB does not take its neighbourhood with it', () => {
  const found = findExcess(spectrum(9, { 1000: 1e6 }).mean, SLICES, DEFAULT_BASELINE);
  expect(found.isSettled).toBe(true);
  expect(findLines(spectrum(9), found, g).map(({ bin }) => bin)).toEqual([1000]);
});

test('bins without a number are no excess and spoil none', () => {
  const { mean } = spectrum(3);
  mean.fill(Number.NaN, 100, 120);
  const found = findExcess(mean, SLICES, DEFAULT_BASELINE);
  expect(found.z[110]).toBeNaN();
  expect(Number.isFinite(found.baseline[110])).toBe(true);
  expect(found.cut.reduce((n, value) => n + value, 0)).toBe(0);
  expect(Number.isFinite(found.std)).toBe(true);
});

test('a spectrum of zeros has no excess, and ends', () => {
  const found = findExcess(new Float64Array(BINS), SLICES, DEFAULT_BASELINE);
  expect(found.z.every((z) => Number.isNaN(z))).toBe(true);
  expect(found.std).toBeNaN();
});

test('a line keeps the moment when it was first seen, also when it moves by a bin', () => {
  const memory = new LineMemory();
  const at = (bins: Readonly<Record<number, number>>) =>
    findLines(spectrum(5, bins), findExcess(spectrum(5, bins).mean, SLICES, DEFAULT_BASELINE), g);
  memory.remember(at({ 700: 0.3 }), 1000);
  const later = memory.remember(at({ 701: 0.3, 2000: 0.4 }), 2000);
  expect(later.map(({ bin, sinceMs }) => [bin, sinceMs])).toEqual([
    [701, 1000],
    [2000, 2000],
  ]);
  memory.remember([], 3000);
  expect(memory.remember(at({ 700: 0.3 }), 4000)[0]?.sinceMs).toBe(4000);
  memory.forget();
  expect(memory.remember(at({ 700: 0.3 }), 5000)[0]?.sinceMs).toBe(5000);
});

test('bin 0 has no image', () => {
  expect(mirrorBin(0, 3072)).toBeNull();
  expect(mirrorBin(1536, 3072)).toBe(1536);
  expect(mirrorBin(2900, 3072)).toBe(172);
});
