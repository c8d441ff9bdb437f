/** The CPU engines keep nothing of a block. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { startNodeWorker } from '../../web/engine/pool-node.ts';
import { gaussian } from './accuracy.ts';
import { GROWTH_LIMIT_BYTES, runBlocks, usedBytes } from './steady.ts';
import { bundleWorker, type WorkerBundle } from './worker-bundle.ts';

const BINS = 256;
const SLICES = 8;
const BLOCKS = 2000;

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
  const before = await usedBytes();
  await runBlocks(engine, BLOCKS, block);
  const grown = (await usedBytes()) - before;
  process.stdout.write(`${kind}, ${workers} workers: ${BLOCKS} blocks left ${grown} bytes\n`);
  expect(grown).toBeLessThan(GROWTH_LIMIT_BYTES);
  await engine.dispose();
});
