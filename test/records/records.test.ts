import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DiskFolder } from '../../bridge/files/disk-folder.ts';
import { readMessages, slicesOf } from '../../bridge/files/reader.ts';
import {
  buildPlainRecord,
  buildRecord,
  encodeKey,
  type FileIdentity,
  formatHz,
  formatUtc,
  parseCount,
  parseCrc32,
  parseHz,
  parseKey,
  parseUtc,
} from '../../bridge/records.ts';
import { testFolder } from '../files/folder.ts';

interface Vectors {
  readonly bins: number;
  readonly file: number;
  readonly vectors: readonly {
    readonly n: number;
    readonly slices: number;
    readonly messages: readonly { readonly key: string; readonly bytes: number; readonly sha256: string }[];
  }[];
}

const { bins, file, vectors } = JSON.parse(
  readFileSync(new URL('vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const channelBytes = (sample: (k: number) => number, count: number): Buffer =>
  Buffer.from(Float32Array.from({ length: count }, (_, k) => sample(k)).buffer);
// The product exceeds 2^53, and its lowest 32 bits are wanted.
const sampleI = (k: number): number => (Math.imul(k, 2_654_435_761) >>> 0) / 2 ** 32 - 0.5;
const sampleQ = (k: number): number => ((k * 40_503 + 7) % 65_536) / 65_536 - 0.5;

test('key and value are those of the existing producer for every n from 1 to 40, last short message included', async () => {
  const folder = await testFolder();
  try {
    expect(vectors.map(({ n }) => n)).toEqual(Array.from({ length: 40 }, (_, k) => k + 1));
    for (const { n, slices, messages } of vectors) {
      // 100 samples more than the slices: they must not appear.
      await folder.half('i', file, channelBytes(sampleI, slices * bins + 100));
      await folder.half('q', file, channelBytes(sampleQ, slices * bins + 100));
      const modifiedMs = await folder.modifiedMs(file);
      const pair = { folder: new DiskFolder(folder.path), file, samples: slices * bins + 100, modifiedMs };
      expect(slicesOf(pair, bins)).toBe(slices);
      const found: unknown[] = [];
      for await (const message of readMessages(pair, bins, n)) {
        const { key, value } = buildPlainRecord(file, message.index, message.value);
        expect(message.first).toBe(message.index * n);
        const sha256 = createHash('sha256').update(key).update(value).digest('hex');
        found.push({ key: key.toString('hex'), bytes: value.length, sha256 });
      }
      expect(found).toEqual(messages);
    }
  } finally {
    await folder.remove();
  }
});

test('the key is two unsigned big-endian numbers of 16 bits', () => {
  expect(encodeKey(0x1234, 0xabcd).toString('hex')).toBe('1234abcd');
  expect(encodeKey(0, 0).toString('hex')).toBe('00000000');
  expect(encodeKey(65_535, 68).toString('hex')).toBe('ffff0044');
  expect(encodeKey(65_536, 1).toString('hex')).toBe('00000001');
  expect(encodeKey(70_001, 2).toString('hex')).toBe('11710002');
  expect(encodeKey(99_999, 65_535).toString('hex')).toBe('869fffff');
  expect(parseKey(Buffer.from('1234abcd', 'hex'))).toEqual({ file16: 0x1234, message: 0xabcd });
  for (const wrong of ['', '12', '1234ab', '1234abcd00'])
    expect(parseKey(Buffer.from(wrong, 'hex'))).toBeNull();
  expect(parseKey(null)).toBeNull();
});

test('a small message, byte by byte', async () => {
  const folder = await testFolder();
  try {
    const bytes = (...values: number[]): Buffer => Buffer.from(Float32Array.of(...values).buffer);
    await folder.half('i', 5, bytes(1, -2, 3, 0.5, -1));
    await folder.half('q', 5, bytes(0.25, 0, -0.5, 2, 7));
    const pair = {
      folder: new DiskFolder(folder.path),
      file: 5,
      samples: 5,
      modifiedMs: await folder.modifiedMs(5),
    };
    const hex = async (n: number): Promise<string[]> => {
      const found: string[] = [];
      for await (const { value } of readMessages(pair, 2, n)) found.push(value.toString('hex'));
      return found;
    };
    // 1, −2 | ¼, 0, then 3, ½ | −½, 2; the fifth sample makes no slice.
    expect(await hex(1)).toEqual(['0000803f000000c00000803e00000000', '000040400000003f000000bf00000040']);
    expect(await hex(2)).toEqual(['0000803f000000c0000040400000003f0000803e00000000000000bf00000040']);
  } finally {
    await folder.remove();
  }
});

test('headers say what the key cannot', () => {
  const id: FileIdentity = {
    run: 'run404',
    file: 70_001,
    slices: 2731,
    geometry: { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 },
    start: { utcMs: Date.UTC(2026, 10, 23, 1, 2, 3, 456), source: 'mtime' },
  };
  const { key, value, headers } = buildRecord(id, 68, 2720, Buffer.from('123456789'));
  expect(key.toString('hex')).toBe('11710044');
  expect(value.toString()).toBe('123456789');
  expect(headers).toEqual({
    'hs-run': 'run404',
    'hs-file': '70001',
    'hs-slices': '2731',
    'hs-first': '2720',
    'hs-bins': '3072',
    'hs-fs': '2000000',
    'hs-lo': '10353000000',
    'hs-utc': '2026-11-23T01:02:03.456Z;mtime',
    // The check value of CRC-32 (IEEE) in every catalogue.
    'hs-crc32': 'cbf43926',
  });
  expect(parseCrc32(headers['hs-crc32'])).toBe(crc32(value));
  expect(buildRecord(id, 0, 0, Buffer.from([0x00, 0x2b, 0x9e])).headers['hs-crc32']).toMatch(/^[0-9a-f]{8}$/);
});

test('hertz and times read back as what they were', () => {
  const hertz = fc.double({ min: 1e-6, max: 1e15, noNaN: true });
  const starts = fc.record({
    utcMs: fc.integer({ min: 0, max: 4e12 }),
    source: fc.constantFrom('mtime' as const, 'given' as const, 'record' as const),
  });
  fc.assert(
    fc.property(hertz, starts, (hz, start) => {
      expect(parseHz(formatHz(hz))).toBe(hz);
      expect(parseUtc(formatUtc(start))).toEqual(start);
    }),
    { seed: 404, numRuns: 500 },
  );
});

test('headers that are not quite right are not read', () => {
  for (const wrong of [undefined, '', '-1', '1.5', '007', '1e3', ' 1', '99999999999999999999']) {
    expect(parseCount(wrong), String(wrong)).toBeNull();
  }
  expect(parseCount('100000', 99_999)).toBeNull();
  expect(parseCount('0')).toBe(0);
  for (const wrong of [undefined, '', 'NaN', 'Infinity', '2e999', '0x10', '2 MHz'])
    expect(parseHz(wrong)).toBeNull();
  for (const wrong of [undefined, '', '1c291ca', '1C291CA3', '1c291ca3f'])
    expect(parseCrc32(wrong)).toBeNull();
  for (const wrong of [
    undefined,
    '2026-11-23T01:02:03Z',
    '2026-11-23T01:02:03Z;guess',
    '2026-13-23T01:02:03Z;given',
    '2026-11-23T01:02:03+01:00;given',
  ]) {
    expect(parseUtc(wrong), String(wrong)).toBeNull();
  }
});
