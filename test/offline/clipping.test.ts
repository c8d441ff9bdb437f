/** Clipped samples of recordings: where the range ends is told by the recordings themselves. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { analyze } from '../../web/offline/analysis.ts';
import { makeCatalogue } from '../../web/offline/catalogue.ts';
import { bytesOf, interleave, type Iq, memorySource, noise, pairSources } from './sources.ts';

const GEOMETRY: Geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10e9 };
/** Three blocks of at most 1920 slices. */
const SAMPLES = 5000 * GEOMETRY.bins;
/** 2 mV of noise ends here once in 300 samples of a channel. */
const END = 6e-3;

let engine: SpectrumEngine;
beforeAll(async () => {
  engine = await createCpuEngine({ bins: GEOMETRY.bins, window: 'none', workers: 0 });
});
afterAll(() => engine.dispose());

/** Every block is answered after a turn of its own, so that several are on their way. */
const slow = (): SpectrumEngine => ({
  description: engine.description,
  depth: 3,
  process: async (block) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return engine.process(block);
  },
  dispose: async () => {},
});

async function clippedOf(files: readonly Iq[], by = slow()): Promise<number[]> {
  const sources = files.flatMap((iq, file) => pairSources('r', file, iq));
  return measured(sources, by);
}

async function measured(sources: Parameters<typeof makeCatalogue>[0], by: SpectrumEngine) {
  const { recordings } = await makeCatalogue(sources, [], GEOMETRY.bins);
  const clipped: number[] = [];
  const never = new AbortController().signal;
  await analyze(
    recordings,
    { engine: by, geometry: GEOMETRY, verify: true, stop: never, giveUp: never },
    {
      measured: ({ moments }) => {
        clipped.push(moments.time.clipped);
      },
      problem: (problem) => {
        throw problem;
      },
    },
  );
  return clipped;
}

/** Limited as by a converter whose positive end is one code of 12 bits below the negative one. */
const limited = ({ i, q }: Iq, from = 0): Iq => {
  const limit = (x: number, k: number): number =>
    k < from ? x : Math.min((END * 2047) / 2048, Math.max(-END, x));
  return { i: i.map(limit), q: q.map(limit) };
};

/** Samples that a converter with that end cannot tell from it. */
const beyond = ({ i, q }: Iq, from = 0): number =>
  [i, q].reduce(
    (sum, x) => sum + x.subarray(from).filter((v) => Math.abs(v) >= END * (1 - 2 ** -10)).length,
    0,
  );

test('of noise only the largest sample so far counts', async () => {
  const clipped = await clippedOf([1, 2, 3, 4, 5, 6].map((seed) => noise(seed, SAMPLES)));
  expect(clipped[0]).toBe(1);
  for (const count of clipped) expect(count).toBeLessThanOrEqual(2);
});

test('a recording that clips says how often, be it the first, the last, or all of them', async () => {
  const files = [7, 8, 9].map((seed) => noise(seed, SAMPLES));
  const [first, second, third] = files as [Iq, Iq, Iq];
  expect(beyond(first)).toBeGreaterThan(3000);
  expect(await clippedOf(files.map((file) => limited(file)))).toEqual(files.map((file) => beyond(file)));
  // A converter that ends lower than the noise before it was never at its end.
  const [, , late] = await clippedOf([first, second, limited(third)]);
  expect(late).toBe(0);
  const quiet = ({ i, q }: Iq): Iq => ({ i: i.map((x) => x / 4), q: q.map((x) => x / 4) });
  expect((await clippedOf([quiet(first), quiet(second), limited(third)])).at(-1)).toBe(beyond(third));
});

test('a stretch that clips at the end of a recording is counted as a whole', async () => {
  const file = noise(10, SAMPLES);
  const from = SAMPLES - 100_000;
  const half = {
    i: file.i.map((x, k) => (k < from ? x / 4 : x)),
    q: file.q.map((x, k) => (k < from ? x / 4 : x)),
  };
  expect(await clippedOf([limited(half, from)])).toEqual([beyond(half, from)]);
});

test('16-bit samples clip at both ends of their range', async () => {
  const overdriven = Int16Array.from(interleave(noise(11, SAMPLES)), (x) =>
    Math.min(32767, Math.max(-32768, Math.round((x / END) * 32768))),
  );
  const source = memorySource('x.cs16', bytesOf(overdriven));
  expect(await measured([source], slow())).toEqual([overdriven.filter((x) => Math.abs(x) >= 32736).length]);
});
