/**
 * Makes kafkajs encode produce requests cheaply. By itself it copies every record nine times, each time into a new
 * buffer that the garbage collector has to free, and computes the batch's CRC-32C byte by byte in JavaScript: together
 * most of a producer's CPU time. Two of its modules are changed in place, and the bytes on the wire stay the same:
 *
 *   Encoder       keeps large buffers by reference and joins them when the whole request is handed to the socket
 *   RecordBatch   forms the checksum over those pieces, in native code
 *
 *     request ─ topic ─ partition ─ batch ─ [ head │ record │ value of 1 MB, not copied │ headers ] ─▶ one join
 *
 * Only the pinned version is touched. Where anything is not as expected, kafkajs stays as it is: slower, but right.
 */

import { createRequire } from 'node:module';

/** The version whose sources this file knows; kafkajs has no maintainer any more, so there will hardly be another. */
const KAFKAJS_VERSION = '2.2.4';
/** Below this a copy costs less than one more piece. */
const KEEP_BYTES = 16 * 1024;
const NO_COMPRESSION = 0;
const TRANSACTIONAL_ATTRIBUTE = 16;
const MAGIC_BYTE = 2;

/** What an encoder has kept so far; behind it comes what is in `buf`. */
const PIECES = Symbol('pieces');

/** The part of kafkajs's encoder that is used or changed here. */
interface Encoder {
  buf: Buffer;
  /** Bytes written to `buf`. */
  offset: number;
  [PIECES]?: Buffer[];
  readonly buffer: Buffer;
  size(): number;
  writeInt8(value: number): this;
  writeInt16(value: number): this;
  writeInt32(value: number): this;
  writeUInt32(value: number): this;
  writeInt64(value: unknown): this;
  writeArray(values: readonly unknown[], type: 'object'): this;
  writeBufferInternal: (this: Encoder, buffer: Buffer) => void;
  writeEncoder(value: Encoder): this;
  writeEncoderArray(values: readonly Encoder[]): this;
}
interface EncoderClass {
  new (): Encoder;
  readonly prototype: Encoder;
}

/** As kafkajs's produce request calls it. */
interface Batch {
  readonly compression?: number;
  readonly firstTimestamp: unknown;
  readonly maxTimestamp: unknown;
  readonly transactional: boolean;
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly firstSequence?: number;
  readonly lastOffsetDelta: number;
  readonly records: readonly Encoder[];
}
type RecordBatch = (batch: Batch) => Promise<Encoder>;
type Crc32C = (bytes: Uint8Array, previous?: number) => number;

/**
 * Changes the kafkajs that `require` finds, for this process.
 * @returns null when it is in force, otherwise why it is not
 */
export function quickenEncoding(require: NodeJS.Require = createRequire(import.meta.url)): string | null {
  try {
    const { version } = require('kafkajs/package.json') as { version: string };
    if (version !== KAFKAJS_VERSION) return `expected kafkajs ${KAFKAJS_VERSION}, found ${version}`;
    // It holds the function that is replaced, from the moment it is loaded: with the first request.
    if (require.resolve('kafkajs/src/protocol/requests/produce/v3/request.js') in require.cache)
      return 'kafkajs has encoded a request before';
    const { crc32c } = require('@node-rs/crc32') as { crc32c: Crc32C };
    const Encoder = require('kafkajs/src/protocol/encoder.js') as EncoderClass;
    const module = require('kafkajs/src/protocol/recordBatch/v0/index.js') as { RecordBatch: RecordBatch };
    module.RecordBatch = recordBatchWith(Encoder, crc32c, module.RecordBatch);
    keepLargeBuffers(Encoder.prototype);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Record batch of magic 2: https://kafka.apache.org/documentation/#recordbatch
 *
 *   base offset 8 ┬ length 4 ┬ leader epoch 4 ┬ magic 1 ┬ CRC-32C 4 ┬ attributes 2 … records
 *                 └──────────▶ counts from here             └──────▶ covers from here
 */
function recordBatchWith(Encoder: EncoderClass, crc32c: Crc32C, original: RecordBatch): RecordBatch {
  return async (batch) => {
    if ((batch.compression ?? NO_COMPRESSION) !== NO_COMPRESSION) return original(batch);
    const covered = new Encoder()
      .writeInt16(batch.transactional ? TRANSACTIONAL_ATTRIBUTE : 0)
      .writeInt32(batch.lastOffsetDelta)
      .writeInt64(batch.firstTimestamp)
      .writeInt64(batch.maxTimestamp)
      .writeInt64(batch.producerId)
      .writeInt16(batch.producerEpoch)
      .writeInt32(batch.firstSequence ?? 0)
      .writeArray(batch.records, 'object');
    const counted = new Encoder()
      .writeInt32(0)
      .writeInt8(MAGIC_BYTE)
      .writeUInt32(piecesOf(covered).reduce((crc, piece) => crc32c(piece, crc), 0))
      .writeEncoder(covered);
    return new Encoder().writeInt64(0).writeInt32(counted.size()).writeEncoder(counted);
  };
}

/** Everything that was written, in order. */
const piecesOf = (encoder: Encoder): Buffer[] => [
  ...(encoder[PIECES] ?? []),
  encoder.buf.subarray(0, encoder.offset),
];

/** Replaces the methods of an encoder that append bytes or give them away; those for single values stay. */
function keepLargeBuffers(prototype: Encoder): void {
  const copy = prototype.writeBufferInternal;
  prototype.writeBufferInternal = function (buffer) {
    if (buffer.length < KEEP_BYTES) return copy.call(this, buffer);
    this[PIECES] = [...piecesOf(this), buffer];
    this.buf = this.buf.subarray(this.offset);
    this.offset = 0;
  };
  prototype.writeEncoder = function (value) {
    for (const piece of piecesOf(value)) this.writeBufferInternal(piece);
    return this;
  };
  prototype.writeEncoderArray = function (values) {
    for (const value of values) this.writeEncoder(value);
    return this;
  };
  prototype.size = function () {
    return piecesOf(this).reduce((bytes, piece) => bytes + piece.length, 0);
  };
  Object.defineProperty(prototype, 'buffer', {
    configurable: true,
    /** Joined once: it is asked for twice per request. */
    get(this: Encoder): Buffer {
      const joined = this[PIECES] === undefined ? undefined : Buffer.concat(piecesOf(this));
      if (joined === undefined) return this.buf.subarray(0, this.offset);
      this[PIECES] = [joined];
      this.buf = this.buf.subarray(this.offset);
      this.offset = 0;
      return joined;
    },
  });
}
