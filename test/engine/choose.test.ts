/** The choice of the engine without a GPU: what is said, and that the CPU engine follows. */
import { expect, test } from 'vitest';
import { createEngine, diagnoseGpu, surroundingsHere } from '../../web/engine/choose.ts';

const noAdapter = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
const options = { bins: 256, window: 'none', workers: 1 } as const;

test('causes are told apart in the order in which they hide each other', async () => {
  const why = async (secure: boolean | undefined, gpu: GPU | undefined) => diagnoseGpu({ secure, gpu });
  expect(await why(false, undefined)).toMatchObject({
    kind: 'insecure',
    why: expect.stringContaining('https'),
  });
  expect(await why(false, noAdapter)).toMatchObject({ kind: 'insecure' });
  expect(await why(true, undefined)).toMatchObject({
    kind: 'no-webgpu',
    why: expect.stringContaining('113'),
  });
  expect(await why(undefined, undefined)).toMatchObject({ kind: 'no-webgpu', why: 'Node has no WebGPU' });
  expect(await why(true, noAdapter)).toMatchObject({
    kind: 'no-adapter',
    why: expect.stringContaining('--enable-unsafe-webgpu'),
  });
});

test('Node has no page and no GPU', () => {
  expect(surroundingsHere()).toEqual({ secure: undefined, gpu: undefined });
});

test.each([
  ['auto', 256, 'Node has no WebGPU'],
  ['gpu', 256, 'Node has no WebGPU'],
  ['cpu', 256, 'the CPU was asked for'],
  ['auto', 6144, 'the GPU transforms 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096 bins, not 6144'],
] as const)('prefer %s with %i bins: the CPU, because %s', async (prefer, bins, why) => {
  const engine = await createEngine({ ...options, bins, prefer });
  expect(engine.description).toMatchObject({ kind: 'wasm', why });
  const samples = new Float32Array(2 * bins);
  samples[0] = 1;
  const { count, mean } = await engine.process({
    samples,
    segments: [{ offset: 0, slices: 1 }],
    clipLevel: 1,
  });
  expect([count, mean[0], mean[bins - 1]]).toEqual([1, 1, 1]);
  await engine.dispose();
});
