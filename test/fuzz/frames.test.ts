/** Binary frames: a codec accepts exactly what its drawing allows, and reads what is there. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { decodeBlock, encodeBlockHeader } from '../../bridge/protocol/frames/block.ts';
import { decodeMoments, encodeMoments } from '../../bridge/protocol/frames/moments.ts';
import { decodeSpectrum, encodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import { FrameError } from '../../bridge/protocol/frames.ts';
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import { anyMoments, anySpectrum, BINS, blockFrame } from '../protocol/samples.ts';
import { fuzz } from './fuzz.ts';
import { asArrayBuffer, damaged } from './mutations.ts';
import {
  readBlock,
  readMoments,
  readSpectrum,
  type WireBlock,
  type WireMoments,
  type WireSpectrum,
} from './wire.ts';

const TRACES = ['latest', 'progress', 'run'];

const hex = (view: Float32Array): string =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');

/** What the codec says; null where it refuses as it should, by a `FrameError`. */
function accepted<T>(decode: (data: ArrayBuffer) => T, bytes: Buffer): T | null {
  try {
    return decode(asArrayBuffer(bytes));
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return null;
  }
}

/** In the order of the drawing. */
const timeText = (time: TimeSums): string =>
  [
    time.samples,
    time.minI,
    time.maxI,
    time.minQ,
    time.maxQ,
    time.clipped,
    time.sumI,
    time.sumQ,
    time.sumII,
    time.sumQQ,
    time.sumIQ,
  ].join();

function momentsOf(bytes: Buffer): WireMoments | null {
  const frame = accepted(decodeMoments, bytes);
  if (frame === null) return null;
  const { block, epoch, computeMs, moments } = frame;
  const { count, scaleExponent, mean, m2, time } = moments;
  return {
    block,
    epoch,
    count,
    scaleExponent,
    computeMs: String(computeMs),
    time: timeText(time),
    mean: hex(mean),
    m2: hex(m2),
  };
}

function blockOf(bytes: Buffer): WireBlock | null {
  const frame = accepted(decodeBlock, bytes);
  if (frame === null) return null;
  const { segments, samples, ...same } = frame;
  let offset = 0;
  for (const segment of segments) {
    expect(segment.offset).toBe(offset);
    offset += segment.slices * frame.bins * 2;
  }
  return { ...same, segments: segments.map(({ slices }) => slices), samples: hex(samples) };
}

function spectrumOf(bytes: Buffer): WireSpectrum | null {
  const frame = accepted(decodeSpectrum, bytes);
  if (frame === null) return null;
  const { trace, newestUtcMs, time, mean, std, ...same } = frame;
  return {
    ...same,
    trace: TRACES.indexOf(trace),
    newestUtcMs: String(newestUtcMs),
    time: timeText(time),
    mean: hex(mean),
    std: hex(std),
  };
}

const anyBlock = fc
  .record({
    block: fc.nat(),
    epoch: fc.nat(),
    file: fc.nat(),
    bins: fc.constant(BINS),
    clipLevel: fc.oneof(fc.constant(Infinity), fc.double({ min: Number.MIN_VALUE, noNaN: true })),
    segments: fc.array(fc.record({ slices: fc.integer({ min: 1, max: 2 }) }), { minLength: 1, maxLength: 3 }),
  })
  .map((header) => {
    const slices = header.segments.reduce((sum, segment) => sum + segment.slices, 0);
    return blockFrame(encodeBlockHeader(header), slices * BINS * 2);
  });

fuzz('moments frames', damaged(anyMoments.map(encodeMoments)), (bytes) => {
  expect(momentsOf(bytes)).toEqual(readMoments(bytes));
});

fuzz('block frames', damaged(anyBlock), (bytes) => {
  expect(blockOf(bytes)).toEqual(readBlock(bytes));
});

fuzz('spectrum frames', damaged(anySpectrum.map(encodeSpectrum)), (bytes) => {
  expect(spectrumOf(bytes)).toEqual(readSpectrum(bytes));
});

const withPrefix = fc
  .tuple(
    fc.constantFrom([], [0x48, 0x53, 2, 1], [0x48, 0x53, 2, 2], [0x48, 0x53, 2, 3]),
    fc.uint8Array({ maxLength: 400 }),
  )
  .map(([prefix, rest]) => Buffer.from([...prefix, ...rest]));

fuzz('arbitrary bytes as frames', withPrefix, (bytes) => {
  expect(momentsOf(bytes)).toEqual(readMoments(bytes));
  expect(blockOf(bytes)).toEqual(readBlock(bytes));
  expect(spectrumOf(bytes)).toEqual(readSpectrum(bytes));
});
