import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { LINGER_MS, MAX_OPEN_FILES, MAX_WAITING_BYTES } from '../../bridge/assembly/assembler.ts';
import { NewLogError } from '../../bridge/assembly/positions.ts';
import { decodeProgress, encodeProgress } from '../../bridge/assembly/progress.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import { slicesPerMessageLimit } from '../../bridge/protocol/geometry.ts';
import { HEADER } from '../../bridge/records.ts';
import { BINS, fullRecord, type Harness, harness, momentsOf, plainRecord } from './helpers.ts';

/** All records of a file of `of` slices in messages of n, with headers, on one partition from `offset`. */
function wholeFile(file: number, of: number, n: number, partition = 0, offset = 0): InputRecord[] {
  const records: InputRecord[] = [];
  for (let first = 0, index = 0; first < of; first += n, index++) {
    const range = { first, slices: Math.min(n, of - first), of };
    records.push(fullRecord({ partition, offset: offset + index }, file, index, range));
  }
  return records;
}

let h: Harness;
beforeEach(() => {
  h = harness();
  for (const partition of [0, 1, 2, 3]) h.assembler.beginAt(partition, 0, 0);
});

describe('with headers', () => {
  test('a file is complete when every slice is counted, once', () => {
    h.accept(...wholeFile(7, 10, 4));
    expect(h.complete).toEqual([]);
    h.countAll();
    expect(h.complete).toEqual(['run1/7']);
  });

  test('the clip level lies just below the largest sample that the run has shown, this block included', () => {
    const each = harness();
    each.assembler.beginAt(0, 0, 0);
    /** Level of a file whose samples all are `value`; its processor reports `shown` as the largest. */
    const levelOf = (file: number, value: number, shown = Math.abs(value)): number => {
      const bytes = Buffer.from(new Float32Array(2 * BINS).fill(value).buffer);
      const range = { first: 0, slices: 1, of: 1 };
      const record = fullRecord({ partition: 0, offset: file }, file, 0, range);
      const { [HEADER.crc32]: _, ...headers } = record.headers;
      each.accept({ ...record, headers, value: bytes });
      const [block] = each.blocks.splice(0);
      if (block === undefined) throw new Error('no block');
      const time = { ...momentsOf(block).time, minI: -shown, maxI: 0, minQ: 0, maxQ: 0 };
      const counted = each.assembler.count(block.id, { ...momentsOf(block), time }, 'wasm');
      if (counted === null) throw new Error('not counted');
      each.assembler.publish(counted);
      return block.clipLevel;
    };
    const below = (peak: number): number => peak * (1 - 2 ** -10);
    // Nothing but zeros has shown no level.
    expect(levelOf(1, 0)).toBe(Infinity);
    expect(levelOf(2, 0.25)).toBe(below(0.25));
    expect(levelOf(3, 0.125)).toBe(below(0.25));
    expect(levelOf(4, -0.5)).toBe(below(0.5));
    expect(levelOf(5, 0.25, 2)).toBe(below(0.5));
    expect(levelOf(6, 0.25)).toBe(below(2));
  });

  test('messages per file are known from the first message on', () => {
    expect(h.assembler.messagesPerFile).toBeNull();
    h.accept(...wholeFile(7, 10, 4).slice(0, 1));
    expect(h.assembler.messagesPerFile).toBe(3);
    h.accept(...wholeFile(7, 10, 4, 0, 0).slice(1));
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(h.assembler.messagesPerFile).toBe(3);
  });

  test('messages in any order, twice, give every slice once', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(20).keys()], { minLength: 20 }), (order) => {
        const each = harness();
        each.assembler.beginAt(0, 0, 0);
        const records = [...wholeFile(1, 10, 1), ...wholeFile(1, 10, 1)];
        order.forEach((which, offset) => each.accept({ ...(records[which] as InputRecord), offset }));
        const slices = each.blocks.reduce((sum, block) => sum + block.slices, 0);
        each.countAll();
        return slices === 10 && each.complete.length === 1;
      }),
      { numRuns: 50 },
    );
  });

  test('overlapping messages of another length give only the slices that are new', () => {
    h.accept(fullRecord({ partition: 0, offset: 0 }, 1, 0, { first: 2, slices: 3, of: 10 }));
    h.accept(fullRecord({ partition: 0, offset: 1 }, 1, 1, { first: 0, slices: 10, of: 10 }));
    const [block] = h.blocks;
    expect(block?.slices).toBe(10);
    expect(block?.segments.map((segment) => segment.slices)).toEqual([3, 2, 5]);
    const i = block?.segments[2]?.value.readFloatLE(0);
    expect(i).toBe(Math.fround(1 + 5 / 1024));
    h.countAll();
    expect(h.complete).toEqual(['run1/1']);
  });

  test('pending slices travel after the linger time', () => {
    h.accept(fullRecord({ partition: 0, offset: 0 }, 1, 0, { first: 0, slices: 3, of: 10 }));
    h.assembler.flush(LINGER_MS - 1);
    expect(h.blocks).toHaveLength(0);
    h.assembler.flush(LINGER_MS);
    expect(h.blocks.map((block) => block.slices)).toEqual([3]);
  });
});

describe('without headers', () => {
  test.each([1, 2, 3, 4, 7, 9])('n = %i: slice indices follow once two messages have been seen', (n) => {
    const records: InputRecord[] = [];
    for (let first = 0, index = 0; first < 10; first += n, index++) {
      records.push(
        plainRecord(
          { partition: index % 4, offset: Math.floor(index / 4) },
          5,
          index,
          n,
          Math.min(n, 10 - first),
        ),
      );
    }
    h.accept(...records);
    h.countAll();
    expect(h.complete).toEqual(['run1/5']);
    expect(h.assembler.headerless).toBe(true);
  });

  test('the short last message may come first', () => {
    h.accept(plainRecord({ partition: 0, offset: 0 }, 5, 2, 4, 2));
    h.accept(plainRecord({ partition: 1, offset: 0 }, 5, 0, 4));
    h.accept(plainRecord({ partition: 2, offset: 0 }, 5, 1, 4));
    h.countAll();
    expect(h.complete).toEqual(['run1/5']);
  });

  test('a short last message fixes the length of a file shorter than nominal', () => {
    h.accept(
      plainRecord({ partition: 0, offset: 0 }, 5, 0, 4),
      plainRecord({ partition: 0, offset: 1 }, 5, 1, 4, 2),
    );
    h.countAll();
    expect(h.complete).toEqual(['run1/5']);
  });

  test('a file that fits one message is complete at once', () => {
    h.accept(plainRecord({ partition: 0, offset: 0 }, 5, 0, 10));
    h.countAll();
    expect(h.complete).toEqual(['run1/5']);
  });

  test('numbers continue beyond 65535', () => {
    let offset = 0;
    for (const file16 of [65534, 65535, 0, 1])
      h.accept(plainRecord({ partition: 0, offset: offset++ }, file16, 0, 10));
    h.countAll();
    expect(h.complete).toEqual(['run1/65534', 'run1/65535', 'run1/65536', 'run1/65537']);
  });

  test('a jump opens the next run, and late files of the old one stay there', () => {
    h.accept(plainRecord({ partition: 1, offset: 0 }, 499, 0, 10));
    h.accept(plainRecord({ partition: 0, offset: 0 }, 500, 0, 10));
    h.accept(plainRecord({ partition: 0, offset: 1 }, 0, 0, 10));
    h.accept(plainRecord({ partition: 1, offset: 1 }, 501, 0, 10));
    h.accept(plainRecord({ partition: 1, offset: 2 }, 1, 0, 10));
    h.accept(plainRecord({ partition: 0, offset: 2 }, 2, 0, 10));
    h.countAll();
    expect(h.began).toEqual(['run1~2']);
    expect(h.complete).toEqual(['run1/499', 'run1/500', 'run1~2/0', 'run1/501', 'run1~2/1', 'run1~2/2']);
  });

  test('partitions that are read at very different pace are no jump', () => {
    for (let file = 0; file < 60; file++) {
      h.accept(plainRecord({ partition: 0, offset: file }, file, 0, 5));
    }
    for (let file = 0; file < 60; file++) {
      h.accept(plainRecord({ partition: 1, offset: file }, file, 1, 5));
    }
    h.countAll();
    expect(h.began).toEqual([]);
    expect(h.complete).toHaveLength(60);
  });

  test('after a crash in the middle of a jump every record gets the same number again', () => {
    const log = [
      plainRecord({ partition: 0, offset: 0 }, 500, 0, 10),
      plainRecord({ partition: 0, offset: 1 }, 501, 0, 5),
      plainRecord({ partition: 0, offset: 2 }, 0, 0, 10),
      plainRecord({ partition: 0, offset: 3 }, 1, 0, 10),
    ];
    h.accept(plainRecord({ partition: 1, offset: 0 }, 499, 0, 10), ...log);
    for (const file of h.countAll()) h.assembler.publish(file);
    const progress = decodeProgress(encodeProgress(h.assembler.progress()));
    expect(progress.partitions[0]?.watermark).toBe(1);
    const again = harness({ progress });
    const partitions = [0, 1, 2, 3].map((partition) => ({ partition, lowOffset: 0, endOffset: 4 }));
    const starts = again.assembler.begin(partitions, progress);
    again.accept(...log.slice(starts.get(0)), plainRecord({ partition: 1, offset: 1 }, 501, 1, 5));
    for (const file of again.countAll()) again.assembler.publish(file);
    expect(again.began).toEqual([]);
    expect(again.rejected.map((each) => each.reason)).toEqual(['already-published', 'already-published']);
    expect(again.complete).toEqual(['run1/501']);
  });
});

describe('bad input is counted by reason and stops nothing', () => {
  const good = () => fullRecord({ partition: 0, offset: 0 }, 1, 0, { first: 0, slices: 4, of: 10 });
  const bad: [string, () => InputRecord][] = [
    ['key-length', () => ({ ...good(), key: Buffer.from([1]) })],
    ['key-length', () => ({ ...good(), key: null })],
    ['value-length', () => ({ ...good(), value: Buffer.alloc(255) })],
    ['slice-count', () => ({ ...good(), value: Buffer.alloc(0) })],
    ['slice-count', () => ({ ...good(), value: null })],
    ['slice-count', () => ({ ...good(), value: Buffer.alloc(256 * 8 * 481) })],
    ['header', () => ({ ...good(), headers: { ...good().headers, 'hs-file': 'x' } })],
    ['header', () => ({ ...good(), headers: { ...good().headers, 'hs-file': '2' } })],
    ['header', () => ({ ...good(), headers: { ...good().headers, 'hs-run': 'a/b' } })],
    ['bins', () => ({ ...good(), headers: { ...good().headers, 'hs-bins': '512' } })],
    ['geometry', () => ({ ...good(), headers: { ...good().headers, 'hs-lo': '5' } })],
    ['checksum', () => ({ ...good(), headers: { ...good().headers, 'hs-crc32': '00000000' } })],
    ['index-range', () => ({ ...good(), headers: { ...good().headers, 'hs-first': '7' } })],
  ];
  test.each(bad)('%s', (reason, make) => {
    h.accept(make());
    expect(h.rejected.map((each) => each.reason)).toEqual([reason]);
    h.accept(...wholeFile(1, 10, 4, 0, 1));
    h.countAll();
    expect(h.complete).toEqual(['run1/1']);
  });

  test.each([Number.NaN, Infinity, -Infinity])('a sample of %d rejects its file, not the next', (sample) => {
    const { value, ...rest } = good();
    const spoilt = Buffer.from(value as Buffer);
    spoilt.writeFloatLE(sample, 4 * 300);
    const { 'hs-crc32': _, ...headers } = rest.headers;
    h.accept({ ...rest, headers, value: spoilt }, ...wholeFile(1, 10, 4, 0, 1), ...wholeFile(2, 10, 4, 0, 4));
    h.countAll();
    expect(h.rejected[0]?.reason).toBe('non-finite');
    expect(h.incomplete[0]).toContain('run1/1: non-finite');
    expect(h.complete).toEqual(['run1/2']);
  });

  test('a slice that comes twice with other content rejects the file', () => {
    h.accept(
      plainRecord({ partition: 0, offset: 0 }, 1, 0, 4),
      plainRecord({ partition: 0, offset: 1 }, 1, 1, 4),
    );
    const other = plainRecord({ partition: 0, offset: 2 }, 9, 0, 4);
    h.accept({ ...other, key: Buffer.from([0, 1, 0, 0]) });
    expect(h.rejected.map((each) => each.reason)).toEqual(['content']);
    expect(h.incomplete).toHaveLength(1);
  });

  test('duplicates and published files are dropped', () => {
    h.accept(...wholeFile(1, 10, 4));
    for (const file of h.countAll()) h.assembler.publish(file);
    h.accept(...wholeFile(1, 10, 4, 1));
    expect(h.rejected).toEqual([4, 4, 2].map((slices) => ({ reason: 'already-published', slices })));
  });
});

describe('watermarks', () => {
  const watermarks = () =>
    h.assembler
      .progress()
      .partitions.slice(0, 2)
      .map((p) => p.watermark);

  test('stay at the first offset of any file that is not published', () => {
    const [a0, a1, a2] = wholeFile(0, 10, 4) as [InputRecord, InputRecord, InputRecord];
    h.accept(a0, a1, ...wholeFile(1, 10, 4, 1));
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(h.assembler.runs.isPublished('run1', 1)).toBe(true);
    expect(watermarks()).toEqual([0, 3]);
    h.accept(a2);
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(watermarks()).toEqual([3, 3]);
  });

  test('after a crash every file is published exactly once, wherever the crash came', () => {
    const log = [...wholeFile(0, 10, 4), ...wholeFile(1, 10, 3, 0, 3), ...wholeFile(2, 10, 2, 0, 7)];
    for (let crashAt = 0; crashAt <= log.length; crashAt++) {
      const first = harness();
      first.assembler.beginAt(0, 0, log.length);
      const published: string[] = [];
      const publishAll = (each: Harness): void => {
        for (const file of each.countAll()) {
          each.assembler.publish(file);
          published.push(`${file.run}/${file.number}`);
        }
      };
      for (const record of log.slice(0, crashAt)) first.accept(record);
      publishAll(first);
      const progress = decodeProgress(encodeProgress(first.assembler.progress()));
      const second = harness({ progress });
      const starts = second.assembler.begin(
        [{ partition: 0, lowOffset: 0, endOffset: log.length }],
        progress,
      );
      second.accept(...log.slice(starts.get(0)));
      publishAll(second);
      expect(published).toEqual(['run1/0', 'run1/1', 'run1/2']);
      const sums = second.assembler.runs.get('run1')?.sums;
      expect(sums?.count).toBe(30);
      expect(sums?.time.samples).toBe(30 * 256);
    }
  });

  test('another record where the mark was, or a log that ends before it, is another log', () => {
    h.accept(...wholeFile(0, 10, 4));
    for (const file of h.countAll()) h.assembler.publish(file);
    const progress = decodeProgress(encodeProgress(h.assembler.progress()));
    const partitions = [0, 1, 2, 3].map((partition) => ({ partition, lowOffset: 0, endOffset: 9 }));
    const next = harness({ progress });
    expect(next.assembler.begin(partitions, progress).get(0)).toBe(2);
    const other = fullRecord({ partition: 0, offset: 2 }, 8, 0, { first: 0, slices: 4, of: 10 });
    expect(() => next.accept(other)).toThrow(NewLogError);
    const short = [{ partition: 0, lowOffset: 0, endOffset: 1 }];
    expect(() => harness({ progress }).assembler.begin(short, progress)).toThrow(NewLogError);
  });

  test('a draining assembler opens no file and gives the next owner what it left', () => {
    h.accept(...wholeFile(0, 10, 4));
    h.assembler.draining = true;
    h.accept(...wholeFile(1, 10, 4, 0, 3));
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(h.complete).toEqual(['run1/0']);
    expect(watermarks()[0]).toBe(3);
  });
});

describe('incomplete files', () => {
  const holeInFile0 = (): void => {
    const [a0, , a2] = wholeFile(0, 10, 4) as [InputRecord, InputRecord, InputRecord];
    h.accept(a0, a2);
  };

  test('are given up after quiet time, with what is missing; the watermark moves on', () => {
    holeInFile0();
    h.assembler.tick(999, () => true);
    expect(h.incomplete).toEqual([]);
    h.assembler.tick(1, () => true);
    expect(h.incomplete).toEqual(['run1/0: 4-7']);
    expect(h.assembler.progress().partitions[0]?.watermark).toBe(3);
    expect(h.assembler.progress().incomplete).toHaveLength(1);
  });

  test('wait while a partition cannot be read, or lags', () => {
    holeInFile0();
    h.assembler.tick(5000, (partition) => partition !== 3);
    expect(h.incomplete).toEqual([]);
    h.assembler.positions.setEnd(2, 5);
    h.assembler.tick(5000, () => true);
    expect(h.incomplete).toEqual([]);
  });

  test('that are completed after all are published, and no longer listed', () => {
    holeInFile0();
    h.assembler.tick(1000, () => true);
    h.accept({ ...(wholeFile(0, 10, 4)[1] as InputRecord), offset: 3 });
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(h.complete).toEqual(['run1/0']);
    expect(h.assembler.progress().incomplete).toEqual([]);
  });
});

test('a partition far ahead waits for one that may hold the oldest file, which never waits', () => {
  for (const partition of [0, 1]) h.assembler.positions.setEnd(partition, 100);
  h.accept(plainRecord({ partition: 0, offset: 0 }, 0, 0, 4));
  for (let file = 0; file < 7; file++) h.accept(plainRecord({ partition: 1, offset: file }, file, 1, 4));
  for (const partition of [0, 1]) h.assembler.positions.setEnd(partition, 100);
  expect([...h.assembler.partitionsAhead()]).toEqual([1]);
  h.accept(plainRecord({ partition: 0, offset: 1 }, 3, 0, 4));
  h.assembler.positions.setEnd(0, 100);
  expect([...h.assembler.partitionsAhead()]).toEqual([]);
});

describe('bounds', () => {
  test('two senders that write over each other without headers do not fill the memory', () => {
    h = harness();
    h.assembler.beginAt(0, 0, 1e6);
    for (let offset = 0; offset < 3 * MAX_OPEN_FILES; offset++)
      h.accept(plainRecord({ partition: 0, offset }, offset % 2 === 0 ? 1 : 5000, 0, 2));
    expect(h.assembler.openFiles().length).toBeLessThanOrEqual(MAX_OPEN_FILES);
    expect(h.incomplete.length).toBeGreaterThanOrEqual(2 * MAX_OPEN_FILES);
    expect(h.incomplete[0]).toContain('too many files were open at once');
  });

  test('messages that wait for their place are bounded by their bytes', () => {
    h = harness({ slicesPerFile: 10_000 });
    h.assembler.beginAt(0, 0, 1e6);
    const slices = slicesPerMessageLimit(BINS);
    const bytes = slices * BINS * 8;
    const most = Math.floor(MAX_WAITING_BYTES / bytes);
    for (let offset = 0; offset < most + 5; offset++)
      h.accept(plainRecord({ partition: 0, offset }, offset, 0, slices));
    expect(h.assembler.openFiles()).toHaveLength(most);
    expect(h.incomplete).toHaveLength(5);
  });

  test('no header makes the bridge allocate what it says, or look through it', () => {
    h = harness();
    h.assembler.beginAt(0, 0, 1);
    const record = fullRecord({ partition: 0, offset: 0 }, 1, 0, { first: 0, slices: 1, of: 1 });
    for (const [name, text] of [
      ['hs-slices', '10000001'],
      ['hs-slices', '9007199254740991'],
      ['hs-first', '10000001'],
      ['hs-file', '4294967297'],
    ] as const)
      h.accept({ ...record, headers: { ...record.headers, [name]: text } });
    expect(h.rejected.map(({ reason }) => reason)).toEqual(['header', 'header', 'header', 'header']);
    expect(h.assembler.openFiles()).toEqual([]);
  });
});
