/**
 * What can happen to a haloscope, made by the simulator: each appears in its panel's numbers with its size, within
 * the statistical error of that number, and in no other file.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { CLIPPED_BY_CHANCE } from '../../bridge/protocol/clipping.ts';
import type { SpectrumFrame } from '../../bridge/protocol/frames.ts';
import { binFrequencyHz, binWidthHz } from '../../bridge/protocol/geometry.ts';
import { axionShape } from '../../bridge/simulator/axion-line.ts';
import {
  BURST_FACTOR,
  BURST_S,
  CLIP_SIGMAS,
  CLIPPED_S,
  OVERDRIVE,
} from '../../bridge/simulator/generator.ts';
import {
  defaultSignal,
  driftFactor,
  lineAmplitude,
  noiseVariance,
  type SignalParameters,
  truePower,
} from '../../bridge/simulator/signal.ts';
import { adcFaults, adcHealth, type AdcHealth } from '../../web/analysis/adc-health.ts';
import { type Analysis, analyse } from '../../web/analysis/analysis.ts';
import { tailAbove } from '../../web/analysis/chance.ts';
import { DEFAULT_BASELINE } from '../../web/analysis/excess.ts';
import { LineMemory } from '../../web/analysis/flagged.ts';
import { kurtosisSigma, spectralKurtosis, toneKurtosis } from '../../web/analysis/kurtosis.ts';
import { toneHeight, totalPower } from '../../web/analysis/total-power.ts';
import { type Observed, observe, SLICES } from './observe.ts';

/** Standard errors that a number may be off; with fixed seeds it is so or not, for ever. */
const SIGMAS = 4;
/** Samples of the simulator's step: what happens on demand begins and ends at its borders. */
const STEP = 2048;

const base = defaultSignal(404);
const g = base.geometry;
const { bins, sampleRateHz } = g;
const binHz = binWidthHz(g);
const samples = SLICES * bins;
const floorOf = (bin: number): number => truePower(binFrequencyHz(g, bin), base) / base.floor;
const noisePower = Array.from({ length: bins }, (_, bin) => floorOf(bin) * base.floor);
const noiseSum = noisePower.reduce((a, b) => a + b, 0);
/** Standard deviation of the noise in one channel, volts. */
const sigma = Math.sqrt(noiseVariance(noiseSum / bins, sampleRateHz) / 2);

const SPUR_BIN = bins / 2 + 400;
const SPUR_RATIO = 4;
const [SPUR, BURST, CLIP, DC_STEP] = [2, 4, 6, 8];
const FILES = 10;

/** Samples of a stretch that begins in the middle of a file. */
const stretch = (seconds: number): number => STEP * Math.ceil((seconds * sampleRateHz) / STEP);

describe('one event after the other', () => {
  const signal: SignalParameters = {
    ...base,
    drift: 0,
    spur: { offsetHz: 400 * binHz, ratio: SPUR_RATIO, fromFile: SPUR },
    burstFile: BURST,
    clippedFile: CLIP,
    dcStepFile: DC_STEP,
  };
  let seen: Observed;
  let analyses: readonly Analysis[];
  beforeAll(async () => {
    seen = await observe(signal, FILES);
    const memory = new LineMemory();
    analyses = seen.latest.map((frame) => analyse(frame, { ...DEFAULT_BASELINE, of: 'latest' }, g, memory));
  }, 180_000);

  const latest = (file: number): SpectrumFrame => seen.latest[file] as SpectrumFrame;
  const analysisOf = (file: number): Analysis => analyses[file] as Analysis;
  const healthOf = (frame: SpectrumFrame): AdcHealth => {
    const health = adcHealth(frame.time);
    if (health === null) throw new Error('no samples');
    return health;
  };
  const lineAt = (file: number, bin: number) =>
    analysisOf(file).lines.find(({ from, to }) => from <= bin && bin < to);

  test('every file is seen once, in its order, with all its slices', () => {
    expect(seen.latest.map(({ file }) => file)).toEqual(Array.from({ length: FILES }, (_, file) => file));
    expect(seen.run.map(({ slices }) => slices)).toEqual(seen.run.map((_, k) => (k + 1) * SLICES));
    expect(seen.latest.every(({ time }) => time.samples === samples)).toBe(true);
  });

  test('a spur has its excess, its kurtosis and its place in the list, from the file on in which it begins', () => {
    const rho = SPUR_RATIO / floorOf(SPUR_BIN);
    expect(lineAt(SPUR - 1, SPUR_BIN)).toBeUndefined();
    const quiet = [SPUR, SPUR + 1, CLIP + 1, DC_STEP + 1];
    // A wave on noise: the power of a slice has the variance 1 + 2ρ; the baseline adds (225/64 W) of the noise's.
    const error = Math.sqrt(1 + 2 * rho + ((1 + rho) ** 2 * 225) / (64 * DEFAULT_BASELINE.window));
    for (const file of quiet) {
      const z = analysisOf(file).z[SPUR_BIN] as number;
      expect(Math.abs(z - rho * Math.sqrt(SLICES)), `file ${file}`).toBeLessThan(SIGMAS * error);
      const kurtosis = analysisOf(file).kurtosis[SPUR_BIN] as number;
      expect(Math.abs(kurtosis - toneKurtosis(rho)), `file ${file}`).toBeLessThan(
        SIGMAS * kurtosisSigma(SLICES),
      );
      expect(lineAt(file, SPUR_BIN)).toMatchObject({ bin: SPUR_BIN, mirrorBin: bins - SPUR_BIN });
      expect(Math.fround(lineAt(file, SPUR_BIN)?.z ?? 0)).toBe(z);
      expect(lineAt(file, SPUR_BIN)?.offsetHz).toBeCloseTo(400 * binHz, 6);
      expect(Math.abs(lineAt(file, SPUR_BIN)?.mirrorZ ?? Number.NaN)).toBeLessThan(SIGMAS + 1);
    }
    expect(lineAt(SPUR + 1, SPUR_BIN)?.sinceMs).toBe(latest(SPUR).newestUtcMs);
  });

  test('a burst is seen by the kurtosis of every bin and by the total power, and is no line', () => {
    // By slice, which may lie in the burst in part.
    const powers = Array.from({ length: SLICES }, (_, slice) => {
      const from = Math.max(samples / 2, slice * bins);
      const to = Math.min(samples / 2 + stretch(BURST_S), (slice + 1) * bins);
      return 1 + ((BURST_FACTOR ** 2 - 1) * Math.max(0, to - from)) / bins;
    });
    const sum = powers.reduce((a, b) => a + b, 0);
    const squares = powers.reduce((a, b) => a + b * b, 0);
    // E[S₂] = 2 Σλ² and E[S₁²] = (Σλ)² + Σλ² for exponentials of mean λ; their ratio errs by 1/n.
    const expected = ((SLICES + 1) / (SLICES - 1)) * ((SLICES * 2 * squares) / (sum ** 2 + squares) - 1);
    const kurtoses = analysisOf(BURST).kurtosis.filter((_, bin) => analysisOf(BURST).cut[bin] === 0);
    const mean = kurtoses.reduce((a, b) => a + b, 0) / kurtoses.length;
    const spread = Math.sqrt(kurtoses.reduce((a, b) => a + (b - mean) ** 2, 0) / kurtoses.length);
    // Of the ratio's own error: the relative variance of S₁ is Σλ²/(Σλ)².
    const bias = 3 * expected * (squares / sum ** 2);
    expect(Math.abs(mean - expected)).toBeLessThan((SIGMAS * spread) / Math.sqrt(kurtoses.length) + bias);
    expect(mean - 1).toBeGreaterThan(50 * kurtosisSigma(SLICES));
    expect(analysisOf(BURST).lines.length).toBeLessThanOrEqual(analysisOf(SPUR).lines.length + 1);

    const lines = (base.tone.ratio + base.leakageRatio + SPUR_RATIO) * base.floor;
    const ratio = totalPower(latest(BURST).mean, g) / totalPower(latest(SPUR).mean, g);
    const wanted = ((noiseSum * sum) / SLICES + lines) / (noiseSum + lines);
    // Relative error of a sum of exponentials over bins and slices, and of the quiet file's.
    const error = Math.hypot(Math.sqrt(squares) / sum / Math.sqrt(bins), 1 / Math.sqrt(samples));
    expect(Math.abs(ratio / wanted - 1)).toBeLessThan(SIGMAS * error);
  });

  test('a clipped stretch has its samples counted, in its file and in the run, and is an alarm', () => {
    const limit = CLIP_SIGMAS * Math.sqrt(noiseVariance(base.floor, sampleRateHz) / 2);
    const health = healthOf(latest(CLIP));
    for (const extreme of [-health.minI, health.maxI, -health.minQ, health.maxQ])
      expect(extreme).toBe(Math.fround(limit));
    // Two channels, two ends; tone and spur widen the noise a little.
    const lines = base.tone.ratio + SPUR_RATIO;
    const widened =
      OVERDRIVE * Math.sqrt(sigma ** 2 + (lines * noiseVariance(base.floor, sampleRateHz)) / bins / 2);
    const expected = stretch(CLIPPED_S) * 4 * tailAbove((limit * (1 - 2 ** -10)) / widened);
    expect(Math.abs(health.clipped - expected)).toBeLessThan(SIGMAS * Math.sqrt(expected));
    expect(health.clippedShare).toBeCloseTo(health.clipped / (2 * samples), 12);
    expect(adcFaults(health)).toEqual(['clipping']);
    const others = seen.latest.filter(({ file }) => file !== CLIP).map(healthOf);
    for (const other of others) {
      expect(other.clipped).toBeLessThanOrEqual(CLIPPED_BY_CHANCE / 2);
      expect(adcFaults(other)).toEqual([]);
    }
    const total = seen.latest.reduce((sum, { time }) => sum + time.clipped, 0);
    expect(seen.run.at(-1)?.time.clipped).toBe(total);
    const during = seen.progress.filter(({ file }) => file === CLIP).at(-1);
    expect(during === undefined || during.time.clipped <= health.clipped).toBe(true);
  });

  test('a step of the DC level is seen in both channels and in the bin of the LO', () => {
    const leakage = lineAmplitude(base.leakageRatio, base);
    const error = sigma / Math.sqrt(samples);
    const at = (file: number, factor: number): void => {
      const { dcI, dcQ } = healthOf(latest(file));
      expect(Math.abs(dcI - factor * leakage * Math.cos(0.9)), `I of file ${file}`).toBeLessThan(
        SIGMAS * error,
      );
      expect(Math.abs(dcQ - factor * leakage * Math.sin(0.9)), `Q of file ${file}`).toBeLessThan(
        SIGMAS * error,
      );
    };
    for (const file of [0, SPUR, DC_STEP - 1]) at(file, 1);
    at(DC_STEP, 1.5);
    at(DC_STEP + 1, 2);
    const rho = base.leakageRatio / floorOf(bins / 2);
    for (const [file, factor] of [
      [SPUR, 1],
      [DC_STEP + 1, 4],
    ] as const) {
      const line = lineAt(file, bins / 2);
      expect(line).toMatchObject({ bin: bins / 2, offsetHz: 0 });
      const wanted = factor * rho;
      expect(Math.abs((line?.z ?? 0) - wanted * Math.sqrt(SLICES))).toBeLessThan(
        SIGMAS * Math.sqrt(1 + 2 * wanted + ((1 + wanted) ** 2 * 225) / (64 * DEFAULT_BASELINE.window)),
      );
    }
  });

  test('rms and balance are those of the noise', () => {
    const { rmsI, rmsQ, gainRatio, phaseRad, imageRejectionDb } = healthOf(latest(0));
    const power = sigma ** 2 + (base.tone.ratio * noiseVariance(base.floor, sampleRateHz)) / bins / 2;
    for (const rms of [rmsI, rmsQ])
      expect(Math.abs(rms / Math.sqrt(power) - 1)).toBeLessThan(SIGMAS / Math.sqrt(2 * samples));
    expect(Math.abs(gainRatio - 1)).toBeLessThan(SIGMAS / Math.sqrt(samples));
    expect(Math.abs(phaseRad)).toBeLessThan(SIGMAS / Math.sqrt(samples));
    expect(imageRejectionDb).toBeGreaterThan(45);
  });
});

describe('a drifting gain and an axion', () => {
  const files = 8;
  const axion = { offsetHz: 300e3, ratio: 24 };
  const signal: SignalParameters = {
    ...base,
    drift: 0.05,
    driftPeriodS: (16 * samples) / sampleRateHz,
    axion,
  };
  let seen: Observed;
  beforeAll(async () => {
    seen = await observe(signal, files);
  }, 180_000);

  /** Mean factor of the power over a file. */
  const driftOf = (file: number): number => {
    const steps = samples / STEP;
    let sum = 0;
    for (let step = 0; step < steps; step++)
      sum += driftFactor(signal, (file * samples + step * STEP) / sampleRateHz);
    return sum / steps;
  };

  test('a drift of the gain is seen in the total power, file by file', () => {
    const powers = seen.latest.map(({ mean }) => totalPower(mean, g));
    powers.forEach((power, file) => {
      const ratio = power / (powers[0] as number);
      expect(Math.abs(ratio / (driftOf(file) / driftOf(0)) - 1), `file ${file}`).toBeLessThan(
        SIGMAS * Math.sqrt(2 / samples),
      );
    });
    // Half a sine: the panel shows several per cent, thirty errors and more.
    expect(Math.max(...powers) / (powers[0] as number) - 1).toBeGreaterThan(0.03);
  });

  test('the reference tone keeps its height while the gain drifts', () => {
    const at = base.tone.offsetHz / binHz + bins / 2;
    const centre = Math.round(at);
    const shares = [-2, -1, 0, 1, 2].map((d) => {
      const x = Math.PI * (centre + d - at);
      return x === 0 ? 1 : (Math.sin(x) / x) ** 2;
    });
    const heights = shares.map((share) => (share * base.tone.ratio) / floorOf(centre));
    const wanted = heights.reduce((a, b) => a + b, 0);
    const variance = heights.reduce((sum, height) => sum + 1 + 2 * height, 0);
    const run = seen.run.at(-1) as SpectrumFrame;
    // The floor is a median of 32 bins: √(π/2)/√32 of a bin's error, times all that is divided by it. The tone's
    // sidelobes, 1/(πd)² of it, lift the bins of that floor by some per cent of one bin.
    const floorError = (Math.sqrt(Math.PI / 2 / 32) * (5 + wanted)) / Math.sqrt(run.slices);
    const sidelobes = ((5 + wanted) * base.tone.ratio) / (Math.PI * 10) ** 2;
    expect(Math.abs(toneHeight(run.mean, centre) - wanted)).toBeLessThan(
      SIGMAS * Math.hypot(Math.sqrt(variance / run.slices), floorError) + sidelobes,
    );
  });

  test('an axion-shaped line has its power, its shape and its place in the list of the run', () => {
    const run = seen.run.at(-1) as SpectrumFrame;
    const drift =
      Array.from({ length: files }, (_, file) => driftOf(file)).reduce((a, b) => a + b, 0) / files;
    const first = Math.round(axion.offsetHz / binHz) + bins / 2;
    const wide = Array.from({ length: 60 }, (_, k) => first - 2 + k);
    const restHz = g.loHz + axion.offsetHz;
    const shape = (bin: number): number => axionShape((bin - bins / 2) * binHz - axion.offsetHz, restHz);
    const shapeSum = wide.reduce((sum, bin) => sum + shape(bin), 0);
    // What is in these bins beyond the true baseline, in floors of one bin.
    const power = wide.reduce(
      (sum, bin) => sum + ((run.mean[bin] as number) / base.floor / drift - floorOf(bin)),
      0,
    );
    const error = Math.sqrt(
      wide.reduce((sum, bin) => sum + (floorOf(bin) + (axion.ratio * shape(bin)) / shapeSum) ** 2, 0),
    );
    expect(Math.abs(power - axion.ratio)).toBeLessThan((SIGMAS * error) / Math.sqrt(run.slices));

    const found = analyse(run, { ...DEFAULT_BASELINE, of: 'run' }, g, new LineMemory());
    const line = found.lines.find(({ from, to }) => wide.some((bin) => from <= bin && bin < to));
    if (line === undefined) throw new Error('not flagged');
    const peak = wide.reduce((best, bin) => (shape(bin) > shape(best) ? bin : best));
    expect(Math.abs(line.bin - peak)).toBeLessThanOrEqual(6);
    const height = (axion.ratio * shape(peak)) / shapeSum / floorOf(peak);
    // It is noise itself, so its bin scatters as 1 + ρ; the largest of its bins lies above the middle.
    expect(line.z).toBeGreaterThan(0.75 * height * Math.sqrt(run.slices));
    expect(line.z).toBeLessThan(1.15 * height * Math.sqrt(run.slices) + SIGMAS * (1 + height));
    // A wave of that power would have less.
    const at = spectralKurtosis(run.mean[line.bin] as number, run.std[line.bin] as number, run.slices);
    expect(Math.abs(at - 1)).toBeLessThan(SIGMAS * kurtosisSigma(run.slices));
    expect(toneKurtosis(height)).toBeLessThan(1 - 2 * SIGMAS * kurtosisSigma(run.slices));
  });
});
