/**
 * An hour of a run for the pictures: spectra, history and state of the chain, all of it from a seed, in the shape of
 * the simulated DAQ. Averages are drawn as averages, with the errors of so many slices, instead of slice by slice.
 */
import type { Trace } from '../../bridge/protocol/frames.ts';
import { binFrequencyHz, nominalSlicesPerFile } from '../../bridge/protocol/geometry.ts';
import { decimate, encodeHistory, encodeRow } from '../../bridge/protocol/history.ts';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import type { SpectrumSnapshot } from '../../bridge/server/source.ts';
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import { defaultSignal, driftFactor, noiseVariance, truePower } from '../../bridge/simulator/signal.ts';
import { integrationSeconds } from '../../web/analysis/exposure.ts';
import { totalPower } from '../../web/analysis/total-power.ts';
import { gaussianNoisePowers } from '../analysis/noise.ts';
import { sampleState } from '../server/source.ts';

const SEED = 404;
const SIGNAL = defaultSignal(SEED);
export const GEOMETRY = SIGNAL.geometry;
const { bins } = GEOMETRY;
const SLICES = nominalSlicesPerFile(bins);
const FILE_MS = 1000 * integrationSeconds(SLICES, GEOMETRY);

/** What every clock shows while pictures are taken. */
export const NOW_MS = Date.UTC(2026, 10, 23, 4, 17, 23, 400);
const RUN = 'run404';
/** Last file that is done. */
export const LAST_FILE = 857;
/** Files of which nothing came: the DAQ stood still. */
const MISSING = { from: 512, to: 559 };
const FILES_DONE = LAST_FILE + 1 - (MISSING.to - MISSING.from + 1);
const FILES_PER_ROW = 16;
/** Age of the newest datum while all is well. */
const AGE_MS = 400;
/** Slices of the file in progress. */
const IN_PROGRESS = 960;

const newestMs = NOW_MS - AGE_MS;
/** End of a file by UTC; the one in progress has so far only its first slices. */
const endOfFileMs = (file: number): number =>
  newestMs - 1000 * integrationSeconds(IN_PROGRESS, GEOMETRY) - (LAST_FILE - file) * FILE_MS;
const startMs = endOfFileMs(0) - FILE_MS;
const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Bins with something in them, and how much, in floors of one bin: the tone between two bins, leakage, a weak line. */
const LINES: readonly (readonly [bin: number, ratio: number])[] = [
  [2944, 3],
  [2945, 3],
  [bins / 2, 3],
  [880, 0.011],
];

const expected = Float64Array.from({ length: bins }, (_, bin) =>
  truePower(binFrequencyHz(GEOMETRY, bin), SIGNAL),
);
for (const [bin, ratio] of LINES) expected[bin] = (expected[bin] as number) + ratio * SIGNAL.floor;

/** Gaussian numbers: the root of an exponential power with an even phase is one. */
function gaussian(seed: number, count: number): Float64Array {
  const powers = gaussianNoisePowers(seed, 2 * count);
  return Float64Array.from({ length: count }, (_, i) => {
    const phase = 2 * Math.PI * Math.exp(-(powers[2 * i + 1] as number));
    return Math.sqrt(2 * (powers[2 * i] as number)) * Math.cos(phase);
  });
}

/** [bins] Mean of so many slices of noise, whose relative error is 1/√n. */
function meanOf(seed: number, slices: number, gain: number): Float64Array {
  const errors = gaussian(seed, bins);
  return errors.map((error, bin) => gain * (expected[bin] as number) * (1 + error / Math.sqrt(slices)));
}

/** [bins] Standard deviation of noise, equal to its mean; the squared ratio of both has the variance 4/n of SK. */
function deviationOf(seed: number, mean: Float64Array, slices: number): Float64Array {
  const errors = gaussian(seed, bins);
  const isLine = new Set(LINES.map(([bin]) => bin));
  return mean.map((value, bin) => {
    const kurtosis = 1 + (2 * (errors[bin] as number)) / Math.sqrt(slices);
    // A line's power hardly varies: half of what noise of its height would.
    return value * Math.sqrt(isLine.has(bin) && bin !== 880 ? kurtosis / 2 : kurtosis);
  });
}

/** A digitiser with a gain error of 0.4 % and a phase error of 2 mrad, and a little DC. */
function timeSums(slices: number): TimeSums {
  const samples = slices * bins;
  const variance = noiseVariance(SIGNAL.floor, GEOMETRY.sampleRateHz) / 2;
  const [dcI, dcQ] = [1.2e-3, -0.8e-3];
  const peak = 5.3 * Math.sqrt(variance);
  return {
    samples,
    minI: -peak,
    maxI: peak,
    minQ: -peak,
    maxQ: peak,
    clipped: 1,
    sumI: samples * dcI,
    sumQ: samples * dcQ,
    sumII: samples * (variance + dcI * dcI),
    sumQQ: samples * (1.008 * variance + dcQ * dcQ),
    sumIQ: samples * (2e-3 * variance + dcI * dcQ),
  };
}

const gainAt = (ms: number): number => driftFactor(SIGNAL, (ms - startMs) / 1000);

function spectrum(trace: Trace, file: number, files: number, slices: number): SpectrumSnapshot {
  const seed = 10_000 * SEED + 10 * file + ['run', 'latest', 'progress'].indexOf(trace);
  const mean = meanOf(seed, slices, trace === 'run' ? 1.01 : gainAt(newestMs));
  return {
    trace,
    run: RUN,
    file,
    files,
    slices,
    slicesExpected: trace === 'run' ? 0 : SLICES,
    newestUtcMs: trace === 'progress' ? newestMs : endOfFileMs(file),
    mean: Float32Array.from(mean),
    std: Float32Array.from(deviationOf(seed + 5, mean, slices)),
    time: timeSums(slices),
  };
}

/** One file as it was published. */
export const fileSpectrum = (file: number): SpectrumSnapshot => spectrum('latest', file, 1, SLICES);

/** All three traces as they are now, with this file as the latest. */
export const spectra = (latest: number): SpectrumSnapshot[] => [
  spectrum('run', LAST_FILE, FILES_DONE, FILES_DONE * SLICES),
  fileSpectrum(latest),
  spectrum('progress', LAST_FILE + 1, 1, IN_PROGRESS),
];

/** What the bridge remembers of the files before the latest. */
export function history(): Uint8Array<ArrayBuffer> {
  const rows: Uint8Array[] = [];
  for (let first = 0; first < LAST_FILE; first += FILES_PER_ROW) {
    if (first + FILES_PER_ROW > MISSING.from && first <= MISSING.to) continue;
    const files = Math.min(FILES_PER_ROW, LAST_FILE - first);
    const endUtcMs = endOfFileMs(first + files - 1);
    const slices = files * SLICES;
    const mean = meanOf(SEED + first, slices, gainAt(endUtcMs));
    rows.push(
      encodeRow({
        firstFile: first,
        files,
        slices,
        startUtcMs: endUtcMs - files * FILE_MS,
        endUtcMs,
        power: totalPower(mean, GEOMETRY),
        ...decimate(mean),
      }),
    );
  }
  return encodeHistory(rows.length === 0 ? 0 : (rows[0]?.length ?? 0) / 4 - 12, FILES_PER_ROW, rows);
}

const GPU = { kind: 'gpu', name: 'NVIDIA RTX A4000', why: 'the browser offers a WebGPU adapter' } as const;

/** All well: Kafka, a page with a GPU that computes, and this one that looks on. */
export const wellState = (): BridgeState => ({
  ...sampleState(GEOMETRY),
  software: 'haloscope 0.1.0',
  utc: isoOf(NOW_MS),
  startedUtc: isoOf(startMs - 90_000),
  input: { kind: 'kafka', reachable: true, trouble: null },
  output: { kind: 'kafka', reachable: true, trouble: null },
  run: {
    ...sampleState(GEOMETRY).run,
    name: RUN,
    filesDone: FILES_DONE,
    slicesDone: FILES_DONE * SLICES,
    firstUtc: isoOf(startMs),
    lastUtc: isoOf(endOfFileMs(LAST_FILE)),
  },
  lag: { files: 0, seconds: 0 },
  retention: { hoursLeft: 19.4, partitions: [{ partition: 0, hoursLeft: 19.4 }] },
  current: { file: LAST_FILE + 1, slicesDone: IN_PROGRESS, slices: SLICES },
  latest: { file: LAST_FILE, slices: SLICES, publishedUtc: isoOf(endOfFileMs(LAST_FILE)) },
  newestDatumUtc: isoOf(newestMs),
  clients: [
    {
      id: 'gpu',
      role: 'processor',
      headless: false,
      engine: GPU,
      blocksInFlight: 1,
      blocksDone: 14_832,
      msPerFile: 6.1,
    },
    {
      id: 'wall',
      role: 'viewer',
      headless: false,
      engine: null,
      blocksInFlight: 0,
      blocksDone: 0,
      msPerFile: null,
    },
  ],
  rejected: {},
  incomplete: [],
  alarms: [],
});

/** Nothing has come yet. */
export const emptyState = (): BridgeState => ({
  ...wellState(),
  run: {
    ...sampleState(GEOMETRY).run,
    name: RUN,
    filesDone: 0,
    slicesDone: 0,
    firstUtc: null,
    lastUtc: null,
  },
  lag: { files: 0, seconds: 0 },
  current: null,
  latest: null,
  newestDatumUtc: null,
});

/** A broker that is gone, alarms, files with holes. */
export const troubledState = (): BridgeState => ({
  ...wellState(),
  input: { kind: 'kafka', reachable: false, trouble: 'No broker answers at 10.0.0.7:9092; next try in 5 s.' },
  lag: { files: 12, seconds: 50.3 },
  retention: { hoursLeft: 5.25, partitions: [{ partition: 0, hoursLeft: 5.25 }] },
  rejected: { checksum: 2, 'slice-index': 1 },
  incomplete: [
    { run: RUN, file: 801, missing: '0-39,80-119', atUtc: isoOf(NOW_MS - 240_000) },
    { run: RUN, file: 802, missing: '2720-2730', atUtc: isoOf(NOW_MS - 236_000) },
  ],
  alarms: [
    {
      code: 'topic-recreated',
      message: 'chunk_data is another topic than before; the run goes on as run404~2.',
      count: 3,
      sinceUtc: isoOf(NOW_MS - 600_000),
      lastUtc: isoOf(NOW_MS - 240_000),
    },
  ],
});
