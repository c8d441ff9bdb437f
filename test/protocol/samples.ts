/** Frames with every field set, and arbitrary ones. */
import * as fc from 'fast-check';
import type { MomentsFrame, SpectrumFrame } from '../../bridge/protocol/frames.ts';

export const BINS = 256;

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const bins = fc
  .array(float32, { minLength: 1, maxLength: 16 })
  .map((few) => Float32Array.from({ length: BINS }, (_, k) => few[k % few.length] as number));
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const number = fc.double();
const timeSums = fc.record({
  samples: number,
  minI: number,
  maxI: number,
  minQ: number,
  maxQ: number,
  clipped: number,
  sumI: number,
  sumQ: number,
  sumII: number,
  sumQQ: number,
  sumIQ: number,
});

export const anyMoments: fc.Arbitrary<MomentsFrame> = fc.record({
  block: uint32,
  epoch: uint32,
  computeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  moments: fc.record({
    count: fc.integer({ min: 1, max: 1920 }),
    scaleExponent: fc.integer({ min: -160, max: 160 }),
    mean: bins,
    m2: bins,
    time: timeSums,
  }),
});

export const anySpectrum: fc.Arbitrary<SpectrumFrame> = fc.record({
  sequence: uint32,
  trace: fc.constantFrom('latest', 'progress', 'run'),
  run: fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}(~[2-9])?$/),
  file: uint32,
  files: uint32,
  slices: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  slicesExpected: uint32,
  newestUtcMs: number,
  time: timeSums,
  mean: bins,
  std: bins,
});

export const hexOf = (data: ArrayBuffer | Uint8Array, from: number, to: number): string =>
  Buffer.from(data instanceof Uint8Array ? data : new Uint8Array(data))
    .subarray(from, to)
    .toString('hex')
    .replace(/(.{8})(?=.)/g, '$1 ');

/** The bytes of a view as a buffer of their own. */
export const detach = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** A whole block frame: the header, then samples that count up. */
export function blockFrame(header: Uint8Array, samples: number): ArrayBuffer {
  const frame = new Uint8Array(header.length + 4 * samples);
  frame.set(header);
  new Float32Array(frame.buffer, header.length).set(Float32Array.from({ length: samples }, (_, i) => i));
  return frame.buffer;
}
