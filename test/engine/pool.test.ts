import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addBlock, emptyMoments } from '../../bridge/protocol/moments.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { WorkerPool } from '../../web/engine/pool.ts';
import type { StartWorker, WorkerPort } from '../../web/engine/pool-messages.ts';
import { startNodeWorker } from '../../web/engine/pool-node.ts';
import { cutBlock, gaussian, processInBlocks, shortBlockProblems } from './accuracy.ts';
import { referenceMoments } from './reference.ts';
import { bundleWorker, type WorkerBundle } from './worker-bundle.ts';

const BINS = 768;
const OPTIONS = { bins: BINS, window: 'none' } as const;

let bundle: WorkerBundle;
beforeAll(async () => {
  bundle = await bundleWorker();
});
afterAll(() => bundle.remove());

/** Starts real threads and remembers them, so that a test can end one behind the pool's back. */
function recorded(): { started: WorkerPort[]; startWorker: StartWorker } {
  const started: WorkerPort[] = [];
  const startWorker: StartWorker = (events) => {
    const port = startNodeWorker(bundle.file)(events);
    started.push(port);
    return port;
  };
  return { started, startWorker };
}

const samples = gaussian(2 * 50 * BINS, 11);
const expected = referenceMoments(samples, [{ offset: 0, slices: 50 }], { bins: BINS });

async function expectRight(engine: SpectrumEngine): Promise<void> {
  expect(shortBlockProblems(await processInBlocks(engine, samples, BINS, 7), expected)).toEqual([]);
}

test.each(['wasm', 'ts'] as const)('%s: blocks over two threads give what one thread gives', async (kind) => {
  const { started, startWorker } = recorded();
  const engine = await createCpuEngine({ ...OPTIONS, workers: 2, kinds: [kind], startWorker });
  try {
    expect(started).toHaveLength(2);
    expect(engine.depth).toBe(4);
    expect(engine.description).toMatchObject({ kind, name: expect.stringContaining('2 workers') });
    await expectRight(engine);
  } finally {
    await engine.dispose();
  }
});

test('a buffer comes back where it is to be kept, once, and only in its size', async () => {
  const engine = await createCpuEngine({ ...OPTIONS, workers: 2, startWorker: recorded().startWorker });
  try {
    const block = cutBlock(samples, BINS, 0, 3);
    const bytes = block.samples.byteLength;
    await engine.process(block);
    expect(engine.spareBuffer?.(bytes)).toBeUndefined();
    await engine.process({ ...cutBlock(samples, BINS, 0, 3), keepBuffer: true });
    expect(engine.spareBuffer?.(bytes)?.byteLength).toBe(bytes);
    expect(engine.spareBuffer?.(bytes)).toBeUndefined();
    await engine.process({ ...cutBlock(samples, BINS, 0, 3), keepBuffer: true });
    expect(engine.spareBuffer?.(bytes + 4)).toBeUndefined();
    // A larger buffer than its samples need, as the last block of a file has one.
    const roomy = new Float32Array(new ArrayBuffer(2 * bytes), 0, bytes / 4);
    roomy.set(cutBlock(samples, BINS, 0, 3).samples);
    const found = await engine.process({
      ...cutBlock(samples, BINS, 0, 3),
      samples: roomy,
      keepBuffer: true,
    });
    expect(found).toEqual(await engine.process(cutBlock(samples, BINS, 0, 3)));
    expect(engine.spareBuffer?.(2 * bytes)?.byteLength).toBe(2 * bytes);
  } finally {
    await engine.dispose();
  }
});

test('the samples are transferred, not copied, and a block given twice is refused', async () => {
  const engine = await createCpuEngine({ ...OPTIONS, workers: 1, startWorker: recorded().startWorker });
  try {
    const block = cutBlock(samples, BINS, 0, 3);
    const answer = engine.process(block);
    expect(block.samples.length).toBe(0);
    expect((await answer).count).toBe(3);
    await expect(engine.process(block)).rejects.toMatchObject({ code: 'bad-block' });
  } finally {
    await engine.dispose();
  }
});

test('what an engine refuses arrives with its code, and the next block is computed', async () => {
  const engine = await createCpuEngine({ ...OPTIONS, workers: 1, startWorker: recorded().startWorker });
  try {
    const bad = cutBlock(samples, BINS, 0, 2);
    bad.samples[BINS + 5] = Number.NaN;
    await expect(engine.process(bad)).rejects.toMatchObject({
      code: 'non-finite',
      message: expect.stringContaining('sample 5 of I in slice 1 of segment 0 is NaN'),
    });
    const outside = { ...cutBlock(samples, BINS, 0, 2), segments: [{ offset: 0, slices: 3 }] };
    await expect(engine.process(outside)).rejects.toMatchObject({ code: 'bad-block' });
    await expectRight(engine);
  } finally {
    await engine.dispose();
  }
});

test('a thread that dies takes its blocks with it, is replaced, and the others go on', async () => {
  const { started, startWorker } = recorded();
  const engine = await createCpuEngine({ ...OPTIONS, workers: 2, startWorker });
  try {
    const answers = [0, 1, 2, 3].map((n) => engine.process(cutBlock(samples, BINS, 10 * n, 10)));
    const settled = Promise.allSettled(answers);
    await started[0]?.terminate();
    const lost = (await settled).filter((a) => a.status === 'rejected');
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThanOrEqual(2);
    for (const { reason } of lost)
      expect(reason).toMatchObject({
        code: 'device-lost',
        message: expect.stringMatching(/a worker of the CPU engine ended .* give it again/),
      });
    expect(started).toHaveLength(3);
    await expectRight(engine);
  } finally {
    await engine.dispose();
  }
});

test('threads that die at once are not started for ever', async () => {
  const broken = join(bundle.file, '../broken.mjs');
  writeFileSync(broken, "throw new Error('broken on purpose');\n");
  let starts = 0;
  const startWorker: StartWorker = (events) => {
    starts++;
    return startNodeWorker(broken)(events);
  };
  const pool = new WorkerPool({ workers: 1, core: 'wasm', options: OPTIONS, startWorker });
  await expect(pool.process(cutBlock(samples, BINS, 0, 1))).rejects.toMatchObject({
    code: 'device-lost',
    message: expect.stringContaining('broken on purpose'),
  });
  await expect
    .poll(() => pool.process(cutBlock(samples, BINS, 0, 1)).catch((e: Error) => e.message))
    .toContain('keep ending, lastly: broken on purpose');
  expect(starts).toBeGreaterThan(1);
  expect(starts).toBeLessThan(6);
});

test('without the built script the engine says so and works in its own thread', async () => {
  const missing = join(bundle.file, '../missing.mjs');
  expect(existsSync(missing)).toBe(false);
  const engine = await createCpuEngine({ ...OPTIONS, workers: 2, startWorker: startNodeWorker(missing) });
  expect(engine.description.why).toContain('missing.mjs is missing: build the project to get worker threads');
  await expectRight(engine);
});

test('disposing rejects what is in flight and ends the threads', async () => {
  const { startWorker } = recorded();
  const engine = await createCpuEngine({ ...OPTIONS, workers: 1, startWorker });
  const answer = engine.process(cutBlock(samples, BINS, 0, 50));
  const settled = Promise.allSettled([answer]);
  await engine.dispose();
  expect(await settled).toMatchObject([{ status: 'rejected', reason: { code: 'disposed' } }]);
  await expect(engine.process(cutBlock(samples, BINS, 0, 1))).rejects.toMatchObject({ code: 'disposed' });
});

test('many files leave the memory of threads and owner as it was', async () => {
  const engine = await createCpuEngine({ ...OPTIONS, workers: 1, startWorker: recorded().startWorker });
  try {
    const run = async (blocks: number): Promise<number> => {
      const total = emptyMoments(BINS);
      for (let n = 0; n < blocks; n++) addBlock(total, await engine.process(cutBlock(samples, BINS, 0, 50)));
      return process.memoryUsage().rss;
    };
    const before = await run(200);
    const after = await run(600);
    // 600 blocks are 184 MB of samples: a leak of any tenth of them would show.
    expect(after - before).toBeLessThan(64e6);
  } finally {
    await engine.dispose();
  }
});
