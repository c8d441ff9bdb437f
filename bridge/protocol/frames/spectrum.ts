/**
 * Spectrum frame: one trace as it is published, bridge → every client.
 *
 *    0          4      8          12     16      20         24        32            40      41        42
 *   ┌──────────┬──────┬──────────┬──────┬───────┬──────────┬─────────┬─────────────┬───────┬─────────┬─────────┐
 *   │ prefix   │ bins │ sequence │ file │ files │ slices   │ slices  │ newest UTC  │ trace │ length  │ 6 zeros │
 *   │ 'HS' v 3 │ u32  │ u32      │ u32  │ u32   │ expected │ f64     │ ms, f64     │ u8    │ of run  │         │
 *   │          │      │          │      │       │ u32      │         │             │       │ u8      │         │
 *   └──────────┴──────┴──────────┴──────┴───────┴──────────┴─────────┴─────────────┴───────┴─────────┴─────────┘
 *   48                          136       144
 *   ┌──────────────────────────┬─────────┬───────────────────────────────────────┬──────────────────┬─────────────────┐
 *   │ time-domain sums, 11 f64 │ 8 zeros │ run, ASCII, zeros to a multiple of 16 │ mean, f32 [bins] │ std, f32 [bins] │
 *   └──────────────────────────┴─────────┴───────────────────────────────────────┴──────────────────┴─────────────────┘
 *
 * `slices` is a float64 because a run outlives 2^32 slices after 76 days.
 */
import { FrameError, type SpectrumFrame, type Trace } from '../frames.ts';
import { isSupportedLength } from '../geometry.ts';
import { isRunName, MAX_RUN_NAME_LENGTH } from '../run-name.ts';
import { alignUp, asUint32, expectLength, expectZeros, openFrame, within, writePrefix } from './prefix.ts';
import { readTimeSums, TIME_SUMS_BYTES, writeTimeSums } from './time-sums.ts';

const TIME_AT = 48;
const FIXED_BYTES = 144;
const TRACES = ['latest', 'progress', 'run'] as const satisfies readonly Trace[];

const spectrumFrameBytes = (runLength: number, bins: number): number =>
  FIXED_BYTES + alignUp(runLength) + 2 * 4 * bins;

/** @throws {RangeError} where a number does not fit its field, mean and std differ in length, or the run has no name */
export function encodeSpectrum(frame: SpectrumFrame): Uint8Array<ArrayBuffer> {
  const bins = frame.mean.length;
  if (frame.std.length !== bins)
    throw new RangeError(`mean has ${bins} bins but std has ${frame.std.length}`);
  if (!isRunName(frame.run)) throw new RangeError(`"${frame.run}" is no name of a run`);
  const bytes = new Uint8Array(spectrumFrameBytes(frame.run.length, bins));
  const view = new DataView(bytes.buffer);
  writePrefix(view, 'spectrum');
  view.setUint32(4, bins, true);
  view.setUint32(8, asUint32('sequence', frame.sequence), true);
  view.setUint32(12, asUint32('file', frame.file), true);
  view.setUint32(16, asUint32('files', frame.files), true);
  view.setUint32(20, asUint32('slices expected', frame.slicesExpected), true);
  view.setFloat64(24, frame.slices, true);
  view.setFloat64(32, frame.newestUtcMs, true);
  view.setUint8(40, TRACES.indexOf(frame.trace));
  view.setUint8(41, frame.run.length);
  writeTimeSums(view, TIME_AT, frame.time);
  for (let i = 0; i < frame.run.length; i++) bytes[FIXED_BYTES + i] = frame.run.charCodeAt(i);
  const meanAt = FIXED_BYTES + alignUp(frame.run.length);
  new Float32Array(bytes.buffer, meanAt, bins).set(frame.mean);
  new Float32Array(bytes.buffer, meanAt + 4 * bins, bins).set(frame.std);
  return bytes;
}

/**
 * The received frame; `mean` and `std` are views into it.
 * @throws {FrameError} every code
 */
export function decodeSpectrum(data: ArrayBuffer): SpectrumFrame {
  const view = openFrame(data, 'spectrum', FIXED_BYTES);
  const bins = view.getUint32(4, true);
  if (!isSupportedLength(bins))
    throw new FrameError('out-of-range', `no engine transforms slices of ${bins} samples`);
  const runLength = within('length of run', view.getUint8(41), 1, MAX_RUN_NAME_LENGTH);
  expectLength(data, 'spectrum', spectrumFrameBytes(runLength, bins));
  expectZeros(data, 42, TIME_AT);
  expectZeros(data, TIME_AT + TIME_SUMS_BYTES, FIXED_BYTES);
  const meanAt = FIXED_BYTES + alignUp(runLength);
  expectZeros(data, FIXED_BYTES + runLength, meanAt);
  const trace = TRACES[view.getUint8(40)];
  if (trace === undefined)
    throw new FrameError(
      'out-of-range',
      `there are ${TRACES.length} traces, found number ${view.getUint8(40)}`,
    );
  return {
    sequence: view.getUint32(8, true),
    trace,
    run: readRun(data, runLength),
    file: view.getUint32(12, true),
    files: view.getUint32(16, true),
    slices: within('slices', view.getFloat64(24, true), 0, Number.MAX_SAFE_INTEGER),
    slicesExpected: view.getUint32(20, true),
    newestUtcMs: view.getFloat64(32, true),
    time: readTimeSums(view, TIME_AT),
    mean: new Float32Array(data, meanAt, bins),
    std: new Float32Array(data, meanAt + 4 * bins, bins),
  };
}

function readRun(data: ArrayBuffer, length: number): string {
  const run = String.fromCharCode(...new Uint8Array(data, FIXED_BYTES, length));
  if (!isRunName(run)) throw new FrameError('out-of-range', `"${run}" is no name of a run`);
  return run;
}
