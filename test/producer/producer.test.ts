import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DiskFolder } from '../../bridge/files/disk-folder.ts';
import type { FileProblem } from '../../bridge/protocol/pairs.ts';
import { LogError } from '../../bridge/log/port.ts';
import { createLogger } from '../../bridge/logger.ts';
import { ProduceError } from '../../bridge/producer/problem.ts';
import { FolderProducer, type ProduceReport } from '../../bridge/producer/producer.ts';
import { partitionOfKey } from '../../bridge/producer/murmur2.ts';
import { buildPlainRecord, parseKey } from '../../bridge/records.ts';
import { sampleBytes, sampleOf, type TestFolder, testFolder } from '../files/folder.ts';
import { MemoryLog } from './memory-log.ts';

const BINS = 256;
const SLICES = 21;
const SAMPLES = SLICES * BINS + 10;
const N = 4;
/** Messages of a file: five of four slices and one of one. */
const MESSAGES = 6;

type Settings = ConstructorParameters<typeof FolderProducer>[0];

let folder: TestFolder;
let log: MemoryLog;
let problems: FileProblem[];

beforeEach(async () => {
  folder = await testFolder();
  log = new MemoryLog(3);
  problems = [];
});
afterEach(() => folder.remove());

const settings = (changes: Partial<Settings> = {}): Settings => ({
  folder: new DiskFolder(folder.path),
  slicesPerMessage: N,
  pace: 'max',
  follow: false,
  files: null,
  run: 'run404',
  utcMs: null,
  settleMs: 200,
  pollMs: 20,
  geometry: { bins: BINS, sampleRateHz: 2e6, loHz: 10.353e9 },
  ...changes,
});

function producer(changes: Partial<Settings> = {}, sent: (file: number) => void = () => {}): FolderProducer {
  const events = { problem: (problem: FileProblem) => void problems.push(problem), sent, total: () => {} };
  return new FolderProducer(settings(changes), log, events, createLogger('silent'));
}

const run = (changes: Partial<Settings> = {}, stop = new AbortController().signal): Promise<ProduceReport> =>
  producer(changes).run(stop);

/** Every slice range of these files once, as the assertion wants it. */
const whole = (...files: number[]): string[] =>
  files.flatMap((file) => [0, 4, 8, 12, 16, 20].map((first) => `${file}/${first}+${first === 20 ? 1 : 4}`));

async function pairs(...files: number[]): Promise<void> {
  for (const file of files) await folder.pair(file, SAMPLES);
}

/** The value of a message, made without any code of the reader. */
function valueOf(file: number, first: number, slices: number): Buffer {
  const [from, to] = [first * BINS * 4, (first + slices) * BINS * 4];
  return Buffer.concat([
    sampleBytes(file, SAMPLES, 1).subarray(from, to),
    sampleBytes(file, SAMPLES, -1).subarray(from, to),
  ]);
}

test('sends every pair once, whole, to file mod partitions, in order, with headers', async () => {
  await pairs(0, 1, 2, 3, 7, 70_001);
  const report = await run();
  expect(report).toMatchObject({ files: 6, skipped: 0, messages: 6 * MESSAGES, unfinished: [] });
  expect(problems).toEqual([]);
  expect(log.ranges(BINS)).toEqual(whole(0, 1, 2, 3, 7, 70_001));
  for (const [partition, records] of log.records.entries()) {
    let last = -1;
    for (const { headers, key, value } of records) {
      const file = Number(headers['hs-file']);
      const first = Number(headers['hs-first']);
      expect(file % 3).toBe(partition);
      expect(file * 100 + first).toBeGreaterThan(last);
      last = file * 100 + first;
      expect(parseKey(key)).toEqual({ file16: file % 65_536, message: first / N });
      expect(value?.equals(valueOf(file, first, first === 20 ? 1 : N))).toBe(true);
      expect(headers['hs-crc32']).toBe(
        crc32(value as Buffer)
          .toString(16)
          .padStart(8, '0'),
      );
      expect(headers).toMatchObject({ 'hs-run': 'run404', 'hs-slices': '21', 'hs-bins': '256' });
    }
  }
});

test('again finds everything there, and sends nothing', async () => {
  await pairs(0, 1, 2, 3, 7);
  await run();
  const before = log.all().length;
  expect(await run()).toMatchObject({ files: 0, skipped: 5, messages: 0 });
  expect(log.all().length).toBe(before);
});

test('small messages travel together, and never more than 1 MB', async () => {
  await folder.pair(3, (3 * 983_040) / 8);
  await run({ slicesPerMessage: 1 });
  expect(log.all().length).toBe((3 * 983_040) / 8 / BINS);
  expect(log.largestSendBytes).toBeLessThanOrEqual(983_040);
  expect(log.sends).toBe(3);
});

test('partitions are sent to in parallel, each in order with one batch on the way', async () => {
  await pairs(0, 1, 2, 3, 4, 5);
  const busy = new Set<number>();
  log.beforeSend = async (partition) => {
    expect(busy.has(partition)).toBe(false);
    busy.add(partition);
    await new Promise((resolve) => setTimeout(resolve, 20));
    busy.delete(partition);
  };
  await run({ slicesPerMessage: 21 });
  expect(log.mostInFlight).toBe(3);
});

test('resumes after every possible stop, with no message twice and none missing', async () => {
  await pairs(0, 1, 2, 3, 4);
  for (let cut = 0; cut <= 5 * MESSAGES; cut++) {
    log = new MemoryLog(2);
    let written = 0;
    log.beforeSend = () => {
      if (written++ >= cut) throw new LogError('unauthorized', 'killed here');
    };
    // One message a batch, so that the cut may lie behind any of them.
    await run({ slicesPerMessage: 4, geometry: bigGeometry }).catch((error: unknown) => {
      expect(error).toMatchObject({ message: 'killed here' });
    });
    log.beforeSend = () => {};
    // Another n does not matter for a file that was begun.
    await run({ slicesPerMessage: cut % 2 === 0 ? 4 : 3, geometry: bigGeometry });
    const seen = new Map<string, number[]>();
    for (const { headers, value } of log.all()) {
      const slices = (value?.length ?? 0) / (BINS * 8);
      const first = Number(headers['hs-first']);
      const list = seen.get(headers['hs-file'] ?? '') ?? [];
      for (let s = first; s < first + slices; s++) list.push(s);
      seen.set(headers['hs-file'] ?? '', list);
    }
    expect([...seen.keys()].toSorted()).toEqual(['0', '1', '2', '3', '4']);
    for (const slices of seen.values()) expect(slices).toEqual(Array.from({ length: SLICES }, (_, s) => s));
    checkMessageNumbers();
  }
});

const bigGeometry = { bins: BINS, sampleRateHz: 2e6, loHz: 10.353e9 };

/** Within a file message m begins at m · n, n being that of its first message. */
function checkMessageNumbers(): void {
  for (const records of log.records) {
    let n = 0;
    for (const { key, headers, value } of records) {
      const message = parseKey(key)?.message ?? -1;
      if (message === 0) n = (value?.length ?? 0) / (BINS * 8);
      expect(Number(headers['hs-first'])).toBe(message * n);
    }
  }
}

test('an answer that was lost leads to no duplicate: the topic is asked', async () => {
  await pairs(0, 1, 2, 3);
  log.loseAnswerAfter = 2;
  const report = await run();
  expect(log.ranges(BINS)).toEqual(whole(0, 1, 2, 3));
  expect(report.skipped).toBe(0);
}, 20_000);

test('a topic that cannot be reached at the start is an error at once', async () => {
  await pairs(0);
  log.partitions = async () => {
    throw new LogError('unreachable', 'no broker');
  };
  await expect(run()).rejects.toMatchObject({ code: 'unreachable' });
});

test('a stop lets the batch in hand arrive, and says where the next call goes on', async () => {
  await folder.pair(0, 40 * BINS * 100);
  const stop = new AbortController();
  log.beforeSend = () => stop.abort();
  const report = await run({ slicesPerMessage: 400 }, stop.signal);
  expect(report.unfinished).toEqual([{ file: 0, slice: 400 }]);
  expect(log.ranges(BINS)).toEqual(['0/0+400']);
  log.beforeSend = () => {};
  expect(await run({ slicesPerMessage: 400 })).toMatchObject({ files: 1, unfinished: [] });
  expect(log.ranges(BINS).length).toBe(10);
});

test('what is wrong is named, and the rest is sent', async () => {
  await pairs(0, 9);
  await folder.half('i', 1, sampleBytes(1, SAMPLES, 1));
  await folder.half('q', 2, sampleBytes(2, SAMPLES, 1));
  await folder.half('i', 3, Buffer.alloc(0));
  await folder.half('q', 3, Buffer.alloc(0));
  await folder.half('i', 4, sampleBytes(4, SAMPLES, 1).subarray(0, 4001));
  await folder.half('q', 4, sampleBytes(4, SAMPLES, 1));
  await folder.half('i', 5, sampleBytes(5, SAMPLES, 1));
  await folder.half('q', 5, sampleBytes(5, SAMPLES - 1, 1));
  await folder.pair(6, BINS - 1);
  const report = await run();
  expect(problems.map(({ code, file }) => `${file} ${code}`)).toEqual([
    'duck_i_00001.dat orphan',
    'duck_q_00002.dat orphan',
    'duck_i_00003.dat empty',
    'duck_i_00004.dat mid-sample',
    'duck_i_00005.dat unequal',
    'duck_i_00006.dat too-short',
  ]);
  expect(report.files).toBe(2);
  expect(log.ranges(BINS)).toEqual(whole(0, 9));
});

test('--files and --utc', async () => {
  await pairs(3, 4, 5, 6, 7);
  const utcMs = Date.UTC(2026, 0, 1);
  await run({ files: { first: 4, last: 6 }, utcMs });
  expect(log.ranges(BINS)).toEqual(whole(4, 5, 6));
  const utcOf = (file: number): string | undefined =>
    log.all().find(({ headers }) => headers['hs-file'] === String(file))?.headers['hs-utc'];
  expect(utcOf(4)).toBe('2026-01-01T00:00:00.000Z;given');
  // 5386 samples at 2 MS/s are 2.693 ms.
  expect(utcOf(6)).toBe('2026-01-01T00:00:00.005Z;given');
});

test('without --utc the start is the modification time less the duration', async () => {
  await folder.pair(1, SAMPLES);
  await run();
  const modifiedMs = await folder.modifiedMs(1);
  const [utc] = (log.all()[0]?.headers['hs-utc'] ?? '').split(';');
  expect(Math.abs(Date.parse(utc ?? '') - (modifiedMs - (1000 * SAMPLES) / 2e6))).toBeLessThanOrEqual(1);
});

test('another run in the topic is no reason to skip', async () => {
  await pairs(0, 1);
  await run({ run: 'run403' });
  const report = await run();
  expect(report).toMatchObject({ files: 2, skipped: 0 });
});

test.for([
  ['other-content', { run: 'run404' }, /other samples than .*: give another --run/],
  ['other-geometry', { geometry: { ...bigGeometry, bins: 512 } }, /--bins 256 or another --run/],
] as const)('a run that does not fit its folder is refused: %s', async ([code, changes, message]) => {
  await pairs(0, 1);
  await run();
  if (code === 'other-content') {
    await folder.half('i', 0, sampleBytes(8, SAMPLES, 1));
  }
  const failure = await run(changes).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ProduceError);
  expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a topic that got more partitions in the middle of the run is refused', async () => {
  await pairs(0, 1, 2, 3, 4);
  await run();
  log.records.push([]);
  await expect(run()).rejects.toMatchObject({ code: 'repartitioned' });
});

test('a message of this run that another program put elsewhere is refused', async () => {
  await pairs(0);
  await run();
  const last = log.records[0]?.at(-1);
  if (last?.value == null || last.key === null) throw new Error('expected a record');
  log.append(0, [
    { key: last.key, value: last.value, headers: { ...last.headers, 'hs-first': '3', 'hs-slices': '30' } },
  ]);
  await expect(run()).rejects.toMatchObject({ code: 'no-order' });
});

test('an empty folder and one that is not there are refused in a line', async () => {
  await expect(run()).rejects.toMatchObject({ code: 'no-pairs' });
  await expect(run({ folder: new DiskFolder(`${folder.path}-not`) })).rejects.toMatchObject({
    code: 'no-folder',
    message: expect.stringMatching(/cannot be read \(ENOENT\)$/),
  });
});

/** Messages as the existing producer sends them, up to `cut`, with the loss that a killed batch leaves. */
function sendPlain(
  files: readonly number[],
  n: number,
  keep: (place: number, partition: number) => boolean,
): void {
  let place = 0;
  for (const file of files) {
    for (let message = 0, first = 0; first < SLICES; message++, first += n) {
      const value = valueOf(file, first, Math.min(n, SLICES - first));
      const record = buildPlainRecord(file, message, value);
      const partition = partitionOfKey(record.key, log.records.length);
      if (keep(place++, partition)) log.append(partition, [record]);
    }
  }
}

test('finishes what the existing producer has begun, in its form, and goes on with headers', async () => {
  const files = [3, 65_535, 65_536, 65_539];
  await pairs(...files);
  expect(lookup.size).toBe(files.length * SLICES);
  for (const n of [1, 2, 4, 5, 20, 21]) {
    const perFile = Math.ceil(SLICES / n);
    for (const done of [1, perFile - 1, perFile, perFile + 1, 3 * perFile + 1]) {
      log = new MemoryLog(3);
      // In every partition a beginning of what belongs there; one of them lags by two messages.
      const own = [0, 0, 0];
      const total = [0, 0, 0];
      sendPlain(files, n, (place, partition) => {
        if (place < done) total[partition] = (total[partition] ?? 0) + 1;
        return false;
      });
      sendPlain(files, n, (place, partition) => {
        own[partition] = (own[partition] ?? 0) + 1;
        const lag = partition === 1 ? 2 : 0;
        return place < done && (own[partition] ?? 0) <= (total[partition] ?? 0) - lag;
      });
      await run({ slicesPerMessage: 4 });
      await run({ slicesPerMessage: 4 });
      expectEachSliceOnce(files);
    }
  }
});

/** Judged by content: sample 0 of a slice says which file and slice it is. */
function expectEachSliceOnce(files: readonly number[]): void {
  const found: string[] = [];
  const plain = new Set<number>();
  const headed = new Set<number>();
  for (const { value, headers } of log.all()) {
    const bytes = value as Buffer;
    const slices = bytes.length / (BINS * 8);
    for (let s = 0; s < slices; s++) {
      const sample = bytes.readFloatLE(s * BINS * 4);
      const place = lookup.get(sample);
      if (place === undefined) throw new Error(`a sample ${sample} that no file has`);
      found.push(`${place.file}/${place.slice}`);
      (headers['hs-file'] === undefined ? plain : headed).add(place.file);
    }
  }
  const wanted = files.flatMap((file) => Array.from({ length: SLICES }, (_, s) => `${file}/${s}`));
  expect(found.toSorted()).toEqual(wanted.toSorted());
  expect([...plain].filter((file) => headed.has(file))).toEqual([]);
}

const lookup = new Map(
  [3, 65_535, 65_536, 65_539].flatMap((file) =>
    Array.from({ length: SLICES }, (_, slice) => [sampleOf(file, slice * BINS), { file, slice }] as const),
  ),
);

test('follows the folder: new pairs as they become whole, a growing one not before', async () => {
  await pairs(0);
  const sent: number[] = [];
  const stop = new AbortController();
  const done = producer({ follow: true }, (file) => sent.push(file)).run(stop.signal);
  const until = async (count: number): Promise<void> => {
    const deadline = performance.now() + 5000;
    while (sent.length < count && performance.now() < deadline) await new Promise((r) => setTimeout(r, 10));
    expect(sent.length).toBe(count);
  };
  await until(1);
  await folder.half('i', 1, sampleBytes(1, SAMPLES, 1), 0);
  await folder.half('q', 1, sampleBytes(1, SAMPLES, -1).subarray(0, 1000), 0);
  await new Promise((r) => setTimeout(r, 120));
  await folder.half('q', 1, sampleBytes(1, SAMPLES, -1).subarray(0, 2000), 0);
  await new Promise((r) => setTimeout(r, 120));
  expect(sent).toEqual([0]);
  await folder.half('q', 1, sampleBytes(1, SAMPLES, -1), 0);
  await until(2);
  await folder.pair(2, SAMPLES, 0);
  await until(3);
  stop.abort();
  expect(await done).toMatchObject({ files: 3 });
  expect(problems).toEqual([]);
  expect(log.ranges(BINS)).toEqual(whole(0, 1, 2));
});
