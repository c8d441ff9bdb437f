/** Recordings through the engine, held against the float64 reference that shares no code with it. */
import { afterEach, expect, test } from 'vitest';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import type { SpectrumMoments } from '../../bridge/protocol/moments.ts';
import type { FileProblem } from '../../bridge/protocol/pairs.ts';
import type { ByteSource } from '../../bridge/protocol/source.ts';
import { type WindowName, windowCoefficients } from '../../bridge/protocol/window.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { EngineError, type SpectrumEngine } from '../../web/engine/engine.ts';
import { analyze, type Measured, RunSum } from '../../web/offline/analysis.ts';
import { makeCatalogue } from '../../web/offline/catalogue.ts';
import { SHORT_BLOCK_TOLERANCE } from '../engine/accuracy.ts';
import { referenceMoments } from '../engine/reference.ts';
import {
  bytesOf,
  interleave,
  type Iq,
  memorySource,
  noise,
  pairSources,
  sigmfText,
  textSource,
} from './sources.ts';

const GEOMETRY: Geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10e9 };
const { bins } = GEOMETRY;
/** Two blocks and a rest. */
const SAMPLES = 2500 * bins + 99;

const engines: SpectrumEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose();
});

async function newEngine(window: WindowName = 'none'): Promise<SpectrumEngine> {
  const engine = await createCpuEngine({ bins, window, workers: 0 });
  engines.push(engine);
  return engine;
}

interface Run {
  readonly measured: readonly Measured[];
  readonly problems: readonly FileProblem[];
  readonly sum: RunSum;
  readonly left: number;
  readonly bytes: number;
}

async function run(
  sources: readonly ByteSource[],
  engine: SpectrumEngine,
  onMeasured: (measured: Measured, stop: AbortController, giveUp: AbortController) => void = () => {},
): Promise<Run> {
  const { recordings } = await makeCatalogue(sources, [], bins);
  const measured: Measured[] = [];
  const problems: FileProblem[] = [];
  const sum = new RunSum(bins);
  const stop = new AbortController();
  const giveUp = new AbortController();
  let bytes = 0;
  const left = await analyze(
    recordings,
    { engine, geometry: GEOMETRY, verify: true, stop: stop.signal, giveUp: giveUp.signal },
    {
      measured: (one) => {
        measured.push(one);
        sum.add(one.moments, 1, one.startMs, one.endMs);
        onMeasured(one, stop, giveUp);
      },
      problem: (problem) => problems.push(problem),
      read: (more) => {
        bytes += more;
      },
    },
  );
  return { measured, problems, sum, left, bytes };
}

function expected({ i, q }: Iq, from: number, slices: number, window?: Float64Array) {
  const samples = new Float32Array(2 * slices * bins);
  samples.set(i.subarray(from, from + slices * bins));
  samples.set(q.subarray(from, from + slices * bins), slices * bins);
  return referenceMoments(samples, [{ offset: 0, slices }], { bins, ...(window ? { window } : {}) });
}

/** Relative to the bin and the average bin together, as for every short block. */
function expectClose(found: SpectrumMoments, wanted: Pick<SpectrumMoments, 'count' | 'mean' | 'm2'>): void {
  expect(found.count).toBe(wanted.count);
  const average = wanted.mean.reduce((a, b) => a + b, 0) / bins;
  for (let k = 0; k < bins; k++) {
    const mean = wanted.mean[k] as number;
    const std = Math.sqrt((wanted.m2[k] as number) / (wanted.count - 1));
    const own = Math.sqrt((found.m2[k] as number) / (found.count - 1));
    expect(Math.abs((found.mean[k] as number) - mean)).toBeLessThan(
      SHORT_BLOCK_TOLERANCE.mean * (mean + average),
    );
    expect(Math.abs(own - std)).toBeLessThan(SHORT_BLOCK_TOLERANCE.std * (std + average));
  }
}

test.for(['none', 'hann', 'blackman-harris', 'flat-top'] as const)(
  'a pair has the spectrum of the reference, window %s',
  async (window) => {
    const iq = noise(1, SAMPLES);
    const { measured, bytes } = await run(pairSources('r', 3, iq), await newEngine(window));
    const [one] = measured;
    const taper = window === 'none' ? undefined : windowCoefficients(window, bins);
    expectClose((one as Measured).moments, expected(iq, 0, 2500, taper));
    expect(one).toMatchObject({ remainder: 99, recording: { file: 3 } });
    expect(bytes).toBe(2500 * bins * 8);
  },
);

test('an interleaved file has the very numbers of the pair', async () => {
  const iq = noise(2, SAMPLES);
  const engine = await newEngine();
  const pair = await run(pairSources('r', 3, iq), engine);
  const cf32 = await run([memorySource('x.cf32', bytesOf(interleave(iq)))], engine);
  expect(cf32.measured[0]?.moments).toEqual(pair.measured[0]?.moments);
});

test('16-bit samples are fractions of full scale', async () => {
  const integers = Int16Array.from(interleave(noise(3, SAMPLES)), (x) => Math.round(x * 2e6));
  const volts = Float32Array.from(integers, (x) => x / 32768);
  const engine = await newEngine();
  const asInt = await run([memorySource('x.cs16', bytesOf(integers))], engine);
  const asFloat = await run([memorySource('x.cf32', bytesOf(volts))], engine);
  expect(asInt.sum.moments).toEqual(asFloat.sum.moments);
});

test('no slice reaches across the gap between captures', async () => {
  const iq = noise(4, SAMPLES);
  const gap = 1000 * bins + 100;
  const meta = sigmfText({}, [
    { 'core:sample_start': 10, 'core:datetime': '2026-01-02T03:04:05.000Z' },
    { 'core:sample_start': gap },
  ]);
  const sources = [textSource('x.sigmf-meta', meta), memorySource('x.sigmf-data', bytesOf(interleave(iq)))];
  const { measured, sum } = await run(sources, await newEngine());
  const both = new RunSum(bins);
  for (const [from, slices] of [
    [10, 1000],
    [gap, 1499],
  ] as const) {
    const part = expected(iq, from, slices);
    both.add({ ...part, mean: Float64Array.from(part.mean), m2: Float64Array.from(part.m2) }, 1, 0, 0);
  }
  expectClose(sum.moments, both.moments);
  expect(measured[0]?.startMs).toBe(Date.parse('2026-01-02T03:04:05.000Z'));
});

test('a run is the sum of its recordings, in their order, with its times', async () => {
  const all = [5, 6, 7].map((seed) => noise(seed, SAMPLES));
  const sources = all.flatMap((iq, k) => pairSources('r', 12 - k, iq));
  const { measured, sum } = await run(sources, await newEngine());
  expect(measured.map(({ recording }) => recording.file)).toEqual([10, 11, 12]);
  expect(sum).toMatchObject({ files: 3, moments: { count: 7500 } });
  const modified = Date.parse('2026-11-23T01:02:03.456Z');
  expect(sum.firstMs).toBe(Math.round(modified - (1000 * SAMPLES) / 2e6));
  expect(sum.lastMs).toBe(Math.round(sum.firstMs + (1000 * 2500 * bins) / 2e6));
});

test('a recording that cannot be read, changes or holds NaN is named, and the rest goes on', async () => {
  const broken = noise(9, SAMPLES);
  broken.q[1200 * bins + 5] = Number.NaN;
  const { measured, problems, left } = await run(
    [
      ...pairSources('r', 1, noise(8, SAMPLES), { brokenFrom: 1e6 }),
      ...pairSources('r', 2, noise(8, SAMPLES), { changes: true }),
      ...pairSources('r', 3, broken),
      ...pairSources('r', 4, noise(8, SAMPLES)),
    ],
    await newEngine(),
  );
  expect(measured.map(({ recording }) => recording.file)).toEqual([4]);
  expect(problems.map(({ file, code }) => `${file}: ${code}`)).toEqual([
    'r/duck_q_00001.dat: unreadable',
    'r/duck_q_00002.dat: changed',
    'r/duck_{i,q}_00003.dat: non-finite',
  ]);
  expect(problems[2]?.message).toContain('NaN');
  expect(left).toBe(0);
});

/** Fails so many times before it works, as an engine does whose worker ends. */
const failing = (engine: SpectrumEngine, times: number): SpectrumEngine => ({
  description: engine.description,
  depth: engine.depth,
  dispose: async () => {},
  process: async (block) => {
    if (times-- > 0) throw new EngineError('device-lost', 'a worker ended');
    return engine.process(block);
  },
});

test('a lost worker costs one more reading; an engine that keeps failing is an error', async () => {
  const iq = noise(10, SAMPLES);
  const engine = await newEngine();
  const { measured } = await run(pairSources('r', 1, iq), failing(engine, 1));
  expectClose((measured[0] as Measured).moments, expected(iq, 0, 2500));
  await expect(run(pairSources('r', 1, iq), failing(engine, Infinity))).rejects.toMatchObject({
    code: 'device-lost',
  });
});

test('stopped, it finishes what is in hand; given up, it drops that, too', async () => {
  const sources = [1, 2, 3, 4, 5].flatMap((file) => pairSources('r', file, noise(file, SAMPLES)));
  const stopped = await run(sources, await newEngine(), (_, stop) => stop.abort());
  // The second was begun before the first was done.
  expect(stopped.measured.map(({ recording }) => recording.file)).toEqual([1, 2]);
  expect(stopped.left).toBe(3);
  const dropped = await run(sources, await newEngine(), (_, stop, giveUp) => {
    stop.abort();
    giveUp.abort();
  });
  expect(dropped.measured.length + dropped.left).toBe(5);
  expect(dropped.left).toBeGreaterThanOrEqual(3);
});

test('no more blocks are in memory than the engine can take, and one for each recording in hand', async () => {
  const engine = await newEngine();
  let now = 0;
  let most = 0;
  const slow: SpectrumEngine = {
    ...failing(engine, 0),
    depth: 3,
    process: async (block) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const moments = await engine.process(block);
      now--;
      return moments;
    },
  };
  const long = noise(11, 8 * SAMPLES);
  await run([...pairSources('r', 1, long), ...pairSources('r', 2, long)], slow);
  expect(most).toBeLessThanOrEqual(5);
  expect(most).toBeGreaterThan(3);
});
