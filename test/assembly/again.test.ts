/**
 * File numbers that come a second time: the same file, or other data. Told by content, whatever the pace of
 * partitions, the length of messages and the moments of crashes.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksumsOf, ContentSum } from '../../bridge/assembly/content.ts';
import { decodeProgress, encodeProgress, type Progress } from '../../bridge/assembly/progress.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import { buildPlainRecord, buildRecord } from '../../bridge/records.ts';
import { GEOMETRY, type Harness, harness, sliceValue } from './helpers.ts';

const SLICES = 10;

interface Sending {
  readonly files: readonly number[];
  /** Other data for another seed. */
  readonly seed?: number;
  readonly n?: number;
  readonly headers?: boolean;
  readonly run?: string;
  /** Only these messages. */
  readonly messages?: readonly number[];
}

/** A topic: records per partition, as senders append them one after another. */
class Topic {
  readonly partitions: InputRecord[][];

  constructor(partitions: number, ...sendings: readonly Sending[]) {
    this.partitions = Array.from({ length: partitions }, () => []);
    for (const sending of sendings) this.#send(sending);
  }

  /** With headers a file lies in one partition; without, its messages are spread. */
  #send({ files, seed = 0, n = 4, headers = true, run = 'run1', messages }: Sending): void {
    for (const file of files) {
      for (let first = 0, message = 0; first < SLICES; first += n, message++) {
        if (messages && !messages.includes(message)) continue;
        const value = sliceValue(file + 1000 * seed, first, Math.min(n, SLICES - first));
        const start = { utcMs: 1.7e12, source: 'given' as const };
        const id = { run, file, slices: SLICES, geometry: GEOMETRY, start };
        const record = headers
          ? buildRecord(id, message, first, value)
          : buildPlainRecord(file, message, value);
        const partition = (headers ? file : 3 * file + message) % this.partitions.length;
        const log = this.partitions[partition] as InputRecord[];
        log.push({ ...record, partition, offset: log.length, timestampMs: log.length });
      }
    }
  }
}

interface Outcome {
  /** `run/file seed`, in order. */
  readonly published: string[];
  readonly began: string[];
  readonly replayed: string[];
  readonly reasons: Set<string>;
  readonly incomplete: string[];
}

/** Content of each file and seed that was asked for. */
const contents = new Map<string, number>();

function contentOf(file: number, seed: number): number {
  const key = `${file} ${seed}`;
  const known = contents.get(key);
  if (known !== undefined) return known;
  const sum = new ContentSum(GEOMETRY.bins);
  sum.add(SLICES, checksumsOf(sliceValue(file + 1000 * seed, 0, SLICES)));
  contents.set(key, sum.fold(SLICES));
  return sum.fold(SLICES);
}

/** Which data a file holds. */
const seedOf = (file: number, found: number): number =>
  [0, 1, 2].find((seed) => contentOf(file, seed) === found) ?? Number.NaN;

/**
 * Reads a topic to its end, with crashes.
 * @param random a number from 0 to 1 for every choice: which partition is read, whether is published, whether is crashed
 */
function read(topic: Topic, random: () => number, crashes: number, publishing = 0.5): Outcome {
  const published: string[] = [];
  const began = new Set<string>();
  const replayed: string[] = [];
  const reasons = new Set<string>();
  let progress: Progress | null = null;
  let life = newLife();
  let left = crashes;

  function newLife(): { readonly each: Harness; readonly next: number[] } {
    const each = harness({ progress });
    const partitions = topic.partitions.map((log, partition) => ({
      partition,
      lowOffset: 0,
      endOffset: log.length,
    }));
    const starts = each.assembler.begin(partitions, progress);
    for (const { partition, endOffset } of partitions) {
      if (!starts.has(partition)) each.assembler.beginAt(partition, 0, endOffset);
    }
    return { each, next: partitions.map(({ partition }) => starts.get(partition) ?? 0) };
  }

  function publish(): void {
    for (const file of life.each.countAll()) {
      life.each.assembler.publish(file);
      published.push(`${file.run}/${file.number} ${seedOf(file.number, file.content())}`);
      progress = decodeProgress(encodeProgress(life.each.assembler.progress()));
    }
    for (const run of life.each.began) began.add(run);
    replayed.push(...life.each.replayed.splice(0));
    for (const { reason } of life.each.rejected) reasons.add(reason);
  }

  for (;;) {
    const { each, next } = life;
    const ahead = each.assembler.partitionsAhead();
    const unread = topic.partitions.flatMap((log, p) => ((next[p] as number) < log.length ? [p] : []));
    const readable = unread.filter((p) => !ahead.has(p));
    if (unread.length === 0) break;
    if (readable.length === 0) throw new Error(`every partition waits: ${unread.join()}`);
    const p = readable[Math.floor(random() * readable.length)] as number;
    const log = topic.partitions[p] as InputRecord[];
    each.assembler.accept(log[next[p] as number] as InputRecord, log.length, 0);
    next[p] = (next[p] as number) + 1;
    if (random() < publishing) publish();
    if (left > 0 && random() < 0.05) {
      left--;
      life = newLife();
    }
  }
  publish();
  life.each.assembler.tick(1000, () => true);
  const incomplete = life.each.assembler
    .incompleteFiles()
    .map((entry) => `${entry.run}/${entry.file}: ${entry.missing}`);
  for (const { reason } of life.each.rejected) reasons.add(reason);
  return {
    published: published.toSorted(),
    began: [...began],
    replayed: replayed.toSorted(),
    reasons,
    incomplete,
  };
}

const steady = (): number => 0.25;

/** Enough to meet a crash between two files of one partition that have moved to another run: one case in a hundred. */
const RARE_CASES = 200;

/** Any pace, any crashes; the same ones at every run of the test. */
function always(topic: () => Topic, check: (outcome: Outcome) => void, numRuns = 60): void {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(999)), fc.nat(3), (stream, crashes) => {
      check(read(topic(), () => (stream.next().value as number) / 1000, crashes));
    }),
    { numRuns, seed: 11 },
  );
}

const files = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, k) => first + k);
const results = (run: string, numbers: readonly number[], seed = 0): string[] =>
  numbers.map((file) => `${run}/${file} ${seed}`);

describe.each([
  ['with headers', true],
  ['without headers', false],
])('%s', (_, headers) => {
  test('the same numbers with other data go on as NAME~2, whatever the pace and the crashes', () => {
    always(
      () => new Topic(4, { headers, files: files(0, 12) }, { headers, files: files(0, 14), seed: 1 }),
      ({ published, incomplete }) => {
        expect(published).toEqual(
          [...results('run1', files(0, 12)), ...results('run1~2', files(0, 14), 1)].toSorted(),
        );
        expect(incomplete).toEqual([]);
      },
      RARE_CASES,
    );
  });

  test('a run that is sent again is dropped, and goes on where it stops being known', () => {
    always(
      () => new Topic(2, { headers, files: files(0, 12) }, { headers, files: files(0, 16) }),
      ({ published, incomplete, began }) => {
        expect(published).toEqual(results('run1', files(0, 16)).toSorted());
        expect(incomplete).toEqual([]);
        expect(began).toEqual([]);
      },
    );
  });

  test.each([1, 2, 3, 4, 5, 7, 10])('sent again in messages of %i slices, it is still the same', (n) => {
    const topic = new Topic(2, { headers, files: files(0, 12) }, { headers, files: files(0, 12), n });
    const { published, reasons, replayed, began } = read(topic, steady, 0, 1);
    expect(published).toEqual(results('run1', files(0, 12)).toSorted());
    expect([...reasons]).toEqual(['already-published']);
    expect(replayed).toEqual(published.map((each) => each.replace(' 0', '')));
    expect(began).toEqual([]);
  });

  test('sent again before any of it is published, it is still the same, and other data are still another run', () => {
    const topic = new Topic(
      4,
      { headers, files: files(0, 14) },
      { headers, files: files(0, 14) },
      { headers, files: files(0, 14), seed: 1 },
      { headers, files: files(0, 14), seed: 1 },
    );
    let calls = 0;
    const inTurn = (): number => (Math.floor(calls++ / 2) % 4) / 4;
    const { published, began, incomplete } = read(topic, inTurn, 0, 0);
    expect(published).toEqual(
      [...results('run1', files(0, 14)), ...results('run1~2', files(0, 14), 1)].toSorted(),
    );
    expect(began).toEqual(['run1~2']);
    expect(incomplete).toEqual([]);
  });

  test.each([1, 2, 3, 5, 7, 10])('other data in messages of %i slices are another run', (n) => {
    const topic = new Topic(
      3,
      { headers, files: files(0, 12) },
      { headers, files: files(0, 12), n, seed: 1 },
    );
    const { published } = read(topic, steady, 0, 1);
    expect(published).toEqual(
      [...results('run1', files(0, 12)), ...results('run1~2', files(0, 12), 1)].toSorted(),
    );
  });

  test('messages that are sent twice are dropped, and nothing is made of them', () => {
    always(
      () =>
        new Topic(
          2,
          { headers, files: files(0, 9) },
          { headers, files: files(7, 9), messages: [0, 2] },
          { headers, files: files(10, 12) },
        ),
      ({ published, incomplete, began, replayed }) => {
        expect(published).toEqual(results('run1', files(0, 12)).toSorted());
        expect(incomplete).toEqual([]);
        expect(began).toEqual([]);
        expect(replayed).toEqual([]);
      },
    );
  });

  test('a third start is a third run', () => {
    const again = [0, 1, 2].map((seed) => ({ headers, files: files(0, 11), seed }));
    always(
      () => new Topic(4, ...again),
      ({ published, incomplete }) => {
        const all = ['run1', 'run1~2', 'run1~3'].flatMap((run, seed) => results(run, files(0, 11), seed));
        expect(published).toEqual(all.toSorted());
        expect(incomplete).toEqual([]);
      },
      RARE_CASES,
    );
  });

  test('a part of a published file in other messages is shown, under the name that it would have', () => {
    const topic = new Topic(
      2,
      { headers, files: files(0, 12) },
      { headers, files: [3], n: 5, messages: [1] },
    );
    const { published, began, incomplete } = read(topic, steady, 0, 1);
    expect(published).toEqual(results('run1', files(0, 12)).toSorted());
    expect(began).toEqual([]);
    expect(incomplete).toEqual([`run1~2/3: ${headers ? '0-4' : 'length not known'}`]);
  });
});

test('numbers go on beyond 65535, and come again after it', () => {
  const numbers = files(65530, 65540);
  const topic = new Topic(2, { headers: false, files: numbers }, { headers: false, files: numbers });
  expect(read(topic, steady, 0, 1)).toMatchObject({ published: results('run1', numbers), began: [] });
  const other = new Topic(
    1,
    { headers: false, files: numbers },
    { headers: false, files: files(0, 20), seed: 1 },
  );
  // Without headers the sender of the second run knows of 0, not of 65536.
  expect(read(other, steady, 0, 1).began).toEqual(['run1~2']);
});

test('with headers numbers reach 99999 without a jump', () => {
  const numbers = [65534, 65535, 65536, 65537, 70001, 99998, 99999];
  const { published, began } = read(new Topic(2, { files: numbers }), steady, 0, 1);
  expect(published).toEqual(results('run1', numbers).toSorted());
  expect(began).toEqual([]);
});

test('the same numbers in two runs are two sets of files', () => {
  const topic = () => new Topic(2, { files: files(0, 9) }, { files: files(0, 9), run: 'run2', seed: 1 });
  always(topic, ({ published, began }) => {
    expect(published).toEqual(
      [...results('run1', files(0, 9)), ...results('run2', files(0, 9), 1)].toSorted(),
    );
    expect(began).toEqual([]);
  });
});

test('two runs of which one is sent within the files of the other both begin anew, whatever the pace and the crashes', () => {
  const alternating = (seed: number): Sending[] =>
    files(0, 12).flatMap((file) => [
      { files: [file], run: 'run1', seed, messages: [0] },
      { files: [file], run: 'run2', seed },
      { files: [file], run: 'run1', seed, messages: [1, 2] },
    ]);
  always(
    () => new Topic(3, ...alternating(0), ...alternating(1)),
    ({ published, incomplete }) => {
      const all = ['run1', 'run2'].flatMap((run) => [
        ...results(run, files(0, 12)),
        ...results(`${run}~2`, files(0, 12), 1),
      ]);
      expect(published).toEqual(all.toSorted());
      expect(incomplete).toEqual([]);
    },
    RARE_CASES,
  );
});

test('a run whose name changes while data flow finishes its open files, and so does the next', () => {
  const topic = new Topic(
    1,
    { files: [0, 1] },
    { files: [2], messages: [0] },
    { files: [0], run: 'run2', messages: [0, 1] },
    { files: [2], messages: [1, 2] },
    { files: [0], run: 'run2', messages: [2] },
  );
  const { published, began } = read(topic, steady, 0, 1);
  expect(published).toEqual(['run1/0 0', 'run1/1 0', 'run1/2 0', 'run2/0 0']);
  expect(began).toEqual([]);
});

test('a header names the run, whatever the bridge was told', () => {
  const { published } = read(new Topic(1, { files: [4], run: 'other' }), steady, 0, 1);
  expect(published).toEqual(['other/4 0']);
});

test('a published number of which the content is forgotten begins a run at once: nothing is dropped unseen', () => {
  const before = harness();
  before.assembler.beginAt(0, 0, 9);
  const topic = new Topic(1, { files: [0] }, { files: [0], n: 5 });
  const log = topic.partitions[0] as InputRecord[];
  before.accept(...log.slice(0, 3));
  for (const file of before.countAll()) before.assembler.publish(file);
  const { files: known } = before.assembler.runs.get('run1') as NonNullable<
    ReturnType<typeof before.assembler.runs.get>
  >;
  known.contents.clear();
  known.messages.clear();
  before.accept(...log.slice(3));
  expect(before.began).toEqual(['run1~2']);
  for (const file of before.countAll()) before.assembler.publish(file);
  expect(before.complete).toEqual(['run1/0', 'run1~2/0']);
});

test('without headers, another name given to the bridge counts from the next file on; what is begun stays', () => {
  const [even, odd] = new Topic(2, { headers: false, files: files(0, 5) }).partitions as [
    InputRecord[],
    InputRecord[],
  ];
  const upTo = (file: number) => (record: InputRecord) => (record.key?.readUInt16BE(0) ?? 0) <= file;
  const before = harness();
  for (const partition of [0, 1]) before.assembler.beginAt(partition, 0, 99);
  before.accept(...even.filter(upTo(3)), ...odd.filter(upTo(1)));
  for (const file of before.countAll()) before.assembler.publish(file);
  expect(before.complete).toEqual(['run1/0', 'run1/1']);
  const progress = decodeProgress(encodeProgress(before.assembler.progress()));
  const after = harness({ progress, run: 'run2' });
  const partitions = [even, odd].map((log, partition) => ({
    partition,
    lowOffset: 0,
    endOffset: log.length,
  }));
  const starts = after.assembler.begin(partitions, progress);
  after.accept(...even.slice(starts.get(0)), ...odd.slice(starts.get(1)));
  for (const file of after.countAll()) after.assembler.publish(file);
  expect(after.complete.toSorted()).toEqual(['run1/2', 'run1/3', 'run2/4', 'run2/5']);
});
