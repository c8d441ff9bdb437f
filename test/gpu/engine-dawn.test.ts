/** The WebGPU engine in Dawn: the accuracy table of whole files. */
import { expect, test } from 'vitest';
import { createGpuEngine } from '../../web/engine/gpu/engine.ts';
import { ACCURACY_CASES, checkAccuracy, formatRow } from '../engine/accuracy.ts';
import { dawn } from './dawn.ts';

test('whole files in blocks of live size', async () => {
  const t0 = performance.now();
  const engine = await createGpuEngine(await dawn(), { bins: 3072, window: 'none' });
  console.log(engine.description, performance.now() - t0);
  const rows = await checkAccuracy(engine, { bins: 3072, slices: 400, slicesPerBlock: 160 });
  console.log(rows.map(formatRow).join('\n'), engine.telemetry);
  await engine.dispose();
  expect(ACCURACY_CASES.length).toBeGreaterThan(0);
});
