import { expect, test } from 'vitest';
import { emptyTimeSums } from '../../bridge/protocol/moments.ts';
import type { EngineBlock } from '../../web/engine/engine.ts';
import { GpuTimer } from '../../web/worker/gpu-time.ts';

const BINS = 3072;

/** An engine that computes nothing, and whose clock is set by hand. */
class Clockwork {
  readonly description = { kind: 'gpu', name: 'clockwork', why: 'test' } as const;
  readonly depth = 3;
  lastBlockMs: number | undefined = undefined;
  process = ({ segments }: EngineBlock) =>
    Promise.resolve({
      count: segments.reduce((sum, { slices }) => sum + slices, 0),
      scaleExponent: 0,
      mean: new Float32Array(),
      m2: new Float32Array(),
      time: emptyTimeSums(),
    });
  dispose = () => Promise.resolve();
}

const block = (slices: number): EngineBlock => ({
  samples: new Float32Array(),
  segments: [{ offset: 0, slices }],
  clipLevel: Infinity,
});

test('GPU time is averaged over slices, said per file, and taken back where it ends', async () => {
  const engine = new Clockwork();
  const said: (number | null)[] = [];
  const timer = new GpuTimer(engine, BINS, (msPerFile) => said.push(msPerFile));
  expect(timer.depth).toBe(3);
  await timer.process(block(160));
  expect(said).toEqual([]);
  for (const [slices, ms] of [
    [160, 1],
    [160, 2],
    [160, 1],
    [66, 1.46],
  ] as const) {
    engine.lastBlockMs = ms;
    expect((await timer.process(block(slices))).count).toBe(slices);
  }
  // 5.46 ms for 546 slices, and a file has 2731.
  expect(said).toHaveLength(1);
  expect(said[0]).toBeCloseTo(27.31, 6);
  engine.lastBlockMs = undefined;
  await timer.process(block(1));
  await timer.process(block(1));
  expect(said.slice(1)).toEqual([null]);
});
