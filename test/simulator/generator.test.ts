import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { publishedPowerScale } from '../../bridge/protocol/geometry.ts';
import { axionCentreHz, axionShape } from '../../bridge/simulator/axion-line.ts';
import { CLIP_SIGMAS, OVERDRIVE, PairGenerator } from '../../bridge/simulator/generator.ts';
import {
  defaultSignal,
  lineAmplitude,
  noiseVariance,
  type SignalParameters,
  truePower,
} from '../../bridge/simulator/signal.ts';
import { tailAbove } from '../../web/analysis/chance.ts';
import { ReferenceFft } from '../engine/reference.ts';

const BINS = 3072;
const signal: SignalParameters = { ...defaultSignal(404), drift: 0 };
const { sampleRateHz, loHz } = signal.geometry;
const binHz = sampleRateHz / BINS;
const offsetHz = (bin: number): number => (bin - BINS / 2) * binHz;
const binOf = (hz: number): number => Math.round(hz / binHz) + BINS / 2;

interface Samples {
  readonly i: Float32Array;
  readonly q: Float32Array;
}

/** The first `count` samples of a file of `samplesPerFile`, in stretches of `stretch`. */
function samplesOf(
  p: SignalParameters,
  file: number,
  count: number,
  samplesPerFile = count,
  stretch = count,
): Samples {
  const generator = new PairGenerator(p, file, samplesPerFile);
  const all = { i: new Float32Array(count), q: new Float32Array(count) };
  for (let at = 0; at < count; at += stretch) {
    const to = Math.min(count, at + stretch);
    generator.writeTo(all.i.subarray(at, to), all.q.subarray(at, to));
  }
  expect(generator.left).toBe(samplesPerFile - count);
  return all;
}

/** Mean power per bin as published, ascending frequency. */
function meanPower({ i, q }: Samples): Float64Array {
  const fft = new ReferenceFft(BINS);
  const sum = new Float64Array(BINS);
  const slices = Math.floor(i.length / BINS);
  for (let s = 0; s < slices; s++) {
    fft.transform(i.subarray(s * BINS, (s + 1) * BINS), q.subarray(s * BINS, (s + 1) * BINS));
    for (let k = 0; k < BINS; k++) {
      const at = (k + BINS / 2) % BINS;
      sum[at] = (sum[at] as number) + (fft.re[k] as number) ** 2 + (fft.im[k] as number) ** 2;
    }
  }
  return sum.map((power) => (power / slices) * publishedPowerScale(signal.geometry));
}

const difference = (a: Samples, b: Samples): Samples => ({
  i: a.i.map((x, k) => x - (b.i[k] as number)),
  q: a.q.map((x, k) => x - (b.q[k] as number)),
});

const variance = (x: Float32Array): number => x.reduce((sum, v) => sum + v * v, 0) / x.length;
const checksum = ({ i, q }: Samples): number => crc32(Buffer.from(q.buffer), crc32(Buffer.from(i.buffer)));

const SLICES = 600;
const stationary = samplesOf(signal, 0, SLICES * BINS);
const spectrum = meanPower(stationary);
/** Sidelobes of the tone, 6.7/(πd)² of the floor d bins away, are below a fifth of a standard error from here on. */
const SIDELOBES = 12;
const toneBin = binOf(signal.tone.offsetHz);
const isLine = (bin: number): boolean => bin === BINS / 2 || Math.abs(bin - toneBin) <= SIDELOBES;

test('the mean spectrum is the analytic baseline, bin by bin', () => {
  let chiSquare = 0;
  let count = 0;
  for (let bin = 0; bin < BINS; bin++) {
    if (isLine(bin)) continue;
    const z = ((spectrum[bin] as number) / truePower(loHz + offsetHz(bin), signal) - 1) * Math.sqrt(SLICES);
    // 3046 bins: the largest of so many normals is about 3.5, and 5.5 comes once in ten thousand runs.
    expect(Math.abs(z), `bin ${bin}`).toBeLessThan(5.5);
    chiSquare += z * z;
    count++;
  }
  expect(Math.abs(chiSquare / count - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
});

test('the baseline has the level, the hump and the dips of the real runs', () => {
  const at = (hz: number): number => truePower(loHz + hz, signal);
  const mean = Array.from({ length: BINS }, (_, bin) => at(offsetHz(bin))).reduce((a, b) => a + b) / BINS;
  expect(mean).toBeGreaterThan(4.8e-9);
  expect(mean).toBeLessThan(5.3e-9);
  expect(Math.abs(at(-150e3) / at(-999e3) - 1.1)).toBeLessThan(0.02);
  const depth = (hz: number, widthHz: number): number =>
    1 - (2 * at(hz)) / (at(hz - 3 * widthHz) + at(hz + 3 * widthHz));
  expect(depth(465e3, 45e3)).toBeGreaterThan(0.07);
  expect(depth(465e3, 45e3)).toBeLessThan(0.1);
  // Half of the depth is reached half a width from the centre, but for the 3 % that a sampled pole differs.
  const alone = { ...signal, resonances: signal.resonances.slice(1, 2) };
  const loss = (hz: number): number => 1 - truePower(loHz + hz, alone) / signal.floor;
  expect(loss(465e3)).toBeCloseTo(0.08, 10);
  expect(loss(465e3 + 22.5e3) / loss(465e3)).toBeCloseTo(0.5, 1);
});

test('the tone stands 3.7 floors high, the leakage 3.5, and both in their bins', () => {
  const height = (bin: number): number => (spectrum[bin] as number) / truePower(loHz + offsetHz(bin), signal);
  const tone = [height(1536 + 1408), height(1536 + 1409)];
  // A line on noise: the relative error of the mean is about √(1 + 2·2.7)/3.7/√600 = 3 %.
  for (const each of tone) expect(Math.abs(each - 3.7)).toBeLessThan(0.5);
  expect(
    Math.abs(height(BINS / 2) - (1 + (signal.leakageRatio * signal.floor) / truePower(loHz, signal))),
  ).toBeLessThan(0.5);
});

test('power of one bin is exponentially distributed, as that of Gaussian noise is', () => {
  const slices = 200;
  const fft = new ReferenceFft(BINS);
  let below = 0;
  let count = 0;
  for (let s = 0; s < slices; s++) {
    const range = [s * BINS, (s + 1) * BINS] as const;
    fft.transform(stationary.i.subarray(...range), stationary.q.subarray(...range));
    for (let k = 1; k < 1000; k++) {
      const power =
        ((fft.re[k] as number) ** 2 + (fft.im[k] as number) ** 2) * publishedPowerScale(signal.geometry);
      if (power < Math.LN2 * truePower(loHz + k * binHz, signal)) below++;
      count++;
    }
  }
  // The median of an exponential is ln 2 of its mean.
  expect(Math.abs(below / count - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / count));
});

test('a file depends on seed and number alone: not on stretches, not on other files', () => {
  const count = 10_000;
  const one = samplesOf(signal, 3, count, 20_000);
  samplesOf(signal, 9, 77);
  for (const stretch of [1, 1000, 2048, 4099]) {
    expect(checksum(samplesOf(signal, 3, count, 20_000, stretch))).toBe(checksum(one));
  }
  expect(checksum(samplesOf(signal, 4, count, 20_000))).not.toBe(checksum(one));
  expect(checksum(samplesOf({ ...signal, seed: 405 }, 3, count, 20_000))).not.toBe(checksum(one));
});

test('seed 404 gives the samples that it has always given', () => {
  const { i, q } = samplesOf(defaultSignal(404), 12, 50_000);
  const picked = [0, 1, 2047, 2048, 49_999].map((k) => [i[k], q[k]]);
  // To six digits, because the last bit of a cosine may differ between versions of V8.
  expect(picked.flat().map((x) => Number(x).toFixed(6))).toEqual([
    '0.076896',
    '0.136973',
    '-0.059850',
    '0.145506',
    '0.152752',
    '0.197568',
    '-0.087702',
    '0.012312',
    '0.021609',
    '0.005983',
  ]);
});

test('the tone goes on in phase from file to file', () => {
  const count = 5000;
  const loud = { ...signal, tone: { ...signal.tone, ratio: 1e6 } };
  const silent = { ...signal, tone: { ...signal.tone, ratio: 0 } };
  const tone = (file: number): Samples =>
    difference(samplesOf(loud, file, count), samplesOf(silent, file, count));
  const [before, after] = [tone(41), tone(42)];
  const amplitude = lineAmplitude(1e6, signal);
  const phase = (at: Samples, k: number): number => Math.atan2(at.q[k] as number, at.i[k] as number);
  const expected = 2 * Math.PI * (signal.tone.offsetHz / sampleRateHz);
  const turn = (phase(after, 0) - phase(before, count - 1) - expected) / (2 * Math.PI);
  // Float32 samples: 1e-7 of the amplitude.
  expect(Math.abs(turn - Math.round(turn))).toBeLessThan(1e-6);
  expect(Math.hypot(after.i[0] as number, after.q[0] as number) / amplitude).toBeCloseTo(1, 5);
});

test('the drift follows its sine', () => {
  const count = 4096;
  const driftPeriodS = (4 * 100 * count) / sampleRateHz;
  const drifting = samplesOf({ ...signal, drift: 0.1, driftPeriodS }, 100, count);
  const steady = samplesOf(signal, 100, count);
  expect(variance(drifting.i) / variance(steady.i)).toBeCloseTo(1.1, 4);
  expect(
    truePower(loHz, { ...signal, drift: 0.1, driftPeriodS }, driftPeriodS / 4) / truePower(loHz, signal),
  ).toBeCloseTo(1.1, 10);
});

test('the axion-shaped line has its power and its shape, above its rest frequency', () => {
  const ratio = 40;
  const axion = { offsetHz: 300e3, ratio };
  const slices = 600;
  const line = difference(
    samplesOf({ ...signal, axion }, 5, slices * BINS),
    samplesOf(signal, 5, slices * BINS),
  );
  const total = (variance(line.i) + variance(line.q)) / (noiseVariance(signal.floor, sampleRateHz) / BINS);
  // 600 slices of a line 10 kHz wide are about 9000 independent powers.
  expect(Math.abs(total / ratio - 1)).toBeLessThan(5 / Math.sqrt(9000));
  const power = meanPower(line);
  const restHz = loHz + axion.offsetHz;
  const shapeIn = (bin: number): number => axionShape(offsetHz(bin) - axion.offsetHz, restHz);
  const first = binOf(axion.offsetHz);
  const bins = Array.from({ length: 60 }, (_, k) => first + k);
  const shapeSum = bins.reduce((sum, bin) => sum + shapeIn(bin), 0);
  const powerSum = bins.reduce((sum, bin) => sum + (power[bin] as number), 0);
  // The filter's 128 taps resolve 1 kHz, 1.5 bins: groups of four bins agree.
  for (let k = 4; k < 40; k += 4) {
    const group = bins.slice(k, k + 4);
    const found = group.reduce((sum, bin) => sum + (power[bin] as number), 0) / powerSum;
    const wanted = group.reduce((sum, bin) => sum + shapeIn(bin), 0) / shapeSum;
    expect(Math.abs(found - wanted), `bins ${k} to ${k + 3} above the rest frequency`).toBeLessThan(0.02);
  }
  expect(axionCentreHz(restHz)).toBeGreaterThan(3e3);
  // FWHM about 15 bins of 651 Hz at 10.35 GHz.
  const peak = Math.max(...Array.from({ length: 400 }, (_, k) => axionShape(k * 100, restHz)));
  const above = Array.from({ length: 400 }, (_, k) => k * 100).filter(
    (hz) => axionShape(hz, restHz) > peak / 2,
  );
  expect(above.length * 100).toBeGreaterThan(8000);
  expect(above.length * 100).toBeLessThan(12000);
});

test('what happens on demand happens in its file and place only', () => {
  const seconds = 1;
  const count = sampleRateHz * seconds;
  const half = count / 2;
  const demanding: SignalParameters = {
    ...signal,
    spur: { offsetHz: 100e3, ratio: 50, fromFile: 2 },
    burstFile: 3,
    clippedFile: 4,
    dcStepFile: 5,
  };
  const plain = { ...signal, spur: null };
  const make = (file: number): Samples => samplesOf(demanding, file, count);
  expect(checksum(make(1))).toBe(checksum(samplesOf(plain, 1, count)));
  const spur = difference(make(2), samplesOf(plain, 2, count));
  expect(Math.sqrt(variance(spur.i) * 2)).toBeCloseTo(lineAmplitude(50, signal), 5);
  const burst = make(3).i;
  const quiet = variance(burst.subarray(0, half - 3000));
  expect(variance(burst.subarray(half + 3000, half + 190_000)) / quiet).toBeGreaterThan(20);
  expect(variance(burst.subarray(half + 210_000)) / quiet).toBeLessThan(1.2);
  const clipped = make(4).i;
  const limit = Math.fround(CLIP_SIGMAS * Math.sqrt(noiseVariance(signal.floor, sampleRateHz) / 2));
  const atLimit = (from: number, to: number): number =>
    clipped.subarray(from, to).filter((x) => Math.abs(x) === limit).length;
  // Overdriven noise beyond the digitiser's end, within five standard errors of the count.
  const stretch = 387_000;
  const sigma = OVERDRIVE * Math.sqrt(variance(clipped.subarray(0, half - 3000)));
  const expected = stretch * 2 * tailAbove(limit / sigma);
  expect(Math.abs(atLimit(half + 3000, half + 3000 + stretch) - expected)).toBeLessThan(
    5 * Math.sqrt(expected),
  );
  expect(atLimit(0, half - 3000) + atLimit(half + 410_000, count)).toBe(0);
  const mean = (x: Float32Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
  const stepped = make(5).i;
  const leakage = lineAmplitude(signal.leakageRatio, signal) * Math.cos(0.9);
  const error = (5 * Math.sqrt(noiseVariance(signal.floor, sampleRateHz))) / Math.sqrt(half);
  expect(Math.abs(mean(stepped.subarray(0, half - 3000)) - leakage)).toBeLessThan(error);
  expect(Math.abs(mean(stepped.subarray(half + 3000)) - 2 * leakage)).toBeLessThan(error);
  expect(Math.abs(mean(make(6).i) - 2 * leakage)).toBeLessThan(error);
});
