/** The progress record: what is written is read, by the next version too, and it stays small however long a run is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NumberRanges } from '../../bridge/assembly/number-ranges.ts';
import { ANNOTATIONS_KEPT, OPERATIONS_KEPT, type RunAnnotation } from '../../bridge/assembly/operations.ts';
import {
  decodeProgress,
  encodeProgress,
  INCOMPLETE_LISTED,
  MISSING_CHARACTERS,
  type Progress,
  PROGRESS_VERSION,
  ProgressError,
  RUNS_KEPT,
  RUNS_WITH_SUMS,
  type RunProgress,
} from '../../bridge/assembly/progress.ts';
import {
  CONTENTS_KEPT,
  MESSAGES_KEPT,
  PublishedFiles,
  RANGES_KEPT,
  trimPublished,
} from '../../bridge/assembly/published-files.ts';
import { TITLES_KEPT } from '../../bridge/assembly/titles.ts';
import { emptyMoments } from '../../bridge/protocol/moments.ts';
import { MAX_ANNOTATION_TEXT, MAX_AUTHOR } from '../../bridge/protocol/operator.ts';
import { fullRecord, harness } from './helpers.ts';

/** What brokers take in one record unless told otherwise. */
const BROKER_LIMIT_BYTES = 1_000_000;
/** Sums are back within two seconds of an assignment; reading the record takes 10 ms of that on an idle machine. */
const RESTART_MS = 2000;

function run(name: string, bins: number | null, files: PublishedFiles): RunProgress {
  const sums = bins === null ? null : { ...emptyMoments(bins), count: 5 };
  sums?.mean.forEach((_, k, mean) => {
    mean[k] = 1 / (k + 1);
  });
  const utc = { firstUtcMs: 1.7e12, lastUtcMs: Number.NaN, resetUtcMs: 1.6e12 };
  return { name, files, averaged: 4, slices: 5, ...utc, lastFile: 7, sums };
}

const ANNOTATION: RunAnnotation = {
  id: 'command-2',
  run: 'run405',
  at: { kind: 'frequency', hz: 10.353e9 },
  text: 'tuner moved',
  author: 'shift',
  madeUtc: '2026-11-23T01:02:03.456Z',
};

function progressOf(bins: number, runs: RunProgress[]): Progress {
  const before = { offset: 41, identity: '00050000:983040:1c291ca3' };
  const fileBefore = { run: 'run404~2', file: 7, shift: 3 };
  return {
    bins,
    runs,
    partitions: [
      {
        partition: 0,
        watermark: 42,
        before,
        fileBefore,
        runsBefore: { run404: 'run404~2' },
        readTo: 50,
        readBefore: { ...before, offset: 49 },
        switches: [{ offset: 44, place: { run: 'run404~3', file: 0 } }],
      },
    ],
    numbering: { generations: { run404: 3 }, firstGenerations: { run404: 2 }, newestFile: { run404: 9 } },
    incomplete: [{ run: 'run404', file: 2, missing: '4-7', atUtc: '2026-11-23T01:02:03.456Z' }],
    titles: [{ run: 'run404~2', from: 7, name: 'run405' }],
    operations: {
      log: [{ id: 'command-1', utc: '2026-11-23T01:02:03.456Z', who: 'shift', what: 'began run run405' }],
      annotations: [ANNOTATION, { ...ANNOTATION, id: 'command-3', at: { kind: 'moment', utcMs: 1.7e12 } }],
    },
  };
}

test('what is written is read', () => {
  const files = new PublishedFiles();
  files.add(3, 0xdeadbeef, [1, 2, 0xffffffff]);
  files.add(70_001, 7, []);
  const progress = progressOf(256, [run('old', null, new PublishedFiles()), run('run404', 256, files)]);
  expect(decodeProgress(encodeProgress(progress))).toEqual(progress);
});

test('a record that is cut short, too long or of something else is refused', () => {
  const record = encodeProgress(progressOf(16, [run('run404', 16, new PublishedFiles())]));
  for (let length = 0; length < record.length; length += 3) {
    expect(() => decodeProgress(record.subarray(0, length))).toThrow(ProgressError);
  }
  expect(() => decodeProgress(Buffer.concat([record, Buffer.alloc(8)]))).toThrow(ProgressError);
  expect(() => decodeProgress(Buffer.alloc(64))).toThrow('another program writes');
});

test('progress of a later version is refused, with what to do', () => {
  const record = encodeProgress(progressOf(16, []));
  record.writeUInt32LE(PROGRESS_VERSION + 1, 4);
  expect(() => decodeProgress(record)).toThrow(/found 4: run the version that wrote it, or newer/);
});

describe('version 1', () => {
  /**
   * Written by version 1, of 256 bins, after: run1/0, 1, 3 from partition 0; 500 and then 0 without headers from
   * partition 1, a jump, so run1~2/0; run1/2 and 4 given up; run1~2/5 published; a message of file 6 read.
   */
  const record = readFileSync(join(import.meta.dirname, 'fixtures/progress-v1.bin'));

  test('is read', () => {
    const { bins, runs, partitions, numbering, incomplete } = decodeProgress(record);
    expect(bins).toBe(256);
    expect(runs.map(({ name, slices, lastFile }) => [name, slices, lastFile])).toEqual([
      ['run1', 40, 500],
      ['run1~2', 20, 5],
    ]);
    expect(runs.map(({ averaged, files }) => [averaged, files.has(500), files.has(5)])).toEqual([
      [4, true, false],
      [2, false, true],
    ]);
    expect(runs.map(({ sums }) => [sums?.count, sums?.time.samples, sums?.mean[9]])).toEqual([
      [40, 40 * 256, 1],
      [20, 20 * 256, 1],
    ]);
    expect(partitions.map(({ watermark, readTo }) => [watermark, readTo])).toEqual([
      [13, null],
      [2, null],
      [0, null],
    ]);
    expect(partitions[0]?.before?.identity).toBe('00050000:20480:b9282560');
    expect(numbering.generations).toEqual({ run1: 2 });
    expect(incomplete.map(({ file, missing }) => [file, missing])).toEqual([
      [2, '4-7'],
      [4, '4-9'],
    ]);
  });

  test('is gone on from: nothing is published twice, the file in hand is finished, and sums are those of all', () => {
    const progress = decodeProgress(record);
    const h = harness({ progress });
    const ends = [16, 2, 0].map((endOffset, partition) => ({ partition, lowOffset: 0, endOffset }));
    const starts = h.assembler.begin(ends, progress);
    expect([...starts]).toEqual([
      [0, 12],
      [1, 1],
      [2, 0],
    ]);
    h.accept(fullRecord({ partition: 0, offset: 12 }, 5, 0, { first: 0, slices: 10, of: 10 }));
    for (const [k, first] of [0, 4, 8].entries()) {
      const slices = Math.min(4, 10 - first);
      h.accept(fullRecord({ partition: 0, offset: 13 + k }, 6, k, { first, slices, of: 10 }));
    }
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(h.complete).toEqual(['run1~2/6']);
    expect(h.rejected).toEqual([]);
    const again = decodeProgress(encodeProgress(h.assembler.progress()));
    expect(again.runs.find(({ name }) => name === 'run1~2')?.sums?.count).toBe(30);
    expect(again.partitions[0]).toMatchObject({ watermark: 16, readTo: 16 });
    expect(again.incomplete).toHaveLength(2);
  });
});

describe('version 2', () => {
  /**
   * Written by version 2, of 256 bins, after: run1/0, 1 from partition 0; 500 and then 9000 without headers from
   * partition 1, a jump, so run1~2/9000; four of ten slices of run1/2 read.
   */
  const record = readFileSync(join(import.meta.dirname, 'fixtures/progress-v2.bin'));

  test('is read: every result had the name of its run, and no average was reset', () => {
    const { runs, titles, operations } = decodeProgress(record);
    expect(
      runs.map(({ name, averaged, slices, resetUtcMs }) => [name, averaged, slices, resetUtcMs]),
    ).toEqual([
      ['run1', 3, 30, Number.NaN],
      ['run1~2', 1, 10, Number.NaN],
    ]);
    expect([titles, operations]).toEqual([[], { log: [], annotations: [] }]);
  });

  test('is gone on from: the file in hand is finished', () => {
    const progress = decodeProgress(record);
    const h = harness({ progress });
    const ends = [4, 2].map((endOffset, partition) => ({ partition, lowOffset: 0, endOffset }));
    expect([...h.assembler.begin(ends, progress)]).toEqual([
      [0, 1],
      [1, 1],
    ]);
    for (const [k, first] of [0, 4, 8].entries()) {
      const slices = Math.min(4, 10 - first);
      if (k === 0) h.accept(fullRecord({ partition: 0, offset: 1 }, 1, 0, { first: 0, slices: 10, of: 10 }));
      h.accept(fullRecord({ partition: 0, offset: 2 + k }, 2, k, { first, slices, of: 10 }));
    }
    for (const file of h.countAll()) h.assembler.publish(file);
    expect([h.complete, h.rejected]).toEqual([['run1/2'], []]);
    expect(h.assembler.progress().runs.find(({ name }) => name === 'run1')).toMatchObject({ averaged: 4 });
  });
});

/** `count` files with a gap of one in front of every `every`th. */
function gapped(count: number, every: number): NumberRanges {
  const ranges: [number, number][] = [];
  for (let first = 0; first < count; first += every) ranges.push([first, first + every - 2]);
  return new NumberRanges(ranges);
}

function filled(ranges: NumberRanges, contents: number, messages: number): PublishedFiles {
  const files = new PublishedFiles(ranges);
  for (let k = 0; k < contents; k++) files.contents.set(400_000 + k, (k * 2_654_435_761) >>> 0);
  for (let k = 0; k < messages / 64; k++)
    files.messages.set(
      400_000 + k,
      Array.from({ length: 64 }, (_, m) => k + m),
    );
  return files;
}

interface Measured {
  readonly bytes: number;
  readonly ms: number;
  readonly read: Progress;
}

function writeAndRead(progress: Progress): Measured {
  const startMs = performance.now();
  const record = encodeProgress(progress);
  const read = decodeProgress(record);
  return { bytes: record.length, ms: performance.now() - startMs, read };
}

describe('however long a run is', () => {
  test('three weeks with 20 000 gaps, and 49 runs before it: small, and read in no time', () => {
    const old = Array.from({ length: 49 }, (_, k) =>
      run(`run${k}`, null, new PublishedFiles(gapped(1000, 100))),
    );
    const files = filled(gapped(430_000, 21), CONTENTS_KEPT, MESSAGES_KEPT);
    const runs = [...old, run('run404', 3072, files)];
    trimPublished(runs.map((each) => each.files));
    expect(files.ranges.length).toBeGreaterThan(20_000);
    const { bytes, ms, read } = writeAndRead(progressOf(3072, runs));
    expect(bytes).toBeLessThan(BROKER_LIMIT_BYTES / 2);
    expect(ms).toBeLessThan(RESTART_MS);
    expect(read.runs.at(-1)?.files).toEqual(files);
  });

  test('at every bound at once the record stays below what a broker takes', () => {
    const runs = Array.from({ length: RUNS_KEPT }, (_, k) => {
      const isLast = k >= RUNS_KEPT - RUNS_WITH_SUMS;
      const name = `${'r'.repeat(60)}${String(k).padStart(4, '0')}~999999`;
      return run(
        name,
        isLast ? 8192 : null,
        isLast ? filled(gapped(430_000, 2), 20_000, 10_000) : new PublishedFiles(),
      );
    });
    trimPublished(runs.map((each) => each.files));
    const missing = '9'.repeat(MISSING_CHARACTERS);
    const entry = {
      run: `${'r'.repeat(64)}~999999`,
      file: 99_999,
      missing,
      atUtc: '2026-11-23T01:02:03.456Z',
    };
    const incomplete = Array.from({ length: INCOMPLETE_LISTED }, () => entry);
    const name = `${'r'.repeat(64)}~999999`;
    const id = '0'.repeat(36);
    const what = `annotated ${name}: «${'€'.repeat(MAX_ANNOTATION_TEXT)}»`;
    const author = '€'.repeat(MAX_AUTHOR);
    const titles = Array.from({ length: TITLES_KEPT }, () => ({ run: name, from: 99_999, name }));
    const operations = {
      log: Array.from({ length: OPERATIONS_KEPT }, () => ({ id, utc: entry.atUtc, who: author, what })),
      annotations: Array.from({ length: ANNOTATIONS_KEPT }, () => ({
        ...ANNOTATION,
        id,
        run: name,
        text: '€'.repeat(MAX_ANNOTATION_TEXT),
        author,
      })),
    };
    const { bytes, ms } = writeAndRead({ ...progressOf(8192, runs), incomplete, titles, operations });
    expect(bytes).toBeLessThan(BROKER_LIMIT_BYTES);
    expect(ms).toBeLessThan(RESTART_MS);
  });

  test('what is known of files is forgotten oldest first; closed gaps count as published', () => {
    const old = filled(gapped(100_000, 2), CONTENTS_KEPT, MESSAGES_KEPT);
    const files = new PublishedFiles();
    for (let file = 0; file < 100; file++) files.add(2 * file, file, [file]);
    trimPublished([old, files]);
    expect(old.contents.size + files.contents.size).toBe(CONTENTS_KEPT);
    expect([old.contents.has(400_099), old.contents.has(400_100), files.contents.size]).toEqual([
      false,
      true,
      100,
    ]);
    expect([...old.messages.keys()][0]).toBe(400_002);
    expect(old.ranges.length + files.ranges.length).toBe(RANGES_KEPT);
    expect(old.has(1)).toBe(true);
    expect(files.has(1)).toBe(false);
  });
});
