/** The WebGPU engine in Dawn: accuracy, blocks of every shape, bad input, and faults of the device. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BlockMoments, addBlock, emptyMoments } from '../../bridge/protocol/moments.ts';
import type { EngineBlock } from '../../web/engine/engine.ts';
import { createGpuEngine, type GpuEngine } from '../../web/engine/gpu/engine.ts';
import { type WindowName, windowCoefficients } from '../../bridge/protocol/window.ts';
import { ACCURACY_CASES, checkAccuracy, cutBlock, formatRow, gaussian } from '../engine/accuracy.ts';
import { spyOn } from './adapters.ts';
import { compareBlock, oddBlock, SHORT_BINS } from './blocks.ts';
import { dawn } from './dawn.ts';

const options = { bins: SHORT_BINS, window: 'none' } as const;

describe('the default length', () => {
  let engine: GpuEngine;
  beforeAll(async () => {
    engine = await createGpuEngine(await dawn(), { bins: 3072, window: 'none' });
  });
  afterAll(() => engine.dispose());

  test.each(ACCURACY_CASES)('a whole file as one block: $name', async (c) => {
    const rows = await checkAccuracy(engine, { bins: 3072, cases: [c] });
    process.stdout.write(`${rows.map(formatRow).join('\n')}\n`);
    expect(rows).toHaveLength(c.line ? 4 : 2);
  });

  test.each([1, 2, 159])('a block of %i slices in odd segments', async (slices) => {
    const block = oddBlock(3072, slices, slices);
    expect(compareBlock(await engine.process(block), block, 3072)).toEqual([]);
  });

  test('times its blocks where the adapter has timestamps', () => {
    expect(engine.lastBlockMs).toBeGreaterThan(0);
  });
});

// The kernels of every length are held against their twins in kernels.test.ts; here, with all that is around them.
describe('other lengths, and windows', () => {
  const others: readonly (readonly [number, WindowName])[] = [
    [384, 'hann'],
    [1024, 'blackman-harris'],
    [1536, 'flat-top'],
    [4096, 'none'],
  ];
  test.each(others)('%i bins, window %s', async (bins, window) => {
    const engine = await createGpuEngine(await dawn(), { bins, window });
    const block = oddBlock(bins, 9, bins);
    const taper = windowCoefficients(window, bins);
    expect(compareBlock(await engine.process(block), block, bins, taper)).toEqual([]);
    await engine.dispose();
  });
});

describe('input of every kind', () => {
  let engine: GpuEngine;
  beforeAll(async () => {
    engine = await createGpuEngine(await dawn(), options);
  });
  afterAll(() => engine.dispose());

  const bits = (word: number): number => new Float32Array(new Uint32Array([word]).buffer)[0] as number;
  const slices = 5;
  const half = slices * SHORT_BINS;
  const places = [0, 1, SHORT_BINS - 1, half - 1, half, half + 77, 2 * half - 1];
  const words = [0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff, 0x7f800000, 0xff800000];

  test('NaN and Inf, wherever they are, reject the block and nothing else', async () => {
    for (const [k, word] of words.entries()) {
      for (const place of places) {
        const samples = gaussian(2 * half, 3);
        new Uint32Array(samples.buffer)[place] = word;
        const refused = engine.process({ samples, segments: [{ offset: 0, slices }], clipLevel: Infinity });
        await expect(refused, `word ${k} at ${place}`).rejects.toMatchObject({ code: 'non-finite' });
      }
    }
    const block = oddBlock(SHORT_BINS, 4, 1);
    expect(compareBlock(await engine.process(block), block, SHORT_BINS)).toEqual([]);
  });

  test('NaN outside of the segments is nobody’s', async () => {
    const block = oddBlock(SHORT_BINS, 4, 2);
    const padded = new Float32Array(block.samples.length + 1).fill(Number.NaN);
    padded.set(block.samples);
    const moments = await engine.process({ ...block, samples: padded });
    expect(compareBlock(moments, block, SHORT_BINS)).toEqual([]);
  });

  test('zeros', async () => {
    const samples = new Float32Array(2 * half);
    const { mean, m2, time } = await engine.process({
      samples,
      segments: [{ offset: 0, slices }],
      clipLevel: 1,
    });
    expect(mean.every((v) => v === 0) && m2.every((v) => v === 0)).toBe(true);
    expect(time).toMatchObject({ samples: half, minI: 0, maxQ: 0, sumII: 0, clipped: 0 });
  });

  test.each([1e-30, 1e-12, 1, 1e6, 1e30])('noise of %f V', async (sigma) => {
    const block = { ...oddBlock(SHORT_BINS, 7, 4, sigma), clipLevel: 2 * sigma };
    expect(compareBlock(await engine.process(block), block, SHORT_BINS)).toEqual([]);
  });

  /** WGSL may flush denormals, so a sample may be off by the smallest normal number, and no answer is NaN. */
  test('denormals are taken as they are or as zero', async () => {
    const samples = gaussian(2 * half, 9, 1e-40);
    expect(bits(0x007fffff)).toBeGreaterThan(samples.reduce((a, b) => Math.max(a, b)));
    const total = emptyMoments(SHORT_BINS);
    addBlock(
      total,
      await engine.process({ samples, segments: [{ offset: 0, slices }], clipLevel: Infinity }),
    );
    const most = 2 * (SHORT_BINS * 2 ** -126) ** 2;
    expect(total.mean.every((v) => v >= 0 && v <= most)).toBe(true);
    expect(total.m2.every((v) => v >= 0)).toBe(true);
  });

  test('denormals beside ordinary samples change nothing', async () => {
    const block = oddBlock(SHORT_BINS, 7, 5);
    for (let k = 0; k < block.samples.length; k += 3) block.samples[k] = 1e-42;
    expect(compareBlock(await engine.process(block), block, SHORT_BINS)).toEqual([]);
  });

  test('the level of clipping is inclusive, and of both signs', async () => {
    const samples = new Float32Array(2 * half);
    samples.set([0.1, -0.1, 0.2, Math.fround(0.1) - 1e-7], 3);
    const { time } = await engine.process({
      samples,
      segments: [{ offset: 0, slices }],
      clipLevel: Math.fround(0.1),
    });
    expect(time.clipped).toBe(3);
  });

  test('blocks in flight at the same time do not mix', async () => {
    const blocks = Array.from({ length: 10 }, (_, k) => oddBlock(SHORT_BINS, 1 + 7 * k, 20 + k));
    const answers = await Promise.all(blocks.map((block) => engine.process(block)));
    answers.forEach((moments, k) => {
      expect(compareBlock(moments, blocks[k] as EngineBlock, SHORT_BINS), `block ${k}`).toEqual([]);
    });
  });

  test.each([
    ['no segment', []],
    ['a segment beyond the samples', [{ offset: 1, slices }]],
    ['a negative offset', [{ offset: -1, slices: 1 }]],
    ['a broken offset', [{ offset: 0.5, slices: 1 }]],
    ['no slices', [{ offset: 0, slices: 0 }]],
  ])('%s is a bad block', async (_, segments) => {
    const samples = gaussian(2 * half, 1);
    await expect(engine.process({ samples, segments, clipLevel: 1 })).rejects.toMatchObject({
      code: 'bad-block',
    });
  });
});

describe('chunks', () => {
  test('a block of many chunks equals its parts', async () => {
    const engine = await createGpuEngine(await dawn(), options);
    // A software adapter takes 1920 slices of this length at a time.
    const large = cutBlock(gaussian(2 * 4500 * SHORT_BINS, 8), SHORT_BINS, 0, 4500, 2);
    expect(compareBlock(await engine.process(large), large, SHORT_BINS)).toEqual([]);
    const odd = oddBlock(SHORT_BINS, 2100, 9);
    expect(compareBlock(await engine.process(odd), odd, SHORT_BINS)).toEqual([]);
    const small = oddBlock(SHORT_BINS, 3, 3);
    expect(compareBlock(await engine.process(small), small, SHORT_BINS)).toEqual([]);
    await engine.dispose();
  });
});

describe('as on a real adapter', () => {
  test('hundreds of workgroups and the whole block in one dispatch give the same', async () => {
    const engine = await createGpuEngine(spyOn(await dawn(), { fallback: false }).gpu, options);
    for (const slices of [3, 170, 2500]) {
      const block = oddBlock(SHORT_BINS, slices, slices);
      expect(compareBlock(await engine.process(block), block, SHORT_BINS), `${slices} slices`).toEqual([]);
    }
    await engine.dispose();
  });
});

describe('faults', () => {
  const pendingBlocks = (engine: GpuEngine, n: number): Promise<BlockMoments>[] =>
    Array.from({ length: n }, (_, k) => engine.process(oddBlock(SHORT_BINS, 40, k + 1)));
  const codes = async (pending: readonly Promise<unknown>[]): Promise<unknown[]> =>
    (await Promise.allSettled(pending)).map((r) => (r.status === 'rejected' ? r.reason.code : 'answered'));

  test('a lost device rejects what is pending, and what comes later', async () => {
    const spy = spyOn(await dawn());
    const engine = await createGpuEngine(spy.gpu, options);
    const pending = pendingBlocks(engine, 5);
    spy.devices[0]?.destroy();
    expect(await codes(pending)).toEqual(Array(5).fill('device-lost'));
    expect(await codes(pendingBlocks(engine, 1))).toEqual(['device-lost']);
    expect((await engine.ended).code).toBe('device-lost');
    await engine.dispose();
  });

  test('a shut-down engine rejects with `disposed`', async () => {
    const engine = await createGpuEngine(await dawn(), options);
    const settled = codes(pendingBlocks(engine, 4));
    await engine.dispose();
    expect(await settled).toEqual(Array(4).fill('disposed'));
    expect(await codes(pendingBlocks(engine, 1))).toEqual(['disposed']);
  });

  test('an error that nobody waited for ends the engine', async () => {
    const spy = spyOn(await dawn());
    const engine = await createGpuEngine(spy.gpu, options);
    const device = spy.devices[0] as GPUDevice;
    const pending = pendingBlocks(engine, 2);
    // A real one: no buffer may be both read by the host and used as a uniform.
    device.createBuffer({ size: 16, usage: 0x0001 | 0x0040 });
    expect(await codes(pending)).toEqual(['unavailable', 'unavailable']);
    await engine.dispose();
  });

  test('a GPU without memory left ends the engine with `out-of-memory`', async () => {
    const spy = spyOn(await dawn());
    const engine = await createGpuEngine(spy.gpu, options);
    spy.memoryGone = true;
    // The first lane exists since the self-test; the others are made now.
    expect(await codes(pendingBlocks(engine, 3))).toEqual(Array(3).fill('out-of-memory'));
    expect((await engine.ended).code).toBe('out-of-memory');
  });

  test.each([
    ['a wrong twiddle', (text: string) => text.replace('twiddles[8u', 'twiddles[9u')],
    ['bins in another order', (text: string) => text.replace('bins / 2u', '0u')],
    [
      'slices left out',
      (text: string) => text.replace('s += params.workgroups', 's += 2u * params.workgroups'),
    ],
  ])('a kernel with %s fails its self-test', async (_, kernel) => {
    const spy = spyOn(await dawn(), { kernel });
    await expect(createGpuEngine(spy.gpu, options)).rejects.toMatchObject({ code: 'self-test' });
    await expect(spy.devices[0]?.lost).resolves.toMatchObject({ reason: 'destroyed' });
  });

  test('a kernel that does not compile, no adapter, and a length that the GPU does not do', async () => {
    const gpu = await dawn();
    const broken = spyOn(gpu, { kernel: (text) => text.replace('fn spectrum', 'fn spektrum') });
    await expect(createGpuEngine(broken.gpu, options)).rejects.toMatchObject({ code: 'unavailable' });
    const none = spyOn(gpu, { adapterThere: () => false });
    await expect(createGpuEngine(none.gpu, options)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(createGpuEngine(gpu, { ...options, bins: 6144 })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  test('no buffer is made after the first round of blocks', async () => {
    const spy = spyOn(await dawn());
    const engine = await createGpuEngine(spy.gpu, options);
    await Promise.all(pendingBlocks(engine, 6));
    const made = spy.buffers;
    for (let round = 0; round < 10; round++) await Promise.all(pendingBlocks(engine, 6));
    expect(spy.buffers).toBe(made);
    await engine.dispose();
  });
});
