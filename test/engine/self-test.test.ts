/** The question with a known answer: the answer is right, and wrong or slow engines do not pass. */
import { afterEach, expect, test, vi } from 'vitest';
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import type { EngineBlock } from '../../web/engine/engine.ts';
import { makeSelfTest, runSelfTest } from '../../web/engine/self-test.ts';
import { type WindowName, windowCoefficients } from '../../bridge/protocol/window.ts';
import { referenceMoments } from './reference.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Both are float64; sums of up to 8192 terms. */
const ANSWER_TOLERANCE = 1e-11;

test.each([
  [256, 'none'],
  [3072, 'none'],
  [729, 'hann'],
  [8192, 'flat-top'],
] as const)('the answer for %i bins, window %s, is the reference’s', (bins, window) => {
  const { block, answer } = makeSelfTest({ bins, window });
  const { samples, segments, clipLevel } = block();
  const expected = referenceMoments(samples, segments, {
    bins,
    clipLevel,
    window: windowCoefficients(window, bins),
  });
  expect(answer.count).toBe(expected.count);
  for (const name of ['mean', 'm2'] as const) {
    const floor = expected[name].reduce((a, b) => Math.max(a, b), 0);
    const worst = expected[name].reduce(
      (w, v, k) => Math.max(w, Math.abs(v - (answer[name][k] as number))),
      0,
    );
    expect(worst / floor).toBeLessThan(ANSWER_TOLERANCE);
  }
  expect(answer.time.clipped).toBeGreaterThan(0);
  expect(answer.time).toMatchObject({ clipped: expected.time.clipped, minI: expected.time.minI });
  expect(answer.time.sumIQ / expected.time.sumIQ).toBeCloseTo(1, 9);
});

/** An engine that is the reference, and what is done to its answer. */
const engineWith = (window: WindowName, spoil: (moments: BlockMoments) => BlockMoments) => ({
  description: { kind: 'ts', name: 'an engine', why: 'a test' } as const,
  process: ({ samples, segments, clipLevel }: EngineBlock): Promise<BlockMoments> => {
    const { mean, m2, ...rest } = referenceMoments(samples, segments, {
      bins: 256,
      clipLevel,
      window: windowCoefficients(window, 256),
    });
    const moments = { ...rest, scaleExponent: 0, mean: Float32Array.from(mean), m2: Float32Array.from(m2) };
    return Promise.resolve(spoil(moments));
  },
});

const changed = (values: Float32Array, index: number, factor: number): Float32Array =>
  values.map((v, k) => (k === index ? v * factor : v));

test('a right engine passes', async () => {
  const right = engineWith('none', (m) => m);
  await expect(runSelfTest(right, { bins: 256, window: 'none' })).resolves.toBeUndefined();
});

test.each([
  ['one bin', (m: BlockMoments) => ({ ...m, mean: changed(m.mean, 17, 1.001) }), 'mean of bin 17'],
  ['one bin is NaN', (m: BlockMoments) => ({ ...m, m2: changed(m.m2, 3, Number.NaN) }), 'm2 of bin 3'],
  ['frequencies upside down', (m: BlockMoments) => ({ ...m, mean: m.mean.toReversed() }), 'mean of bin 0'],
  ['a slice too few', (m: BlockMoments) => ({ ...m, count: m.count - 1 }), 'slices'],
  ['samples', (m: BlockMoments) => ({ ...m, time: { ...m.time, samples: 1 } }), 'samples'],
  ['a maximum', (m: BlockMoments) => ({ ...m, time: { ...m.time, maxQ: 9 } }), 'maxQ'],
  ['a sum', (m: BlockMoments) => ({ ...m, time: { ...m.time, sumIQ: 9 } }), 'sumIQ'],
])('wrong in %s: refused with what is wrong', async (_, spoil, message) => {
  const wrong = runSelfTest(engineWith('none', spoil), { bins: 256, window: 'none' });
  await expect(wrong).rejects.toMatchObject({ code: 'self-test', message: expect.stringContaining(message) });
});

test('a forgotten window is noticed', async () => {
  const wrong = runSelfTest(
    engineWith('none', (m) => m),
    { bins: 256, window: 'hann' },
  );
  await expect(wrong).rejects.toMatchObject({ code: 'self-test' });
});

test('too slow a second time is refused, a slow first time is not', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const taking = (msEach: readonly number[]) => {
    let call = 0;
    return engineWith('none', (m) => {
      now += msEach[call++] as number;
      return m;
    });
  };
  const options = { bins: 256, window: 'none' } as const;
  await runSelfTest(taking([9000, 100]), options);
  await expect(runSelfTest(taking([100, 2500]), options)).rejects.toMatchObject({
    code: 'self-test',
    message: expect.stringContaining('too slow: 8 slices in 2500 ms'),
  });
});
