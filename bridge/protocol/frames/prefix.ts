/**
 * The first four bytes, the same in every frame.
 *
 *    0     1     2         3
 *   ┌─────┬─────┬─────────┬──────┐
 *   │ 'H' │ 'S' │ version │ type │
 *   └─────┴─────┴─────────┴──────┘
 */
import { FRAME_MAGIC, FRAME_TYPES, FrameError, type FrameType, PROTOCOL_VERSION } from '../frames.ts';

const PREFIX_BYTES = 4;

/** Everything that follows a header of samples or spectra starts on such a boundary of the frame. */
const ALIGNMENT_BYTES = 16;

export const alignUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

const UINT32_MAX = 0xffff_ffff;

export function writePrefix(view: DataView, type: FrameType): void {
  view.setUint16(0, FRAME_MAGIC, true);
  view.setUint8(2, PROTOCOL_VERSION);
  view.setUint8(3, FRAME_TYPES[type]);
}

/**
 * Which frame this is, without looking further than its first four bytes.
 * @throws {FrameError} `truncated`, `not-a-frame`, `version`, `type`
 */
export function frameType(data: ArrayBuffer): FrameType {
  if (data.byteLength < PREFIX_BYTES)
    throw new FrameError('truncated', `a frame has at least ${PREFIX_BYTES} bytes, found ${data.byteLength}`);
  const view = new DataView(data);
  const magic = view.getUint16(0, true);
  if (magic !== FRAME_MAGIC)
    throw new FrameError('not-a-frame', `a frame begins with the bytes 48 53, found ${hex(data, 2)}`);
  const version = view.getUint8(2);
  if (version !== PROTOCOL_VERSION)
    throw new FrameError('version', `frame of protocol version ${version}, expected ${PROTOCOL_VERSION}`);
  const code = view.getUint8(3);
  for (const [type, known] of Object.entries(FRAME_TYPES)) if (known === code) return type as FrameType;
  throw new FrameError('type', `no frame has the type ${code}`);
}

/** The frame as a view, once its prefix and the length of its fixed part are right. */
export function openFrame(data: ArrayBuffer, type: FrameType, fixedBytes: number): DataView {
  const found = frameType(data);
  if (found !== type) throw new FrameError('type', `expected a ${type} frame, found a ${found} frame`);
  if (data.byteLength < fixedBytes)
    throw new FrameError(
      'truncated',
      `a ${type} frame has at least ${fixedBytes} bytes, found ${data.byteLength}`,
    );
  return new DataView(data);
}

/** The frame's length must be what its own numbers add up to. */
export function expectLength(data: ArrayBuffer, type: FrameType, bytes: number): void {
  if (data.byteLength === bytes) return;
  throw new FrameError(
    data.byteLength < bytes ? 'truncated' : 'trailing',
    `this ${type} frame should have ${bytes} bytes, found ${data.byteLength}`,
  );
}

/** Bytes that mean nothing must be zero, so that a later version may give them a meaning. */
export function expectZeros(data: ArrayBuffer, from: number, to: number): void {
  const bytes = new Uint8Array(data, from, to - from);
  for (const [i, byte] of bytes.entries())
    if (byte !== 0) throw new FrameError('out-of-range', `byte ${from + i} should be 0, found ${byte}`);
}

/** A number of a received frame, inside its bounds. */
export function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw new FrameError('out-of-range', `${name} should be from ${least} to ${most}, found ${value}`);
}

/** A number that is about to be written into 32 bits; anything else is an error of the caller. */
export function asUint32(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= UINT32_MAX) return value;
  throw new RangeError(`${name} must be an unsigned 32-bit integer, found ${value}`);
}

const hex = (data: ArrayBuffer, bytes: number): string =>
  Array.from(new Uint8Array(data, 0, bytes), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
