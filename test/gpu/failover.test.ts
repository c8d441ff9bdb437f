/** Both real engines behind one interface, in Node: the GPU is Dawn's, and it is taken away. */
import { expect, test } from 'vitest';
import { createEngine } from '../../web/engine/choose.ts';
import type { EngineDescription } from '../../web/engine/engine.ts';
import { spyOn } from './adapters.ts';
import { compareBlock, oddBlock, SHORT_BINS } from './blocks.ts';
import { dawn } from './dawn.ts';

const options = { bins: SHORT_BINS, window: 'none' } as const;

/** The engine may take the samples away: the comparison makes the same block again. */
const sizes = [40, 41, 42, 43, 44];
const makeBlock = (slices: number) => oddBlock(SHORT_BINS, slices, slices);

async function supervised(changes: Parameters<typeof spyOn>[1] = {}) {
  const spy = spyOn(await dawn(), changes);
  const said: EngineDescription[] = [];
  const engine = await createEngine({
    ...options,
    prefer: 'gpu',
    workers: 1,
    surroundings: { secure: true, gpu: spy.gpu },
    onChange: (description) => said.push(description),
  });
  return { engine, spy, said };
}

async function checkAll(
  pending: readonly ReturnType<Awaited<ReturnType<typeof supervised>>['engine']['process']>[],
) {
  const answers = await Promise.all(pending);
  answers.forEach((moments, k) => {
    expect(compareBlock(moments, makeBlock(sizes[k] as number), SHORT_BINS)).toEqual([]);
  });
}

test('a lost device: the CPU engine answers every block in hand', async () => {
  const { engine, spy, said } = await supervised();
  expect(engine.description).toMatchObject({ kind: 'gpu', why: expect.stringContaining('asked for') });
  const pending = sizes.map((slices) => engine.process(makeBlock(slices)));
  spy.devices[0]?.destroy();
  await checkAll(pending);
  expect(said).toEqual([
    expect.objectContaining({ kind: 'wasm', why: expect.stringMatching(/^the GPU was lost .* in 10 s$/) }),
  ]);
  await checkAll(sizes.map((slices) => engine.process(makeBlock(slices))));
  await engine.dispose();
});

test('no memory left: the CPU engine answers every block in hand', async () => {
  const { engine, spy, said } = await supervised();
  spy.memoryGone = true;
  await checkAll(sizes.map((slices) => engine.process(makeBlock(slices))));
  expect(said).toEqual([
    expect.objectContaining({ kind: 'wasm', why: expect.stringContaining('no memory left') }),
  ]);
  await engine.dispose();
});

test('a GPU that computes wrong numbers is not used', async () => {
  const { engine } = await supervised({ kernel: (text) => text.replace('twiddles[8u', 'twiddles[9u') });
  expect(engine.description).toMatchObject({
    kind: 'wasm',
    why: expect.stringContaining('computes wrong numbers and is not used'),
  });
  await checkAll(sizes.map((slices) => engine.process(makeBlock(slices))));
  await engine.dispose();
});

test('a real adapter is used without being asked for, and NaN is no reason to leave it', async () => {
  const spy = spyOn(await dawn(), { fallback: false });
  const engine = await createEngine({
    ...options,
    prefer: 'auto',
    surroundings: { secure: true, gpu: spy.gpu },
  });
  expect(engine.description.kind).toBe('gpu');
  const samples = new Float32Array(2 * SHORT_BINS).fill(Number.NaN);
  await expect(
    engine.process({ samples, segments: [{ offset: 0, slices: 1 }], clipLevel: 1 }),
  ).rejects.toMatchObject({ code: 'non-finite' });
  expect(engine.description.kind).toBe('gpu');
  expect(engine.lastBlockMs).toBeGreaterThan(0);
  await engine.dispose();
});
