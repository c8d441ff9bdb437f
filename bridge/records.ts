/**
 * Records of `chunk_data`: key, value and headers as this project's producer writes them.
 *
 *   key    ┌ file mod 65536 ┬ message ┐   2 + 2 bytes, unsigned, big-endian
 *   value  ┌ n slices of I ┬ n slices of Q ┐   float32, little-endian, n · bins · 4 bytes each
 *
 * Key and value are what the existing producer writes; the headers add what the key cannot say. Reading and
 * checking a whole record is `assembly/decode.ts`; here are the names, the formats and how each is read back.
 */

import { crc32 } from 'node:zlib';
import type { Geometry } from './protocol/geometry.ts';
import { parseUtcTime } from './utc.ts';

export const HEADER = {
  run: 'hs-run',
  file: 'hs-file',
  slices: 'hs-slices',
  first: 'hs-first',
  bins: 'hs-bins',
  sampleRate: 'hs-fs',
  lo: 'hs-lo',
  utc: 'hs-utc',
  crc32: 'hs-crc32',
} as const;

export const KEY_BYTES = 4;

/** The key holds 16 bits of the file number. */
export const KEY_FILE_MODULUS = 65536;

/** Five digits on disk. */
export const MAX_FILE_NUMBER = 99_999;

/** Frames carry file numbers in 32 bits. */
export const MAX_STATED_FILE_NUMBER = 0xffff_ffff;

/** Four hours of data in one file; a header that says more is damaged, and nothing may be allocated on its word. */
export const MAX_SLICES_PER_FILE = 10_000_000;

/** How the start of a file is known: modification time less duration, said by a person, or written with the data. */
type UtcSource = 'mtime' | 'given' | 'record';

export interface FileStart {
  readonly utcMs: number;
  readonly source: UtcSource;
}

/** The start of a file that nobody said: its modification time less its duration. */
export const startByModification = (
  modifiedMs: number,
  samples: number,
  sampleRateHz: number,
): FileStart => ({ utcMs: Math.round(modifiedMs - (1000 * samples) / sampleRateHz), source: 'mtime' });

/** What the records of one file have in common. */
export interface FileIdentity {
  readonly run: string;
  readonly file: number;
  /** Whole slices in the file. */
  readonly slices: number;
  readonly geometry: Geometry;
  readonly start: FileStart;
}

export interface ChunkRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export function encodeKey(file: number, message: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt16BE(file % KEY_FILE_MODULUS, 0);
  key.writeUInt16BE(message, 2);
  return key;
}

/** @returns null unless the key has exactly four bytes. */
export function parseKey(key: Buffer | null): { readonly file16: number; readonly message: number } | null {
  if (key === null || key.length !== KEY_BYTES) return null;
  return { file16: key.readUInt16BE(0), message: key.readUInt16BE(2) };
}

/** @returns null unless the text is a plain decimal integer from 0 to `max`. */
export function parseCount(text: string | undefined, max = Number.MAX_SAFE_INTEGER): number | null {
  if (text === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

/** Shortest decimal that reads back as the same float64, without an exponent below 1e21. */
export const formatHz = (hz: number): string => String(hz);

/** @returns null unless the text is a finite decimal number. */
export function parseHz(text: string | undefined): number | null {
  if (text === undefined || !/^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

export const formatUtc = (start: FileStart): string =>
  `${new Date(start.utcMs).toISOString()};${start.source}`;

/** @returns null unless the text is an RFC 3339 time in UTC, a semicolon and a known source. */
export function parseUtc(text: string | undefined): FileStart | null {
  const match = /^(\S+Z);(mtime|given|record)$/.exec(text ?? '');
  const utcMs = parseUtcTime(match?.[1] ?? '');
  return utcMs === null ? null : { utcMs, source: match?.[2] as UtcSource };
}

export const formatCrc32 = (crc: number): string => crc.toString(16).padStart(8, '0');

/** @returns null unless the text is exactly eight lower-case hex digits. */
export function parseCrc32(text: string | undefined): number | null {
  return text !== undefined && /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : null;
}

/**
 * One message with headers.
 * @param message index within the file, from 0
 * @param first the message's first slice
 * @param value all I, then all Q: the bytes as they are on disk
 */
export function buildRecord(id: FileIdentity, message: number, first: number, value: Buffer): ChunkRecord {
  return {
    key: encodeKey(id.file, message),
    value,
    headers: {
      [HEADER.run]: id.run,
      [HEADER.file]: String(id.file),
      [HEADER.slices]: String(id.slices),
      [HEADER.first]: String(first),
      [HEADER.bins]: String(id.geometry.bins),
      [HEADER.sampleRate]: formatHz(id.geometry.sampleRateHz),
      [HEADER.lo]: formatHz(id.geometry.loHz),
      [HEADER.utc]: formatUtc(id.start),
      [HEADER.crc32]: formatCrc32(crc32(value)),
    },
  };
}

/** One message of the existing producer's form: no headers. */
export const buildPlainRecord = (file: number, message: number, value: Buffer): ChunkRecord => ({
  key: encodeKey(file, message),
  value,
  headers: {},
});
