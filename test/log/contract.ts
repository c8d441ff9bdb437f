/**
 * What every implementation of the log's port must do, as tests that are run over each of them.
 *
 *   inputContract('folder', async () => ({ create: () => new FolderInput(…), records: 40, close }));
 *   outputContract('embedded', async () => ({ create: () => new LmdbOutput(…), … }));
 *
 * Call them at the top of a `*.test.ts`. Every test asks for a fixture of its own and closes it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  AssignedPartition,
  CommittedResults,
  InputHandlers,
  InputPort,
  InputRecord,
  LogError,
  OutputPort,
  ResultCursor,
  ResultRecord,
  StartFrom,
} from '../../bridge/log/port.ts';
import { type ChildTarget, type PublishingChild, startPublishing } from './publishing-child.ts';

/** A log with records in it. */
export interface InputFixture {
  /** A new input on the same log, not started. `from` says where partitions begin that have no known position. */
  create(from: StartFrom): InputPort;
  /** How many records to wait for: all of the log where it ends, else at least 20. */
  readonly records: number;
  /** Whether the log ends after `records`; a simulator's does not. */
  readonly ends: boolean;
  /** What lies in the log, where the fixture knows: `partition/offset` → key in hex and CRC-32 of the value. */
  readonly content?: ReadonlyMap<string, string>;
  /** Appends records to the log, where the fixture can; answers how many. */
  append?(): Promise<number>;
  close(): Promise<void>;
}

/** Without records for this long an input counts as silent. */
const SILENCE_MS = 500;
const WAIT_MS = 15_000;

const identity = (record: InputRecord): string =>
  `${record.key?.toString('hex') ?? 'null'} ${record.value === null ? 'null' : crc32(record.value)}`;

/** Handlers that write down everything, in order. */
export class Recorder implements InputHandlers {
  readonly events: string[] = [];
  readonly seen: InputRecord[] = [];
  readonly troubles: (LogError | null)[] = [];
  assignments: (readonly AssignedPartition[])[] = [];
  ends = new Map<number, number>();
  /** What `assigned` answers. */
  answer: (partitions: readonly AssignedPartition[]) => Promise<ReadonlyMap<number, number>> = async () =>
    new Map();
  onRecords: (partition: number, records: readonly InputRecord[]) => void = () => {};

  async assigned(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<number, number>> {
    this.events.push('assigned');
    this.assignments.push(partitions);
    const answer = await this.answer(partitions);
    this.events.push('answered');
    return answer;
  }

  revoked(): void {
    this.events.push('revoked');
  }

  records(partition: number, records: readonly InputRecord[], endOffset: number): void {
    if (this.events.at(-1) !== 'records') this.events.push('records');
    // What is kept must not be the port's own buffers: it may use them again.
    this.seen.push(...records);
    this.ends.set(partition, endOffset);
    this.onRecords(partition, records);
  }

  trouble(error: LogError | null): void {
    this.troubles.push(error);
  }

  /** `partition/offset` of everything seen. */
  places(): string[] {
    return this.seen.map(({ partition, offset }) => `${partition}/${offset}`);
  }
}

export async function until(what: string, condition: () => boolean, limitMs = WAIT_MS): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await sleep(10);
  }
}

/** Waits until nothing has come for a while. */
async function silence(recorder: Recorder): Promise<void> {
  for (let before = -1; before !== recorder.seen.length; ) {
    before = recorder.seen.length;
    await sleep(SILENCE_MS);
  }
}

function expectRising(records: readonly InputRecord[]): void {
  const last = new Map<number, number>();
  for (const { partition, offset } of records) {
    expect(offset, `offset in partition ${partition}`).toBeGreaterThan(last.get(partition) ?? -1);
    last.set(partition, offset);
  }
}

/** Next offset per partition after what was seen. */
function positionsAfter(records: readonly InputRecord[]): Map<number, number> {
  return new Map(records.map(({ partition, offset }) => [partition, offset + 1]));
}

export function inputContract(name: string, open: () => Promise<InputFixture>): void {
  describe(`input: ${name}`, () => {
    let fixture: InputFixture;
    let recorder: Recorder;
    const running: InputPort[] = [];

    const start = async (from: StartFrom = 'earliest'): Promise<InputPort> => {
      const input = fixture.create(from);
      running.push(input);
      await input.start(recorder);
      return input;
    };
    const all = (): Promise<void> =>
      until(`${fixture.records} records are there`, () => recorder.seen.length >= fixture.records);

    beforeEach(async () => {
      fixture = await open();
      recorder = new Recorder();
    });
    afterEach(async () => {
      for (const input of running.splice(0)) await input.stop();
      await fixture.close();
    });

    test('hands over every record of the log once, in rising order, after the assignment', async () => {
      await start();
      await all();
      if (fixture.ends) await silence(recorder);
      if (fixture.ends) expect(recorder.seen.length).toBe(fixture.records);
      expect(recorder.events).toEqual(['assigned', 'answered', 'records']);
      expectRising(recorder.seen);
      for (const { partition, offset } of recorder.seen) {
        expect(recorder.ends.get(partition)).toBeGreaterThan(offset);
      }
      if (fixture.content === undefined) return;
      const seen = recorder.seen.map((record, i) => [recorder.places()[i], identity(record)] as const);
      expect(new Map(seen)).toEqual(fixture.content);
    });

    test('reads the same again', async () => {
      await start();
      await all();
      const first = new Map(recorder.places().map((place, i) => [place, recorder.seen[i] as InputRecord]));
      const again = new Recorder();
      recorder = again;
      await running[0]?.stop();
      await start();
      await all();
      const common = again.places().filter((place) => first.has(place));
      expect(common.length).toBeGreaterThan(0);
      for (const [i, place] of again.places().entries()) {
        const before = first.get(place);
        if (before !== undefined) expect(identity(again.seen[i] as InputRecord)).toBe(identity(before));
      }
    });

    test('hands over nothing before the answer to the assignment', async () => {
      let answer: () => void = () => {};
      recorder.answer = () =>
        new Promise((resolve) => {
          answer = () => resolve(new Map());
        });
      await start();
      await until('there is an assignment', () => recorder.assignments.length === 1);
      await sleep(SILENCE_MS);
      expect(recorder.seen).toEqual([]);
      answer();
      await all();
    });

    test('begins where the answer says', async () => {
      await start();
      await all();
      const middle = recorder.seen[Math.floor(fixture.records / 2)] as InputRecord;
      const partitions = recorder.assignments[0] as readonly AssignedPartition[];
      const begin = new Map(partitions.map(({ partition, endOffset }) => [partition, endOffset]));
      begin.set(middle.partition, middle.offset);
      await running[0]?.stop();
      recorder = new Recorder();
      recorder.answer = async () => begin;
      await start();
      await until('the first record is there', () => recorder.seen.length > 0);
      const first = recorder.seen.find(({ partition }) => partition === middle.partition);
      expect(first?.offset).toBe(middle.offset);
    });

    test('asks again when the answer is a rejection', async () => {
      let times = 0;
      recorder.answer = async () => {
        times++;
        if (times === 1) throw new Error('not yet');
        return new Map();
      };
      await start();
      await all();
      expect(times).toBe(2);
      expect(recorder.troubles.at(-1) ?? null).toBeNull();
    });

    test('pauses at once, keeps nothing back that was handed over, and resumes without loss', async () => {
      const input = await start();
      let paused = false;
      recorder.onRecords = () => {
        if (!paused) input.pause();
        paused = true;
      };
      await until('the first records are there', () => paused);
      await silence(recorder);
      const before = recorder.seen.length;
      await sleep(SILENCE_MS);
      expect(recorder.seen.length).toBe(before);
      input.resume();
      await all();
      expectRising(recorder.seen);
      expect(new Set(recorder.places()).size).toBe(recorder.seen.length);
      if (fixture.content !== undefined) {
        expect(recorder.places().toSorted()).toEqual([...fixture.content.keys()].toSorted());
      }
    });

    test('a pause in the answer to the assignment holds from the first record on', async () => {
      let input: InputPort | null = null;
      recorder.answer = async () => {
        input?.pause();
        return new Map();
      };
      input = await start();
      await until('there is an answer', () => recorder.events.includes('answered'));
      await sleep(SILENCE_MS);
      expect(recorder.seen).toEqual([]);
      input.resume();
      await all();
    });

    test('pauses one partition while the others go on', async () => {
      const input = await start();
      await until('there is an assignment', () => recorder.assignments.length === 1);
      const partitions = recorder.assignments[0] as readonly AssignedPartition[];
      if (partitions.length < 2) return expect(partitions.length).toBe(1);
      await all();
      await input.stop();
      recorder = new Recorder();
      const held = (partitions[0] as AssignedPartition).partition;
      let second: InputPort | null = null;
      recorder.answer = async () => {
        second?.pause([held]);
        return new Map();
      };
      second = await start();
      await until('the others are read', () => recorder.seen.length > 0);
      await silence(recorder);
      expect(recorder.seen.some(({ partition }) => partition === held)).toBe(false);
      second.resume([held]);
      await all();
    });

    test('a new assignment ends the old one and starts where its answer says', async () => {
      const input = await start();
      await until('the first records are there', () => recorder.seen.length > 0);
      let before: InputRecord[] = [];
      recorder.answer = async () => {
        before = [...recorder.seen];
        return positionsAfter(before);
      };
      input.reassign();
      await until(
        'there is another answer',
        () => recorder.events.filter((e) => e === 'answered').length === 2,
      );
      const order = recorder.events.filter((event) => event !== 'records');
      expect(order).toEqual(['assigned', 'answered', 'revoked', 'assigned', 'answered']);
      await all();
      expectRising(recorder.seen);
      if (fixture.ends) expect(new Set(recorder.places()).size).toBe(fixture.records);
    });

    test('resolves earliest, latest and a time to offsets', async () => {
      const input = await start();
      await all();
      const [partitions] = recorder.assignments as [readonly AssignedPartition[]];
      const lows = new Map(partitions.map(({ partition, lowOffset }) => [partition, lowOffset]));
      expect(await input.resolve('earliest')).toEqual(lows);
      expect(await input.resolve({ timeMs: 0 })).toEqual(lows);
      const ends = await input.endOffsets();
      const latest = await input.resolve('latest');
      for (const [partition, end] of ends) {
        expect(latest.get(partition)).toBeGreaterThanOrEqual(fixture.ends ? end : 0);
      }
      if (fixture.ends) expect(latest).toEqual(ends);
      if (fixture.ends) expect(await input.resolve({ timeMs: Date.now() + 1e9 })).toEqual(ends);
    });

    test('begins at the end with from = latest, and reads what comes then', async () => {
      if (!fixture.ends || fixture.append === undefined) {
        return expect(fixture.ends && fixture.append !== undefined).toBe(false);
      }
      await start('latest');
      await until('there is an answer', () => recorder.events.includes('answered'));
      await sleep(SILENCE_MS);
      expect(recorder.seen).toEqual([]);
      const count = await fixture.append();
      await until('the new records are there', () => recorder.seen.length >= count);
      expect(recorder.seen.length).toBe(count);
    });

    test('stops twice, and says nothing any more', async () => {
      const input = await start();
      await until('the first records are there', () => recorder.seen.length > 0);
      await input.stop();
      const { length } = recorder.seen;
      await input.stop();
      await sleep(SILENCE_MS);
      expect(recorder.seen.length).toBe(length);
    });
  });
}

/** Where results go. */
export interface OutputFixture {
  /** A new output with the same identity (directory or transactional id), not acquired. */
  create(): OutputPort;
  /** `run/file` of every committed result, as somebody sees it who knows nothing of the output, repetitions included. */
  committed(): Promise<string[]>;
  /** How another process opens the same output. */
  readonly target: ChildTarget;
  /** Partitions of the results; 1 where there are none. */
  readonly partitions: number;
  close(): Promise<void>;
}

const KILLS = 6;
/** A publish takes 2–40 ms: the kill falls before, in and between several of them. */
const KILL_AFTER_MS = [20, 400] as const;

const result = (file: number, size = 1000): ResultRecord => ({
  run: 'run404',
  file,
  value: Buffer.from(`[${`"${file}",`.repeat(size)}0]`),
  headers: { 'hs-run': 'run404', 'hs-file': String(file), engine: 'cpu' },
});

/** Every byte value, so that no text conversion on the way goes unseen. */
const progressOf = (n: number): Buffer =>
  Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7 + n) % 256));

/** Everything behind a cursor; waits for so many, because readers see a commit a moment after it is acknowledged. */
async function drain(
  output: OutputPort,
  from: ResultCursor | null,
  count: number,
): Promise<CommittedResults> {
  const results: ResultRecord[] = [];
  const deadline = performance.now() + WAIT_MS;
  for (let cursor = from; ; await sleep(10)) {
    const next = await output.committed(cursor, 0);
    results.push(...next.results);
    cursor = next.cursor;
    const isAll = next.results.length === 0 && results.length >= count;
    if (isAll || performance.now() > deadline) return { results, cursor };
  }
}

export function outputContract(name: string, open: () => Promise<OutputFixture>): void {
  describe(`output: ${name}`, () => {
    let fixture: OutputFixture;
    const opened: OutputPort[] = [];
    const create = (): OutputPort => {
      const output = fixture.create();
      opened.push(output);
      return output;
    };

    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(async () => {
      for (const output of opened.splice(0)) await output.release();
      await fixture.close();
    });

    test('is empty at first', async () => {
      const output = create();
      expect(await output.acquire()).toBeNull();
      expect(await output.read('run404', 1)).toBeNull();
      expect(await output.ping()).toBe(true);
    });

    test('gives back what was published, also to the next owner', async () => {
      const output = create();
      await output.acquire();
      await output.publish([result(1), result(2)], progressOf(1));
      await output.publish([result(70_001)], progressOf(2));
      for (const file of [1, 2, 70_001]) expect(await output.read('run404', file)).toEqual(result(file));
      expect(await output.read('run404', 3)).toBeNull();
      expect(await output.read('run4', 1)).toBeNull();
      await output.release();
      const next = create();
      expect((await next.acquire())?.equals(progressOf(2))).toBe(true);
      for (const file of [2, 70_001, 1]) expect(await next.read('run404', file)).toEqual(result(file));
      expect(await fixture.committed()).toHaveLength(3);
    });

    test('hands over what was committed, on from where the last reader stopped', async () => {
      const output = create();
      await output.acquire();
      await output.publish([result(1), result(2)], progressOf(1));
      await output.publish([result(70_001)], progressOf(2));
      const first = await drain(output, null, 3);
      expect(first.results.map(({ file }) => file).toSorted((a, b) => a - b)).toEqual([1, 2, 70_001]);
      expect(first.results.find(({ file }) => file === 2)).toEqual(result(2));
      await output.publish([], progressOf(3));
      await output.publish([result(3)], progressOf(4));
      const second = await drain(output, first.cursor, 1);
      expect(second.results).toEqual([result(3)]);
      expect((await drain(output, second.cursor, 0)).results).toEqual([]);
      const ahead = Object.fromEntries(Object.keys(first.cursor).map((partition) => [partition, 1_000_000]));
      expect((await drain(output, ahead, 4)).results).toHaveLength(4);
    });

    test('publishes progress alone, and keeps the newest of many', async () => {
      const output = create();
      await output.acquire();
      for (let n = 0; n < 30; n++) await output.publish([], progressOf(n));
      expect((await create().acquire())?.equals(progressOf(29))).toBe(true);
    });

    test('takes several large results of one partition in one atom', async () => {
      const output = create();
      await output.acquire();
      const files = Array.from({ length: 6 }, (_, i) => i * fixture.partitions);
      const large = files.map((file) => result(file, 400_000));
      await output.publish(large, progressOf(1));
      for (const one of large)
        expect((await output.read('run404', one.file))?.value.equals(one.value)).toBe(true);
      expect((await fixture.committed()).toSorted()).toEqual(
        files.map((file) => `run404/${file}`).toSorted(),
      );
    });

    test('fences a predecessor, whose writes then take no effect', async () => {
      const old = create();
      await old.acquire();
      await old.publish([result(1)], progressOf(1));
      const next = create();
      expect((await next.acquire())?.equals(progressOf(1))).toBe(true);
      await expect(old.publish([result(2)], progressOf(2))).rejects.toMatchObject({ code: 'fenced' });
      await next.publish([result(3)], progressOf(3));
      await expect(old.publish([result(4)], progressOf(4))).rejects.toMatchObject({
        name: 'LogError',
        code: expect.stringMatching(/^(fenced|unavailable)$/),
      });
      expect((await fixture.committed()).toSorted()).toEqual(['run404/1', 'run404/3']);
      expect((await create().acquire())?.equals(progressOf(3))).toBe(true);
    });

    test('the fenced one may become the owner again', async () => {
      const first = create();
      await first.acquire();
      const second = create();
      await second.acquire();
      await expect(first.publish([], progressOf(1))).rejects.toMatchObject({ code: 'fenced' });
      expect(await first.acquire()).toBeNull();
      await first.publish([result(5)], progressOf(2));
      await expect(second.publish([], progressOf(3))).rejects.toMatchObject({ code: 'fenced' });
      expect(await first.read('run404', 5)).toEqual(result(5));
    });

    test('refuses to publish without ownership, and is released twice', async () => {
      const output = create();
      await expect(output.publish([], progressOf(1))).rejects.toMatchObject({ code: 'unavailable' });
      await output.acquire();
      await output.release();
      await output.release();
      await expect(output.publish([], progressOf(1))).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('results and progress agree exactly after kill -9 at any moment', { timeout: 120_000 }, async () => {
      let published = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const child = await startPublishing(fixture.target);
        await childPublishes(child);
        const acknowledged = await child.kill();
        const output = create();
        const progress = await output.acquire();
        await output.release();
        const files = Number(progress?.toString('utf8') ?? 0);
        expect(files).toBeGreaterThanOrEqual(acknowledged);
        expect(files).toBeGreaterThan(published);
        published = files;
        const expected = Array.from({ length: files }, (_, file) => `child/${file}`);
        expect((await fixture.committed()).toSorted()).toEqual(expected.toSorted());
      }
    });
  });
}

/** Lets the child publish at least once more and then for a random time. */
async function childPublishes(child: PublishingChild): Promise<void> {
  await child.firstPublish;
  const [least, most] = KILL_AFTER_MS;
  await sleep(least + Math.random() * (most - least));
}
