/**
 * Noise alone, a hundred files of the simulator through the engine and the page's analysis: what is seen is what
 * chance gives, bin by bin.
 */
import { beforeAll, expect, test } from 'vitest';
import { binFrequencyHz, binWidthHz, publishedPowerScale } from '../../bridge/protocol/geometry.ts';
import { addBlock, emptyMoments, sampleStd } from '../../bridge/protocol/moments.ts';
import { PairGenerator } from '../../bridge/simulator/generator.ts';
import { defaultSignal, type SignalParameters, truePower } from '../../bridge/simulator/signal.ts';
import { tailAbove } from '../../web/analysis/chance.ts';
import { DEFAULT_BASELINE, findExcess } from '../../web/analysis/excess.ts';
import { countBeyond } from '../../web/analysis/histogram.ts';
import { kurtosisSigma, spectralKurtosis } from '../../web/analysis/kurtosis.ts';
import { totalPower } from '../../web/analysis/total-power.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { fixtures } from '../analysis/fixtures.ts';

const FILES = 100;
/** A fifth of a file each; what is expected of them is told for this n. */
const SLICES = fixtures.kurtosisOutside.slices;
const SLICES_PER_BLOCK = 128;

const quiet = { offsetHz: 0, ratio: 0 };
const signal: SignalParameters = { ...defaultSignal(404), drift: 0, tone: quiet, leakageRatio: 0 };
const g = signal.geometry;
const { bins } = g;
const POOLED = FILES * bins;
const truth = Float64Array.from({ length: bins }, (_, k) => truePower(binFrequencyHz(g, k), signal));

interface Averaged {
  readonly mean: Float32Array;
  readonly std: Float32Array;
}
let files: Averaged[];

beforeAll(async () => {
  const engine = await createCpuEngine({ bins, window: 'none', workers: 0 });
  const scale = publishedPowerScale(g);
  files = [];
  for (let file = 0; file < FILES; file++) {
    const generator = new PairGenerator(signal, file, SLICES * bins);
    const moments = emptyMoments(bins);
    for (let done = 0; done < SLICES; done += SLICES_PER_BLOCK) {
      const samples = new Float32Array(2 * SLICES_PER_BLOCK * bins);
      generator.writeTo(samples.subarray(0, samples.length / 2), samples.subarray(samples.length / 2));
      const block = { samples, segments: [{ offset: 0, slices: SLICES_PER_BLOCK }], clipLevel: Infinity };
      addBlock(moments, await engine.process(block));
    }
    const mean = Float32Array.from(moments.mean, (power) => power * scale);
    files.push({ mean, std: Float32Array.from(mean, (_, k) => sampleStd(moments, k) * scale) });
  }
  await engine.dispose();
}, 180_000);

/** Mean and standard deviation. */
function statistics(values: readonly number[]): { readonly mean: number; readonly std: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * How much more of a mean of n exponentials than of a normal deviate lies beyond ±z, both sides: Edgeworth with the
 * excess kurtosis 6/n and the squared skewness 4/n, He₃(z) = z³ − 3z, He₅(z) = z⁵ − 10z³ + 15z.
 */
function heavierTails(z: number, n: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return 2 * density * (((z ** 3 - 3 * z) * 6) / 24 + ((z ** 5 - 10 * z ** 3 + 15 * z) * 4) / 72) * (1 / n);
}

test('against the true baseline z has mean 0 and σ 1, and 829 of 307 200 lie beyond 3 σ', () => {
  const z = files.flatMap(({ mean }) =>
    Array.from(mean, (m, k) => (m / (truth[k] as number) - 1) * Math.sqrt(SLICES)),
  );
  expect(z).toHaveLength(POOLED);
  const { mean, std } = statistics(z);
  // Five standard errors: 1/√N of the mean, 1/√(2N) of σ.
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(POOLED));
  expect(Math.abs(std - 1)).toBeLessThan(5 / Math.sqrt(2 * POOLED));
  const { above, below } = countBeyond(z, null, 3);
  const normal = 2 * POOLED * tailAbove(3);
  expect(Math.round(normal)).toBe(829);
  expect(Math.abs(above + below - normal)).toBeLessThan(86);
  const expected = normal + POOLED * heavierTails(3, SLICES);
  expect(Math.abs(above + below - expected)).toBeLessThan(3 * Math.sqrt(expected));
});

test('against the fitted baseline σ is R', () => {
  const found = files.map(({ mean }) => findExcess(mean, SLICES, DEFAULT_BASELINE));
  const { window } = DEFAULT_BASELINE;
  // physics.md: √(1 − 225/(64 W)) for degree 4.
  const r = Math.sqrt(1 - 225 / (64 * window));
  const { mean } = statistics(found.map(({ std }) => std));
  expect(Math.abs(mean - r)).toBeLessThan(5 / Math.sqrt(2 * POOLED));
  expect(found[0]?.expectedStd).toBeCloseTo(r, 3);
  // Beyond 4.5 σ lie 3.4e-6 of normal deviates, and with the skewness 2/√n about four times as many: four of these,
  // each cut with its six neighbours. Twelve come once in a thousand times.
  const cut = found.reduce((sum, each) => sum + each.cut.reduce((a, b) => a + b, 0), 0);
  expect(cut).toBeLessThanOrEqual(7 * 12);
});

test('the kurtosis lies within its lines as often as that of noise does', () => {
  const sigma = kurtosisSigma(SLICES);
  const deviations = files.flatMap(({ mean, std }) =>
    Array.from(mean, (m, k) => (spectralKurtosis(m, std[k] as number, SLICES) - 1) / sigma),
  );
  const { mean, std } = statistics(deviations);
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(POOLED));
  // Its own kurtosis is 3 + 246/n (Nita & Gary 2010).
  expect(Math.abs(std - 1)).toBeLessThan((5 * Math.sqrt((2 + 246 / SLICES) / 4)) / Math.sqrt(POOLED));
  const { above, below } = countBeyond(deviations, null, 3);
  const { trials, ...outside } = fixtures.kurtosisOutside;
  for (const [found, drawn] of [
    [above, outside.above],
    [below, outside.below],
  ] as const) {
    const share = POOLED / trials;
    // Counts of both sides err.
    expect(Math.abs(found - drawn * share)).toBeLessThan(4 * Math.sqrt(drawn * share * (1 + share)));
  }
});

test('the total power of files scatters as bandwidth and time allow', () => {
  const powers = files.map(({ mean }) => totalPower(mean, g));
  const expected = truth.reduce((a, b) => a + b, 0) * binWidthHz(g);
  const { mean, std } = statistics(powers);
  // Bins of different power count for fewer of equal power: Σp²/(Σp)² of a bin's 1/√n.
  const relative =
    Math.sqrt(truth.reduce((a, b) => a + b * b, 0) / SLICES) / truth.reduce((a, b) => a + b, 0);
  expect(Math.abs(mean / expected - 1)).toBeLessThan((5 * relative) / Math.sqrt(FILES));
  expect(Math.abs(std / expected / relative - 1)).toBeLessThan(5 / Math.sqrt(2 * FILES));
});
