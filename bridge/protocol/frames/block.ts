/**
 * Block frame: one lease, bridge → processor.
 *
 *    0          4            8       12      16     20     24           32         36       40
 *   ┌──────────┬────────────┬───────┬───────┬──────┬──────┬────────────┬──────────┬────────┬───────────────┐
 *   │ prefix   │ header     │ block │ epoch │ file │ bins │ clip level │ segments │ slices │ slices of each│
 *   │ 'HS' v 1 │ bytes  u32 │  u32  │  u32  │ u32  │ u32  │ f64        │ u32      │ u32    │ segment, u32  │
 *   └──────────┴────────────┴───────┴───────┴──────┴──────┴────────────┴──────────┴────────┴───────────────┘
 *   zeros to a multiple of 16 = header bytes
 *   ┌──────────────── segment 0 ────────────────┬── segment 1 …
 *   │ I f32 [slices, bins] │ Q f32 [slices, bins] │
 *   └──────────────────────┴──────────────────────┴──
 *
 * Only the header is built here. The segments follow it on the wire as they came from the log, as fragments of
 * the same WebSocket message, and are never copied together by the bridge.
 */
import { type BlockFrame, FrameError, type FrameSegment } from '../frames.ts';
import { BYTES_PER_IQ_SAMPLE, isSupportedLength, MAX_BLOCK_BYTES, sliceBytes } from '../geometry.ts';
import { alignUp, asUint32, expectLength, expectZeros, openFrame, within, writePrefix } from './prefix.ts';

const FIXED_BYTES = 40;

/** What the header tells of a lease; the samples follow it in the order of `segments`. */
export interface BlockHeader {
  readonly block: number;
  readonly epoch: number;
  readonly file: number;
  readonly bins: number;
  /** Volts; Infinity counts no sample as clipped. */
  readonly clipLevel: number;
  readonly segments: readonly { readonly slices: number }[];
}

/** Length of the header with its segment table: where the first sample lies. */
export const blockHeaderBytes = (segments: number): number => alignUp(FIXED_BYTES + 4 * segments);

/**
 * Most bytes of a block frame: the samples, and a table with one segment per slice at the shortest slice length.
 * A receiver's limit on the length of a message.
 */
export const MAX_BLOCK_FRAME_BYTES = MAX_BLOCK_BYTES + blockHeaderBytes(MAX_BLOCK_BYTES / sliceBytes(256));

/** @throws {RangeError} where a number does not fit its field */
export function encodeBlockHeader(header: BlockHeader): Uint8Array<ArrayBuffer> {
  const bytes = blockHeaderBytes(header.segments.length);
  const frame = new Uint8Array(bytes);
  const view = new DataView(frame.buffer);
  writePrefix(view, 'block');
  view.setUint32(4, bytes, true);
  view.setUint32(8, asUint32('block', header.block), true);
  view.setUint32(12, asUint32('epoch', header.epoch), true);
  view.setUint32(16, asUint32('file', header.file), true);
  view.setUint32(20, asUint32('bins', header.bins), true);
  view.setFloat64(24, header.clipLevel, true);
  view.setUint32(32, asUint32('segments', header.segments.length), true);
  let slices = 0;
  let at = FIXED_BYTES;
  for (const segment of header.segments) {
    view.setUint32(at, asUint32('slices', segment.slices), true);
    slices += segment.slices;
    at += 4;
  }
  view.setUint32(36, asUint32('slices', slices), true);
  return frame;
}

/**
 * The received frame; `samples` is a view into it, no copy.
 * @throws {FrameError} every code
 */
export function decodeBlock(data: ArrayBuffer): BlockFrame {
  const view = openFrame(data, 'block', FIXED_BYTES);
  const bins = view.getUint32(20, true);
  if (!isSupportedLength(bins))
    throw new FrameError('out-of-range', `no engine transforms slices of ${bins} samples`);
  const clipLevel = view.getFloat64(24, true);
  if (!(clipLevel > 0))
    throw new FrameError('out-of-range', `clip level should be positive, found ${clipLevel}`);
  const mostSlices = Math.floor(MAX_BLOCK_BYTES / sliceBytes(bins));
  const count = within('segments', view.getUint32(32, true), 1, mostSlices);
  const slices = within('slices', view.getUint32(36, true), 1, mostSlices);
  const headerBytes = blockHeaderBytes(count);
  within('header bytes', view.getUint32(4, true), headerBytes, headerBytes);
  expectLength(data, 'block', headerBytes + slices * sliceBytes(bins));
  expectZeros(data, FIXED_BYTES + 4 * count, headerBytes);
  return {
    block: view.getUint32(8, true),
    epoch: view.getUint32(12, true),
    file: view.getUint32(16, true),
    bins,
    clipLevel,
    segments: readSegments(view, count, slices, bins),
    samples: new Float32Array(data, headerBytes),
  };
}

function readSegments(view: DataView, count: number, slices: number, bins: number): FrameSegment[] {
  const segments: FrameSegment[] = [];
  let before = 0;
  for (let i = 0; i < count; i++) {
    const own = within('slices of a segment', view.getUint32(FIXED_BYTES + 4 * i, true), 1, slices - before);
    segments.push({ offset: (before * bins * BYTES_PER_IQ_SAMPLE) / 4, slices: own });
    before += own;
  }
  if (before !== slices)
    throw new FrameError('out-of-range', `the segments hold ${before} slices, the header says ${slices}`);
  return segments;
}
