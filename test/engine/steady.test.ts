/** The CPU engines keep nothing of a block. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { startNodeWorker } from '../../web/engine/pool-node.ts';
import { gaussian } from './accuracy.ts';
import { GROWTH_LIMIT_BYTES, runBlocks, usage } from './steady.ts';
import { bundleWorker, type WorkerBundle } from './worker-bundle.ts';

const BINS = 256;
const SLICES = 8;
const BLOCKS = 2000;
/** Blocks that workers are done with and have not collected yet; all that went through them are twice that. */
const WORKERS_LIMIT_BYTES = (BLOCKS * SLICES * BINS * 8) / 2;

let bundle: WorkerBundle;
beforeAll(async () => {
  bundle = await bundleWorker();
});
afterAll(() => bundle.remove());

test.each([
  ['wasm', 2],
  ['wasm', 0],
  ['ts', 0],
] as const)('%s with %i workers', async (kind, workers) => {
  const startWorker = startNodeWorker(bundle.file);
  const engine = await createCpuEngine({ bins: BINS, window: 'none', kinds: [kind], workers, startWorker });
  const samples = gaussian(2 * SLICES * BINS, 1);
  const block = () => ({ samples: samples.slice(), segments: [{ offset: 0, slices: SLICES }], clipLevel: 4 });
  await runBlocks(engine, 500, block);
  const before = await usage();
  await runBlocks(engine, BLOCKS, block);
  const after = await usage();
  const heap = after.heapBytes - before.heapBytes;
  const buffers = after.bufferBytes - before.bufferBytes;
  process.stdout.write(`${kind}, ${workers} workers: ${BLOCKS} blocks left ${heap} + ${buffers} bytes\n`);
  expect(heap).toBeLessThan(GROWTH_LIMIT_BYTES);
  expect(buffers).toBeLessThan(workers === 0 ? GROWTH_LIMIT_BYTES : WORKERS_LIMIT_BYTES);
  await engine.dispose();
});
