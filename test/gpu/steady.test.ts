/** Nothing grows with the number of blocks: buffers on the GPU are counted, heaps measured, in Dawn and Chromium. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGpuEngine } from '../../web/engine/gpu/engine.ts';
import { openPage, startChromium } from '../browser/chromium.ts';
import { GROWTH_LIMIT_BYTES, runBlocks, usage } from '../engine/steady.ts';
import { spyOn } from './adapters.ts';
import { oddBlock, SHORT_BINS } from './blocks.ts';
import { dawn } from './dawn.ts';
import { type PageServer, servePage } from './page-server.ts';
import { heapOfWorker } from './worker-heap.ts';

const BLOCKS = 2000;
const WARM_UP = 300;
const SLICES = 4;

/** Everything runs in this thread. */
const used = async (): Promise<number> => {
  const { heapBytes, bufferBytes } = await usage();
  return heapBytes + bufferBytes;
};

let server: PageServer;
beforeAll(async () => {
  server = await servePage();
});
afterAll(() => server.close());

test('in Dawn', async () => {
  const spy = spyOn(await dawn());
  const engine = await createGpuEngine(spy.gpu, { bins: SHORT_BINS, window: 'none' });
  const block = oddBlock(SHORT_BINS, SLICES, 1);
  await runBlocks(engine, WARM_UP, () => block);
  const [before, buffers] = [await used(), spy.buffers];
  await runBlocks(engine, BLOCKS, () => block);
  const grown = (await used()) - before;
  process.stdout.write(`Dawn: ${BLOCKS} blocks left ${grown} bytes and ${spy.buffers - buffers} buffers\n`);
  expect(grown).toBeLessThan(GROWTH_LIMIT_BYTES);
  expect(spy.buffers).toBe(buffers);
  await engine.dispose();
});

test('in Chromium', async () => {
  const browser = await startChromium({ webgpu: true });
  const { page } = await openPage(browser, `http://127.0.0.1:${server.port}/`);
  const heap = await heapOfWorker(page);
  const run = async (blocks: number): Promise<number> => {
    const answer = await page.evaluate((n: number) => window.runTask({ kind: 'steady', blocks: n }), blocks);
    if (answer.kind !== 'steady') throw new Error(JSON.stringify(answer));
    return answer.buffers;
  };
  const buffers = await run(WARM_UP);
  const before = await heap();
  expect(await run(BLOCKS)).toBe(buffers);
  const grown = (await heap()) - before;
  process.stdout.write(`Chromium: ${BLOCKS} blocks left ${grown} bytes; ${buffers} buffers in all\n`);
  expect(grown).toBeLessThan(GROWTH_LIMIT_BYTES);
  await browser.close();
});
