/** The engines in a real Chromium: with the software adapter, without WebGPU, and on an insecure page. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openPage, startChromium } from '../browser/chromium.ts';
import { formatRow } from '../engine/accuracy.ts';
import { type PageServer, servePage } from './page-server.ts';
import type { Answer, Task } from './page/tasks.ts';

let server: PageServer;
let browser: Browser;
beforeAll(async () => {
  server = await servePage();
});
afterAll(() => server.close());
afterEach(() => browser.close());

async function ask(task: Task, host = '127.0.0.1'): Promise<Answer> {
  const { page, errors } = await openPage(browser, `http://${host}:${server.port}/`);
  const answer = await page.evaluate((t: Task) => window.runTask(t), task);
  await page.close();
  if (answer.kind === 'failed') throw new Error(answer.message);
  // The browser asks for an icon by itself.
  expect(errors.filter((text) => !text.includes('404'))).toEqual([]);
  return answer;
}

describe('with the software adapter', () => {
  test('whole files in live blocks keep the table of accuracy', async () => {
    browser = await startChromium({ webgpu: true });
    const inputs = ['noise of 0.1 V', 'noise of 1e-12 V', 'DC of 100 σ'];
    const answer = await ask({ kind: 'accuracy', bins: 3072, slices: 2731, inputs });
    if (answer.kind !== 'accuracy') throw new Error(`unexpected ${answer.kind}`);
    process.stdout.write(`${answer.description.name}\n${answer.rows.map(formatRow).join('\n')}\n`);
    expect(answer.description.kind).toBe('gpu');
    expect(answer.rows.filter(({ error, tolerance }) => !(error <= tolerance))).toEqual([]);
  });

  test('it is used where it is asked for, and the CPU where it is not', async () => {
    browser = await startChromium({ webgpu: true });
    const forced = await ask({ kind: 'choose', prefer: 'gpu' });
    expect(forced).toMatchObject({ problems: [], descriptions: [{ kind: 'gpu' }] });
    const auto = await ask({ kind: 'choose', prefer: 'auto' });
    expect(auto).toMatchObject({
      problems: [],
      descriptions: [{ kind: 'wasm', why: expect.stringMatching(/the only WebGPU adapter, .* is software/) }],
    });
  });

  test('a lost device: the CPU engine answers the blocks in hand', async () => {
    browser = await startChromium({ webgpu: true });
    expect(await ask({ kind: 'lose' })).toMatchObject({
      problems: [],
      descriptions: [
        { kind: 'gpu' },
        { kind: 'wasm', why: expect.stringMatching(/the GPU was lost .* the CPU took over/) },
      ],
    });
  });
});

describe('without flags for WebGPU', () => {
  test('the CPU engine works and says which flag or driver helps', async () => {
    browser = await startChromium();
    expect(await ask({ kind: 'choose', prefer: 'auto' })).toMatchObject({
      problems: [],
      descriptions: [{ kind: 'wasm', why: expect.stringContaining('--enable-unsafe-webgpu') }],
    });
  });

  test('the pool of workers needs neither isolation headers nor shared memory', async () => {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/`);
    expect(headers.has('cross-origin-opener-policy')).toBe(false);
    expect(headers.has('cross-origin-embedder-policy')).toBe(false);
    browser = await startChromium();
    // An engine that had gone back to one thread would not be called after its workers.
    expect(await ask({ kind: 'pool', workers: 2, sizes: [30, 31, 32, 33, 1, 9] })).toEqual({
      kind: 'pool',
      description: { kind: 'wasm', name: 'WebAssembly SIMD, 2 workers', why: expect.any(String) },
      problems: [],
      isolated: false,
      sharedMemory: false,
    });
  });

  test('an insecure page blames the page and not the GPU', async () => {
    browser = await startChromium({ flags: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] });
    expect(await ask({ kind: 'choose', prefer: 'auto' }, 'insecure.test')).toMatchObject({
      problems: [],
      descriptions: [{ kind: 'wasm', why: expect.stringContaining('not a secure context') }],
    });
  });
});
