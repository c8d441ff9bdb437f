/**
 * From a record of the input log to a checked message of slices.
 *
 *   key    file number (u16 BE) · message index (u16 BE)
 *   value  n × bins float32 of I, then the same n slices of Q
 *
 * Headers, where the producer writes them, say what the key cannot: run, full file number, first slice, length of
 * the file, geometry, time, checksum. Without them the assembler infers the rest.
 */
import type { InputRecord } from '../log/port.ts';
import { type Geometry, sliceBytes, slicesPerMessageLimit } from '../protocol/geometry.ts';
import { isGivenRunName } from '../protocol/run-name.ts';
import {
  formatCrc32,
  HEADER,
  KEY_BYTES,
  KEY_FILE_MODULUS,
  MAX_SLICES_PER_FILE,
  MAX_STATED_FILE_NUMBER,
  parseCount,
  parseCrc32,
  parseHz,
  parseKey,
  parseUtc,
} from '../records.ts';
import { surveyMessage } from '../survey.ts';
import { checksumsOf, type MessageChecksums } from './content.ts';
import { Rejection } from './rejection.ts';

/** What the headers say; present as a whole or not at all. */
export interface Stated {
  readonly run: string;
  readonly file: number;
  readonly first: number;
  readonly slicesInFile: number;
  /** Start of the file in Unix milliseconds; NaN where not stated. */
  readonly startUtcMs: number;
}

export interface SliceMessage {
  readonly partition: number;
  readonly offset: number;
  /** File number modulo 65536, and message index, from the key. */
  readonly file16: number;
  readonly index: number;
  readonly slices: number;
  readonly stated: Stated | null;
  readonly value: Buffer;
  readonly checksums: MessageChecksums;
  /** Σx² over all samples of I and Q. */
  readonly energy: number;
  /** Largest |x|. */
  readonly peak: number;
  readonly timestampMs: number;
}

/** Which file a record belongs to, before its value is looked at: enough to drop what is already done. */
export interface RecordIdentity {
  readonly file16: number;
  readonly index: number;
  readonly slices: number;
  readonly stated: Stated | null;
}

/** @throws {Rejection} */
export function identify(record: InputRecord, geometry: Geometry): RecordIdentity {
  const key = parseKey(record.key);
  if (key === null) {
    throw new Rejection(
      'key-length',
      `expected a key of ${KEY_BYTES} bytes (file, message), found ${record.key?.length ?? 'none'}`,
    );
  }
  const stated = readHeaders(record, geometry, key.file16);
  const bytes = record.value?.length ?? 0;
  const perSlice = sliceBytes(geometry.bins);
  if (bytes % perSlice !== 0) {
    throw new Rejection(
      'value-length',
      `expected a multiple of ${perSlice} bytes (one slice of ${geometry.bins} I and Q), found ${bytes}`,
    );
  }
  const slices = bytes / perSlice;
  const limit = slicesPerMessageLimit(geometry.bins);
  if (slices < 1 || slices > limit) {
    throw new Rejection('slice-count', `expected 1 to ${limit} slices in a message, found ${slices}`, slices);
  }
  if (stated && stated.first + slices > stated.slicesInFile) {
    throw new Rejection(
      'index-range',
      `slices ${stated.first}–${stated.first + slices - 1} of a file that has ${stated.slicesInFile}`,
      slices,
    );
  }
  return { file16: key.file16, index: key.message, slices, stated };
}

/** Looks at every sample: checksum, NaN and Inf, energy. @throws {Rejection} */
export function readSamples(record: InputRecord, identity: RecordIdentity): SliceMessage {
  const value = record.value as Buffer;
  const checksums = checksumsOf(value);
  const expected = record.headers[HEADER.crc32];
  if (expected !== undefined && parseCrc32(expected) !== checksums.crc32) {
    throw new Rejection(
      'checksum',
      `expected CRC-32 ${shown(expected)}, found ${formatCrc32(checksums.crc32)}: the value was damaged on its way`,
      identity.slices,
    );
  }
  const { finite, energy, peak } = surveyMessage(value);
  if (!finite) {
    throw new Rejection(
      'non-finite',
      'NaN or Inf among the samples: the file cannot be averaged',
      identity.slices,
    );
  }
  return {
    ...identity,
    partition: record.partition,
    offset: record.offset,
    value,
    checksums,
    energy,
    peak,
    timestampMs: record.timestampMs,
  };
}

function readHeaders(record: InputRecord, geometry: Geometry, file16: number): Stated | null {
  const { headers } = record;
  if (headers[HEADER.file] === undefined && headers[HEADER.run] === undefined) return null;
  const run = headers[HEADER.run] ?? '';
  if (!isGivenRunName(run))
    throw new Rejection('header', `${HEADER.run}: expected a run name, found '${shown(run)}'`);
  const bins = integer(headers, HEADER.bins, Number.MAX_SAFE_INTEGER);
  if (bins !== geometry.bins) {
    throw new Rejection(
      'bins',
      `expected slices of ${geometry.bins} samples, found ${bins}: start the bridge with --bins ${bins}, or send to another topic`,
    );
  }
  requireSame(headers, HEADER.sampleRate, geometry.sampleRateHz, '--sample-rate');
  requireSame(headers, HEADER.lo, geometry.loHz, '--lo');
  const file = integer(headers, HEADER.file, MAX_STATED_FILE_NUMBER);
  if (file % KEY_FILE_MODULUS !== file16) {
    throw new Rejection('header', `${HEADER.file} ${file} contradicts file ${file16} of the key`);
  }
  return {
    run,
    file,
    first: integer(headers, HEADER.first, MAX_SLICES_PER_FILE),
    slicesInFile: integer(headers, HEADER.slices, MAX_SLICES_PER_FILE),
    startUtcMs: parseUtc(headers[HEADER.utc])?.utcMs ?? Number.NaN,
  };
}

function integer(headers: Readonly<Record<string, string>>, name: string, most: number): number {
  const value = parseCount(headers[name], most);
  if (value === null) {
    throw new Rejection(
      'header',
      `${name}: expected a whole number up to ${most}, found '${shown(headers[name])}'`,
    );
  }
  return value;
}

/** Headers can be as long as a message; alarms and logs hold what a person needs of them. */
const shown = (text = ''): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text);

/** A header of the geometry may be absent; where it is there it must agree, since the axis depends on it. */
function requireSame(
  headers: Readonly<Record<string, string>>,
  name: string,
  expected: number,
  option: string,
): void {
  const text = headers[name];
  if (text === undefined || parseHz(text) === expected) return;
  throw new Rejection(
    'geometry',
    `${name}: expected ${expected}, found '${shown(text)}': start the bridge with ${option} ${shown(text)}, or send to another topic`,
  );
}
