/** Every kernel against its float64 twin, in Dawn. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mergeTwin } from '../../shaders/merge.twin.ts';
import { gpuLengths } from '../../shaders/plan.ts';
import { PARAMS_BYTES, SUM_FIELDS } from '../../shaders/spectrum.ts';
import { spectrumTwin } from '../../shaders/spectrum.twin.ts';
import { BUFFER_USAGE, MAP_MODE_READ } from '../../web/engine/gpu/flags.ts';
import { MERGE_PARAMS_BYTES, MergePass } from '../../web/engine/gpu/merge-pass.ts';
import { SpectrumPass } from '../../web/engine/gpu/spectrum-pass.ts';
import { windowCoefficients } from '../../bridge/protocol/window.ts';
import { gaussian } from '../engine/accuracy.ts';
import { dawn } from './dawn.ts';

/**
 * Of one workgroup's few slices: float32's transform errs by 1.2e-7 of the rms amplitude (see accuracy.ts), in
 * the worst of 4096 bins by five times that, and power twice as much. Relative to the bin and the mean over all.
 */
const FEW_SLICES_TOLERANCE = 1.5e-6;
/** M2 holds differences of powers: once more the factor of two. */
const FEW_SLICES_M2_TOLERANCE = 3e-6;
/** Per-slice sums of a thread are 16 terms, the tree adds eight roundings. */
const SUM_TOLERANCE = 1e-6;
/** A handful of roundings. */
const MERGE_TOLERANCE = 5e-7;

let device: GPUDevice;
beforeAll(async () => {
  const adapter = await (await dawn()).requestAdapter();
  if (adapter === null) throw new Error('no WebGPU adapter');
  device = await adapter.requestDevice();
});
afterAll(() => device.destroy());

const { storage, uniform, copySource, copyTarget, mapRead } = BUFFER_USAGE;

const make = (size: number, usage: number = storage): GPUBuffer =>
  device.createBuffer({ size, usage: usage | copySource | copyTarget });

function filled(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = make(data.byteLength);
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

async function read(source: GPUBuffer): Promise<Float32Array> {
  const target = device.createBuffer({ size: source.size, usage: mapRead | copyTarget });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, target, 0, source.size);
  device.queue.submit([encoder.finish()]);
  await target.mapAsync(MAP_MODE_READ);
  return new Float32Array(target.getMappedRange().slice(0));
}

/** Worst |actual − expected| relative to expected + average of expected. */
function worst(actual: ArrayLike<number>, expected: Float64Array): number {
  const average = expected.reduce((a, b) => a + b, 0) / expected.length;
  return expected.reduce((most, should, k) => {
    const error = Math.abs((actual[k] as number) - should) / (should + average);
    return Number.isNaN(error) ? Infinity : Math.max(most, error);
  }, 0);
}

const WORKGROUPS = 2;
const SLICES = 5;
const SCALE_EXPONENT = -3;
const FIRST_PARTIAL = 1;

test.each([...gpuLengths.map((bins) => [bins, 'none'] as const), [768, 'hann'] as const])(
  'spectrum of %i bins, window %s',
  { timeout: 60_000 },
  async (bins, window) => {
    const samples = gaussian(2 * SLICES * bins + 3, bins);
    // Slices in reverse order, I and Q apart, none of it on a boundary.
    const slices = Array.from({ length: SLICES }, (_, s) => {
      const i = 3 + (SLICES - 1 - s) * bins;
      return [i, i + SLICES * bins] as const;
    });
    const taper = window === 'none' ? undefined : Float32Array.from(windowCoefficients(window, bins));
    const pass = await SpectrumPass.create(device, bins, taper);
    const records = FIRST_PARTIAL + WORKGROUPS;
    const buffers = {
      samples: filled(samples),
      slices: filled(Uint32Array.from(slices.flat())),
      moments: make(records * bins * 8),
      sums: make(records * SUM_FIELDS.length * 4),
      params: make(PARAMS_BYTES, uniform),
    };
    const clip = new Float32Array([2]);
    pass.writeParams(buffers.params, {
      slices: SLICES,
      workgroups: WORKGROUPS,
      firstPartial: FIRST_PARTIAL,
      clipBits: new Uint32Array(clip.buffer)[0] as number,
      scaleExponent: SCALE_EXPONENT,
    });
    const encoder = device.createCommandEncoder();
    pass.run(encoder, pass.bind('test', buffers), WORKGROUPS);
    device.queue.submit([encoder.finish()]);
    const moments = await read(buffers.moments);
    const sums = await read(buffers.sums);

    const twins = spectrumTwin({
      bins,
      samples,
      slices,
      workgroups: WORKGROUPS,
      scale: 2 ** SCALE_EXPONENT,
      clipLevel: 2,
      ...(taper && { taper }),
    });
    expect(moments.slice(0, FIRST_PARTIAL * 2 * bins).every((v) => v === 0)).toBe(true);
    for (const [g, twin] of twins.entries()) {
      const row = (FIRST_PARTIAL + g) * 2 * bins;
      expect(worst(moments.subarray(row, row + bins), twin.mean)).toBeLessThan(FEW_SLICES_TOLERANCE);
      expect(worst(moments.subarray(row + bins, row + 2 * bins), twin.m2)).toBeLessThan(
        FEW_SLICES_M2_TOLERANCE,
      );
      for (const [i, field] of SUM_FIELDS.entries()) {
        const is = sums[(FIRST_PARTIAL + g) * SUM_FIELDS.length + i] as number;
        const room = field.startsWith('mean') ? SUM_TOLERANCE * (twin.meanII + twin.meanQQ) : 0;
        expect(Math.abs(is - twin[field]), `${field}: ${is}, not ${twin[field]}`).toBeLessThanOrEqual(room);
      }
    }
  },
);

test.each([1, 2, 31, 33, 500])('merge of %i partials', async (partials) => {
  const bins = 768;
  const record = SUM_FIELDS.length;
  const counts = Array.from({ length: partials }, (_, g) => 1 + (g % 7));
  const random = gaussian(2 * partials * bins, partials);
  // A mean much larger than its spread, as in a DC bin, and M2 of the size that belongs to the spread.
  const moments = random.map((v, i) => (Math.floor(i / bins) % 2 === 0 ? 1000 + v : v * v));
  const sums = new Float32Array(partials * record);
  counts.forEach((n, g) => {
    sums[g * record] = n;
  });
  const pass = await MergePass.create(device, bins);
  const buffers = {
    moments: filled(moments),
    sums: filled(sums),
    merged: make(8 * bins),
    params: make(MERGE_PARAMS_BYTES, uniform),
  };
  pass.writeParams(
    buffers.params,
    partials,
    counts.reduce((a, b) => a + b, 0),
  );
  const encoder = device.createCommandEncoder();
  pass.run(encoder, pass.bind('test', buffers));
  device.queue.submit([encoder.finish()]);
  const merged = await read(buffers.merged);

  const twin = mergeTwin(
    bins,
    counts.map((slices, g) => ({
      slices,
      mean: moments.subarray(2 * g * bins, (2 * g + 1) * bins),
      m2: moments.subarray((2 * g + 1) * bins, (2 * g + 2) * bins),
    })),
  );
  expect(worst(merged.subarray(0, bins), twin.mean)).toBeLessThan(MERGE_TOLERANCE);
  // The mean is rounded to 1 u of 1000 = 6e-5 against a spread of 1: second order in M2, n·(6e-5)².
  expect(worst(merged.subarray(bins), twin.m2)).toBeLessThan(MERGE_TOLERANCE);
});
