/**
 * Moments frame: the answer to one lease, processor → bridge.
 *
 *    0          4      8       12      16      20              24            32
 *   ┌──────────┬──────┬───────┬───────┬───────┬───────────────┬─────────────┬──────────────────────────────┐
 *   │ prefix   │ bins │ block │ epoch │ count │ scale         │ compute ms  │ time-domain sums, f64 [11]   │
 *   │ 'HS' v 2 │ u32  │ u32   │ u32   │ u32   │ exponent  i32 │ f64         │ in the order of TIME_FIELDS  │
 *   └──────────┴──────┴───────┴───────┴───────┴───────────────┴─────────────┴──────────────────────────────┘
 *   120        128
 *   ┌─────────┬──────────────────┬──────────────────┐
 *   │ 8 zeros │ mean, f32 [bins] │ M2, f32 [bins]   │
 *   └─────────┴──────────────────┴──────────────────┘
 */
import { FrameError, type MomentsFrame } from '../frames.ts';
import { isSupportedLength, MAX_BLOCK_BYTES, sliceBytes } from '../geometry.ts';
import { asUint32, expectLength, expectZeros, openFrame, within, writePrefix } from './prefix.ts';
import { readTimeSums, TIME_SUMS_BYTES, writeTimeSums } from './time-sums.ts';

const TIME_AT = 32;
const FIXED_BYTES = 128;

/**
 * Largest power of two that a block is scaled by. float32 reaches from 2^−149 to 2^128, so bringing any of it to
 * 1 takes no more than this; 2^(−2 · exponent) is then still an exact float64.
 */
const MAX_SCALE_EXPONENT = 160;

/** A processor's longest message; the limit on the length of messages from processors. */
export const momentsFrameBytes = (bins: number): number => FIXED_BYTES + 2 * 4 * bins;

/** @throws {RangeError} where a number does not fit its field, or mean and M2 differ in length */
export function encodeMoments(frame: MomentsFrame): ArrayBuffer {
  const { mean, m2, count, scaleExponent, time } = frame.moments;
  const bins = mean.length;
  if (m2.length !== bins) throw new RangeError(`mean has ${bins} bins but M2 has ${m2.length}`);
  const data = new ArrayBuffer(momentsFrameBytes(bins));
  const view = new DataView(data);
  writePrefix(view, 'moments');
  view.setUint32(4, bins, true);
  view.setUint32(8, asUint32('block', frame.block), true);
  view.setUint32(12, asUint32('epoch', frame.epoch), true);
  view.setUint32(16, asUint32('count', count), true);
  view.setInt32(20, scaleExponent, true);
  view.setFloat64(24, frame.computeMs, true);
  writeTimeSums(view, TIME_AT, time);
  new Float32Array(data, FIXED_BYTES, bins).set(mean);
  new Float32Array(data, FIXED_BYTES + 4 * bins, bins).set(m2);
  return data;
}

/**
 * The received frame; `mean` and `m2` are views into it. Whether their values make sense is the bridge's check
 * of the answer, not of the frame.
 * @throws {FrameError} every code
 */
export function decodeMoments(data: ArrayBuffer): MomentsFrame {
  const view = openFrame(data, 'moments', FIXED_BYTES);
  const bins = view.getUint32(4, true);
  if (!isSupportedLength(bins))
    throw new FrameError('out-of-range', `no engine transforms slices of ${bins} samples`);
  expectLength(data, 'moments', momentsFrameBytes(bins));
  expectZeros(data, TIME_AT + TIME_SUMS_BYTES, FIXED_BYTES);
  const count = within('count', view.getUint32(16, true), 1, Math.floor(MAX_BLOCK_BYTES / sliceBytes(bins)));
  const time = readTimeSums(view, TIME_AT);
  return {
    block: view.getUint32(8, true),
    epoch: view.getUint32(12, true),
    computeMs: within('compute ms', view.getFloat64(24, true), 0, Number.MAX_VALUE),
    moments: {
      count,
      scaleExponent: within(
        'scale exponent',
        view.getInt32(20, true),
        -MAX_SCALE_EXPONENT,
        MAX_SCALE_EXPONENT,
      ),
      mean: new Float32Array(data, FIXED_BYTES, bins),
      m2: new Float32Array(data, FIXED_BYTES + 4 * bins, bins),
      time,
    },
  };
}
