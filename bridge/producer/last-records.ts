/**
 * The last record of each partition, understood: how far this run has come there.
 *
 *   headers of this run ──▶ headed: file, message and slices per message are said
 *   no headers ───────────▶ plain: the existing producer's; which of our files it is, and which slices, is found by
 *                           comparing its bytes with the folder's, since the key holds 16 bits of the number only
 *   all else ─────────────▶ foreign: another run, or another folder
 */

import { crc32 } from 'node:zlib';
import type { FilePair, PairFolder } from '../files/pairs.ts';
import { BYTES_PER_SAMPLE, judge } from '../protocol/pairs.ts';
import { PairReader, slicesOf } from '../files/reader.ts';
import type { InputRecord } from '../log/port.ts';
import { sliceBytes } from '../protocol/geometry.ts';
import { formatCrc32, HEADER, KEY_FILE_MODULUS, MAX_FILE_NUMBER, parseCount, parseKey } from '../records.ts';
import { ProduceError } from './problem.ts';

/** Up to and including this message, everything of this run in this partition is sent. */
export interface SentPoint {
  readonly file: number;
  readonly message: number;
  readonly slicesPerMessage: number;
  /** The message is the last one of its file. */
  readonly isLast: boolean;
}

export type LastRecord =
  | { readonly kind: 'empty' }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'headed'; readonly point: SentPoint }
  | { readonly kind: 'plain'; readonly point: SentPoint };

export interface FolderRun {
  readonly folder: PairFolder;
  readonly run: string;
  readonly bins: number;
}

/** @throws {ProduceError} `other-content`, `other-geometry`, `no-order` */
export async function understand(record: InputRecord | null, our: FolderRun): Promise<LastRecord> {
  if (record === null) return { kind: 'empty' };
  const key = parseKey(record.key);
  const slices = (record.value?.length ?? 0) / sliceBytes(our.bins);
  if (record.headers[HEADER.run] === our.run) return headed(record, key?.message ?? null, slices, our);
  if (record.headers[HEADER.run] !== undefined || key === null) return { kind: 'foreign' };
  if (record.value === null || !Number.isInteger(slices) || slices === 0) return { kind: 'foreign' };
  const point = await findPlain(record.value, key.file16, key.message, our);
  return point === null ? { kind: 'foreign' } : { kind: 'plain', point };
}

async function headed(
  { headers, partition, value }: InputRecord,
  message: number | null,
  slices: number,
  our: FolderRun,
): Promise<LastRecord> {
  const place = `partition ${partition}`;
  if (headers[HEADER.bins] !== String(our.bins)) {
    const found = headers[HEADER.bins] ?? 'none';
    throw new ProduceError(
      'other-geometry',
      `${place} holds run ${our.run} with slices of ${found} samples, expected ${our.bins}: give --bins ${found} or another --run`,
    );
  }
  const file = parseCount(headers[HEADER.file], MAX_FILE_NUMBER);
  const first = parseCount(headers[HEADER.first]);
  const total = parseCount(headers[HEADER.slices]);
  const isLast = first !== null && total !== null && first + slices === total;
  const isInOrder = message !== null && first !== null && (isLast || first === message * slices);
  if (file === null || first === null || message === null || value === null || !isInOrder) {
    throw new ProduceError(
      'no-order',
      `${place} ends with a message of run ${our.run} that does not follow the order of this producer: give another --run`,
    );
  }
  const pair = await findPair(our, file);
  if (pair !== null && !(await holds(pair, our.bins, first, value))) {
    throw new ProduceError(
      'other-content',
      `${place} holds run ${our.run}, file ${file}, slices from ${first} with other samples than ${our.folder.name}: give another --run`,
    );
  }
  const slicesPerMessage = isLast && message > 0 ? first / message : slices;
  return { kind: 'headed', point: { file, message, slicesPerMessage, isLast } };
}

/** Which file and slices of the folder a message without headers holds; null where none. */
async function findPlain(
  value: Buffer,
  file16: number,
  message: number,
  our: FolderRun,
): Promise<SentPoint | null> {
  const slices = value.length / sliceBytes(our.bins);
  for (let file = file16; file <= MAX_FILE_NUMBER; file += KEY_FILE_MODULUS) {
    const pair = await findPair(our, file);
    if (pair === null) continue;
    const total = slicesOf(pair, our.bins);
    // As a message of full length; or as the last, shorter one.
    for (const first of new Set([message * slices, total - slices])) {
      const slicesPerMessage = message === 0 ? slices : first / message;
      const fits = first >= 0 && first + slices <= total && Number.isInteger(slicesPerMessage);
      if (!fits || !(await holds(pair, our.bins, first, value))) continue;
      return { file, message, slicesPerMessage, isLast: first + slices === total };
    }
  }
  return null;
}

/** The pair of this number as it is now; null where it is not there or not whole. */
export async function findPair({ folder, bins }: FolderRun, file: number): Promise<FilePair | null> {
  const [i, q] = await Promise.all([folder.look('i', file), folder.look('q', file)]).catch(() => [
    null,
    null,
  ]);
  if (i == null || q == null || judge(file, i, q, bins) !== null) return null;
  const modifiedMs = Math.max(i.modifiedMs, q.modifiedMs);
  return { folder, file, samples: i.bytes / BYTES_PER_SAMPLE, modifiedMs };
}

/** Whether these are the folder's samples. */
async function holds(pair: FilePair, bins: number, first: number, value: Buffer): Promise<boolean> {
  const slices = value.length / sliceBytes(bins);
  if (first < 0 || first + slices > slicesOf(pair, bins)) return false;
  const reader = await PairReader.open(pair, bins);
  try {
    const ours = await reader.readRange(0, first, slices);
    return formatCrc32(crc32(ours.value)) === formatCrc32(crc32(value)) && ours.value.equals(value);
  } finally {
    await reader.close();
  }
}
