/** Progress records: damaged ones are refused by a `ProgressError`; what is accepted is a progress that holds. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { NumberRanges } from '../../bridge/assembly/number-ranges.ts';
import {
  decodeProgress,
  encodeProgress,
  type Progress,
  ProgressError,
} from '../../bridge/assembly/progress.ts';
import { PublishedFiles } from '../../bridge/assembly/published-files.ts';
import { Runs } from '../../bridge/assembly/runs.ts';
import { emptyMoments } from '../../bridge/protocol/moments.ts';
import { isRunName } from '../../bridge/protocol/run-name.ts';
import { fuzz } from './fuzz.ts';
import { damaged, damagedJson } from './mutations.ts';

const BINS = 256;
/** What the versions before wrote. */
const EARLIER = [1, 2].map((version) =>
  readFileSync(new URL(`../assembly/fixtures/progress-v${version}.bin`, import.meta.url)),
);

const runName = fc.stringMatching(/^[a-z0-9]{1,6}(~[2-9])?$/);
const place = fc.record({ run: runName, file: fc.nat(99_999) });
const sentPlace = fc.option(fc.record({ run: runName, file: fc.nat(99_999), shift: fc.integer() }), {
  nil: null,
});
const word = fc.stringMatching(/^[a-z]{1,9}$/);
const givenName = fc.oneof(fc.stringMatching(/^[a-z]{1,4}$/), fc.constantFrom('constructor', '__proto__'));
const mark = fc.option(fc.record({ offset: fc.nat(), identity: fc.string({ maxLength: 20 }) }), {
  nil: null,
});

const run = fc
  .record({
    name: runName,
    published: fc.array(fc.nat(200), { maxLength: 20 }),
    contents: fc.array(fc.tuple(fc.nat(200), fc.nat()), { maxLength: 3 }),
    messages: fc.array(fc.tuple(fc.nat(200), fc.array(fc.nat(), { maxLength: 3 })), { maxLength: 2 }),
    averaged: fc.nat(),
    resetUtcMs: fc.constantFrom(Number.NaN, 1.7e12),
    slices: fc.nat(),
    firstUtcMs: fc.constantFrom(Number.NaN, 1.7e12),
    lastUtcMs: fc.constantFrom(Number.NaN, 1.8e12),
    lastFile: fc.nat(200),
    value: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: null }),
  })
  .map(({ published, contents, messages, value, ...rest }) => {
    const ranges = new NumberRanges();
    for (const file of published) ranges.add(file);
    const files = new PublishedFiles(ranges, new Map(contents), new Map(messages));
    const sums = value === null ? null : emptyMoments(BINS);
    if (sums !== null && value !== null) {
      sums.count = 3;
      sums.mean.fill(value);
      sums.m2.fill(2 * value);
    }
    return { ...rest, files, sums };
  });

const progress: fc.Arbitrary<Progress> = fc.record({
  bins: fc.constant(BINS),
  partitions: fc.uniqueArray(
    fc.record({
      partition: fc.nat(8),
      watermark: fc.nat(),
      before: mark,
      fileBefore: sentPlace,
      runsBefore: fc.dictionary(givenName, runName, { maxKeys: 2 }),
      readTo: fc.option(fc.nat(), { nil: null }),
      readBefore: mark,
      switches: fc.array(fc.record({ offset: fc.nat(), place }), { maxLength: 2 }),
    }),
    { maxLength: 3, selector: ({ partition }) => partition },
  ),
  runs: fc.uniqueArray(run, { maxLength: 3, selector: ({ name }) => name }),
  numbering: fc.record({
    generations: fc.dictionary(givenName, fc.integer({ min: 2, max: 9 }), { maxKeys: 2 }),
    firstGenerations: fc.dictionary(givenName, fc.integer({ min: 1, max: 9 }), { maxKeys: 2 }),
    newestFile: fc.dictionary(runName, fc.nat(99_999), { maxKeys: 2 }),
  }),
  incomplete: fc.array(
    fc.record({
      run: runName,
      file: fc.nat(99_999),
      missing: fc.constant('0-39'),
      atUtc: fc.constant('2026-11-23T01:02:03.456Z'),
    }),
    { maxLength: 2 },
  ),
  titles: fc.array(fc.record({ run: runName, from: fc.nat(99_999), name: runName }), { maxLength: 2 }),
  operations: fc.record({
    log: fc.array(
      fc.record({ id: fc.uuid(), utc: fc.constant('2026-11-23T01:02:03Z'), who: word, what: word }),
      { maxLength: 2 },
    ),
    annotations: fc.array(
      fc.record({
        id: fc.uuid(),
        run: runName,
        at: fc.oneof(
          fc.record({
            kind: fc.constant('frequency' as const),
            hz: fc.double({ noNaN: true, min: 0, max: 1e11 }),
          }),
          fc.record({ kind: fc.constant('moment' as const), utcMs: fc.nat() }),
        ),
        text: word,
        author: word,
        madeUtc: fc.constant('2026-11-23T01:02:03Z'),
      }),
      { maxLength: 2 },
    ),
  }),
});

/** The JSON part damaged in its structure, with the lengths around it right. */
const damagedInside = progress.chain((valid) => {
  const record = encodeProgress(valid);
  const jsonBytes = record.readUInt32LE(8);
  const json: unknown = JSON.parse(record.toString('utf8', 16, 16 + jsonBytes));
  const arrays = record.subarray(16 + Math.ceil(jsonBytes / 8) * 8);
  return damagedJson(fc.constant(json)).map((text) => {
    const head = Buffer.from(record.subarray(0, 16));
    const bytes = Buffer.from(text);
    head.writeUInt32LE(bytes.length, 8);
    return Buffer.concat([head, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8), arrays]);
  });
});

const isIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** All that the assembler relies on. */
function expectSound(read: Progress): void {
  expect(isIndex(read.bins) && read.bins > 0).toBe(true);
  for (const { partition, watermark, before, fileBefore } of read.partitions) {
    expect(isIndex(partition) && isIndex(watermark)).toBe(true);
    if (before !== null) expect([isIndex(before.offset), typeof before.identity]).toEqual([true, 'string']);
    if (fileBefore !== null)
      expect([isIndex(fileBefore.file), isRunName(fileBefore.run)]).toEqual([true, true]);
  }
  for (const { name, files, averaged, slices, lastFile, sums } of read.runs) {
    expect([isRunName(name), isIndex(slices), isIndex(lastFile)]).toEqual([true, true, true]);
    expect([files.ranges.isSound, isIndex(averaged)]).toEqual([true, true]);
    for (const [file, content] of files.contents) expect(isIndex(file) && isIndex(content)).toBe(true);
    for (const [file, digests] of files.messages) expect(isIndex(file) && digests.every(isIndex)).toBe(true);
    if (sums === null) continue;
    expect([sums.mean.length, sums.m2.length, sums.count > 0]).toEqual([read.bins, read.bins, true]);
    for (const field of Object.values(sums.time)) expect(Number.isNaN(field)).toBe(false);
    expect(sums.mean.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    expect(sums.m2.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  }
  for (const { run: source, from, name } of read.titles)
    expect([isRunName(source), isIndex(from), isRunName(name)]).toEqual([true, true, true]);
  for (const { run: name, text, at } of read.operations.annotations)
    expect([
      isRunName(name),
      text.length <= 200,
      at.kind === 'moment' ? isIndex(at.utcMs) : Number.isFinite(at.hz),
    ]).toEqual([true, true, true]);
  for (const { run: name, file, missing, atUtc } of read.incomplete)
    expect([isRunName(name), isIndex(file), typeof missing, typeof atUtc]).toEqual([
      true,
      true,
      'string',
      'string',
    ]);
}

fuzz(
  'progress records',
  fc.oneof(damaged(progress.map(encodeProgress)), damaged(fc.constantFrom(...EARLIER)), damagedInside),
  (record) => {
    let read: Progress;
    try {
      read = decodeProgress(record);
    } catch (error) {
      if (!(error instanceof ProgressError)) throw error;
      return;
    }
    expectSound(read);
    // A bridge goes on from it, and what it writes is the same again.
    void new Runs(read.bins, 'run1', read).current;
    const again = encodeProgress(read);
    expect(encodeProgress(decodeProgress(again))).toEqual(again);
  },
);
