/** Records of the input: keys, values and headers of anybody. */
import zlib from 'node:zlib';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { identify, readSamples, type SliceMessage } from '../../bridge/assembly/decode.ts';
import { Rejection } from '../../bridge/assembly/rejection.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import { isGivenRunName } from '../../bridge/protocol/run-name.ts';
import { MAX_SLICES_PER_FILE } from '../../bridge/records.ts';
import { BINS, fullRecord, GEOMETRY, plainRecord } from '../assembly/helpers.ts';
import { fuzz } from './fuzz.ts';
import { damaged } from './mutations.ts';

const AT = { partition: 0, offset: 0 };
const HEADERS = [
  'hs-run',
  'hs-file',
  'hs-slices',
  'hs-first',
  'hs-bins',
  'hs-fs',
  'hs-lo',
  'hs-utc',
  'hs-crc32',
];

const valid = fc
  .record({
    file: fc.nat(99_999),
    message: fc.nat(20),
    slices: fc.integer({ min: 1, max: 3 }),
    first: fc.nat(20),
    isPlain: fc.boolean(),
  })
  .map(({ file, message, slices, first, isPlain }) =>
    isPlain
      ? plainRecord(AT, file, message, slices)
      : fullRecord(AT, file, message, { first, slices, of: first + slices }),
  );

const headerText = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1',
    '00',
    '1.5',
    '1e3',
    '9007199254740993',
    '99999999999999999999',
    '256',
    '2000000',
  ),
  fc.constantFrom(
    '10000000',
    '10000001',
    '4294967295',
    '4294967296',
    'run1',
    '..',
    'run1~2',
    '__proto__',
    '２',
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 3000, maxLength: 3000 }),
);
const headerDamage = fc.array(fc.tuple(fc.constantFrom(...HEADERS, 'other'), fc.option(headerText)), {
  maxLength: 2,
});

const anyRecord: fc.Arbitrary<InputRecord> = valid.chain((whole) =>
  fc
    .record({
      key: fc.option(damaged(fc.constant(whole.key ?? Buffer.alloc(0))), { freq: 20 }),
      value: fc.option(damaged(fc.constant(whole.value ?? Buffer.alloc(0))), { freq: 20 }),
      changes: headerDamage,
      timestampMs: fc.oneof(fc.nat(), fc.constantFrom(-1, 2 ** 62, Number.NaN)),
    })
    .map(({ key, value, changes, timestampMs }) => {
      const headers: Record<string, string> = { ...whole.headers };
      for (const [name, text] of changes) {
        if (text === null) delete headers[name];
        else headers[name] = text;
      }
      return { ...AT, key, value, headers, timestampMs };
    }),
);

/** What a reader without our code would make of the samples. */
function summed(value: Buffer): { readonly energy: number; readonly peak: number } {
  let energy = 0;
  let peak = 0;
  for (let at = 0; at < value.length; at += 4) {
    const sample = value.readFloatLE(at);
    energy += sample ** 2;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { energy, peak };
}

function expectTrue(record: InputRecord, message: SliceMessage): void {
  const { key, value, headers } = record;
  if (key === null || value === null) throw new Error('accepted without key or value');
  expect([key.length, value.length]).toEqual([4, message.slices * BINS * 8]);
  expect([message.file16, message.index]).toEqual([key.readUInt16BE(0), key.readUInt16BE(2)]);
  const { energy, peak } = summed(value);
  expect(Number.isFinite(energy)).toBe(true);
  expect(message.peak).toBe(peak);
  expect(Math.abs(message.energy - energy)).toBeLessThanOrEqual(1e-12 * energy);
  const crc = headers['hs-crc32'];
  if (crc !== undefined) expect(Number.parseInt(crc, 16)).toBe(zlib.crc32(value));
  const { stated } = message;
  if (stated === null) {
    expect([headers['hs-run'], headers['hs-file']]).toEqual([undefined, undefined]);
    return;
  }
  expect(isGivenRunName(stated.run)).toBe(true);
  const said = [stated.run, String(stated.file), String(stated.first), String(stated.slicesInFile)];
  expect(said).toEqual([headers['hs-run'], headers['hs-file'], headers['hs-first'], headers['hs-slices']]);
  expect([stated.file % 65_536, headers['hs-bins']]).toEqual([message.file16, String(BINS)]);
  expect(stated.first + message.slices).toBeLessThanOrEqual(stated.slicesInFile);
  expect(stated.slicesInFile).toBeLessThanOrEqual(MAX_SLICES_PER_FILE);
}

fuzz('records of the input', anyRecord, (each) => {
  try {
    expectTrue(each, readSamples(each, identify(each, GEOMETRY)));
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    // It goes into alarms, the log and the state of every client.
    expect(error.message.length).toBeLessThan(400);
    expect(Number.isInteger(error.slices) && error.slices >= 0).toBe(true);
  }
});
