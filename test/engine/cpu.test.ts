import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CpuKind } from '../../web/engine/cpu-core.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { EngineError, type SpectrumEngine } from '../../web/engine/engine.ts';
import { ACCURACY_CASES, checkAccuracy, cutBlock, formatRow, gaussian } from './accuracy.ts';
import { withoutRelaxedSimd } from './relaxed-simd.ts';

/** The table of tolerances, whole files, for all implementations on the same inputs. */
describe.each(ACCURACY_CASES)('a whole file of $name', (c) => {
  const engines: SpectrumEngine[] = [];
  beforeAll(async () => {
    const make = (kind: CpuKind): Promise<SpectrumEngine> =>
      createCpuEngine({ bins: 3072, window: 'none', workers: 0, kinds: [kind] });
    engines.push(await make('wasm'), await withoutRelaxedSimd(() => make('wasm')), await make('ts'));
  });
  afterAll(async () => {
    for (const engine of engines) await engine.dispose();
  });

  test('is within tolerance as one block and in blocks of 160', async ({ annotate }) => {
    for (const engine of engines) {
      for (const slicesPerBlock of engine.description.kind === 'wasm' ? [2731, 160] : [160]) {
        const rows = await checkAccuracy(engine, { bins: 3072, slicesPerBlock, cases: [c] });
        expect(rows.length).toBe(c.line ? 4 : 2);
        const title = `${engine.description.name}, blocks of ${slicesPerBlock}`;
        await annotate([title, ...rows.map(formatRow)].join('\n  '));
      }
    }
  });
});

test('WebAssembly in this thread is chosen, says so, and ends', async () => {
  const engine = await createCpuEngine({ bins: 256, window: 'none', workers: 0 });
  expect(engine.description).toEqual({
    kind: 'wasm',
    name: 'WebAssembly SIMD',
    why: 'the CPU engine of this machine, which passed its self-test',
  });
  await engine.dispose();
  const block = cutBlock(gaussian(512, 1), 256, 0, 1);
  await expect(engine.process(block)).rejects.toMatchObject({ code: 'disposed' });
});

test('where no worker can be started the engine works in this thread and says why', async () => {
  const engine = await createCpuEngine({
    bins: 256,
    window: 'hann',
    workers: 2,
    startWorker: () => {
      throw new Error('no threads today');
    },
  });
  expect(engine.description.name).toBe('WebAssembly SIMD');
  expect(engine.description.why).toContain(
    'not WebAssembly SIMD, 2 workers: no worker can be started: no threads today',
  );
  const { count } = await engine.process(cutBlock(gaussian(512, 1), 256, 0, 1));
  expect(count).toBe(1);
});

test('without WebAssembly the TypeScript fallback runs, with the reason', async () => {
  const instantiate = vi.spyOn(WebAssembly, 'instantiate').mockRejectedValue(new Error('no SIMD'));
  try {
    const engine = await createCpuEngine({ bins: 384, window: 'none', workers: 0 });
    expect(engine.description.kind).toBe('ts');
    expect(engine.description.why).toContain('this machine runs no WebAssembly SIMD: no SIMD');
  } finally {
    instantiate.mockRestore();
  }
});

test('lengths that are not 2^a·3^b are refused', async () => {
  const made = createCpuEngine({ bins: 1000, window: 'none', workers: 0 });
  await expect(made).rejects.toThrow(EngineError);
  await expect(made).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('1000') });
});
