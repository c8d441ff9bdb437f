/** Another log under the same name: noticed, and nothing of it is skipped. */
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Alarms } from '../../bridge/alarms.ts';
import { Assembler } from '../../bridge/assembly/assembler.ts';
import { NewLogError } from '../../bridge/assembly/positions.ts';
import { decodeProgress, encodeProgress, type Progress } from '../../bridge/assembly/progress.ts';
import type { AssignedPartition, InputPort, InputRecord, OutputPort } from '../../bridge/log/port.ts';
import { Resumption } from '../../bridge/resume.ts';
import { fullRecord, GEOMETRY, type Harness, harness, plainRecord } from './helpers.ts';

const OF = 10;

/** Files in messages of 5 slices, on one partition from an offset; content from number + other. */
function log(files: readonly number[], offset = 0, other = 0): InputRecord[] {
  return files.flatMap((file, k) =>
    [0, 1].map((message) => {
      const at = { partition: 0, offset: offset + 2 * k + message };
      const range = { first: 5 * message, slices: 5, of: OF };
      if (other === 0) return fullRecord(at, file, message, range);
      const { value, headers } = fullRecord(at, file + other, message, range);
      return {
        ...fullRecord(at, file, message, range),
        value,
        headers: { ...headers, 'hs-file': String(file) },
      };
    }),
  );
}

/** Reads and publishes; what a bridge has committed in the end. */
function committed(records: readonly InputRecord[], end = records.length): Progress {
  const h = harness();
  h.assembler.beginAt(0, 0, end);
  h.accept(...records);
  for (const file of h.countAll()) h.assembler.publish(file);
  return decodeProgress(encodeProgress(h.assembler.progress()));
}

const partition0 = (endOffset: number, lowOffset = 0): AssignedPartition[] => [
  { partition: 0, lowOffset, endOffset },
];

function goOn(progress: Progress, records: readonly InputRecord[]): Harness {
  const h = harness({ progress });
  const low = records[0]?.offset ?? 0;
  const starts = h.assembler.begin(partition0((records.at(-1)?.offset ?? -1) + 1, low), progress);
  h.accept(...records.filter(({ offset }) => offset >= (starts.get(0) ?? 0)));
  for (const file of h.countAll()) h.assembler.publish(file);
  return h;
}

describe('another log is noticed', () => {
  const known = log([0, 1, 2, 3]);

  test('by the record before the watermark', () => {
    expect(() => goOn(committed(known), log([0, 1, 2, 3, 4], 0, 100))).toThrow(NewLogError);
  });

  test('by its length, when it is shorter than what was read, or empty', () => {
    expect(() => goOn(committed(known), known.slice(0, 7))).toThrow(/ends at offset 7, but was read up to 8/);
    expect(() => goOn(committed(known), [])).toThrow(NewLogError);
  });

  /** File 0 lacks its second half, so the watermark is 0, and files 1 to 3 are published ahead of it. */
  const held = [known[0], ...log([1, 2, 3], 1)].filter((record) => record !== undefined);

  test('with the watermark at 0: by the last record that was read', () => {
    const progress = committed(held);
    expect(progress.partitions[0]).toMatchObject({ watermark: 0, before: null, readTo: 7 });
    expect(goOn(progress, held).rejected.every(({ reason }) => reason === 'already-published')).toBe(true);
    const other = [...log([5], 0, 100).slice(0, 1), ...log([1, 2, 3, 4], 1, 100)];
    expect(() => goOn(progress, other)).toThrow(/offset 6: expected the record 0003/);
    expect(() => goOn(progress, other.slice(0, 6))).toThrow(NewLogError);
  });

  test('when retention has taken the record before the watermark: by the last one that was read', () => {
    const waiting = [
      ...log([0]),
      ...log([1])
        .slice(0, 1)
        .map((r) => ({ ...r, offset: 2 })),
      ...log([2, 3], 3),
    ];
    const progress = committed(waiting);
    expect(progress.partitions[0]).toMatchObject({ watermark: 2, before: { offset: 1 }, readTo: 7 });
    expect(() => goOn(progress, log([1, 2, 3, 4], 2, 100))).toThrow(NewLogError);
  });

  test('without headers: by the timestamps', () => {
    const plain = (stamp: number) =>
      [0, 1, 2, 3].map((file) => ({
        ...plainRecord({ partition: 0, offset: file }, file, 0, OF),
        timestampMs: stamp + file,
      }));
    expect(goOn(committed(plain(1)), plain(1)).rejected).toEqual([]);
    expect(() => goOn(committed(plain(1)), plain(1000))).toThrow(NewLogError);
  });
});

describe('the same log', () => {
  const known = log([0, 1, 2, 3]);

  test('whose records retention has deleted is no other one', () => {
    const h = goOn(committed(known), log([4, 5], 8));
    expect(h.complete).toEqual(['run1/4', 'run1/5']);
    const progress = committed(known);
    const starts = harness({ progress }).assembler.begin(partition0(8, 8), progress);
    expect(starts.get(0)).toBe(8);
  });

  test('made anew with the very same records, or mirrored with its offsets, is gone on with', () => {
    const h = goOn(committed(known), log([0, 1, 2, 3, 4]));
    expect(h.complete).toEqual(['run1/4']);
    expect(h.rejected).toEqual([]);
  });

  test('mirrored with other offsets cannot be told from another one: it is noticed, not skipped', () => {
    expect(() => goOn(committed(known), log([1, 2, 3, 4, 5]))).toThrow(NewLogError);
  });
});

/** An input of which only ends and beginnings are asked for, and an output in memory. */
function resumption(lowOffset: number, record: Buffer | null) {
  const alarms = new Alarms(pino({ level: 'silent' }));
  const written: Buffer[] = [];
  const input = { kind: 'kafka', resolve: async () => new Map([[0, lowOffset]]) } as unknown as InputPort;
  const output = {
    kind: 'kafka',
    acquire: async () => record,
    publish: async (_results: unknown, progress: Buffer) => void written.push(progress),
  } as unknown as OutputPort;
  const options = {
    input,
    output,
    inputName: 'chunk_data',
    bins: 256,
    run: 'run1',
    from: 'latest' as const,
    isUnderWay: false,
  };
  return { resumption: new Resumption({ ...options, alarms }), alarms, written };
}

/** Silent: what comes of it is seen in its progress. */
const newAssembler = (progress: Progress | null): Assembler =>
  new Assembler(
    { geometry: GEOMETRY, run: 'run1', slicesPerFile: OF, incompleteAfterMs: 1000 },
    {
      block: () => {},
      complete: () => {},
      rejected: () => {},
      incomplete: () => {},
      replayed: () => {},
      runBegan: () => {},
    },
    progress,
  );

describe('what is done about it', () => {
  test('alarm, a new run, and everything from the beginning', async () => {
    const {
      resumption: resuming,
      alarms,
      written,
    } = resumption(0, encodeProgress(committed(log([0, 1, 2, 3]))));
    const { assembler, starts } = await resuming.resume(partition0(3), newAssembler);
    expect(alarms.list().map(({ code, message }) => [code, message])).toEqual([
      ['new-log', expect.stringContaining('partition 0 ends at offset 3, but was read up to 8')],
    ]);
    expect(starts.get(0)).toBe(0);
    expect(written).toHaveLength(1);
    assembler.accept(log([0])[0] as InputRecord, 3, 0);
    expect(assembler.openFiles().map(({ run, number }) => `${run}/${number}`)).toEqual(['run1~2/0']);
  });

  test('a second time it is a third run, and the bridge that comes back knows', async () => {
    const first = resumption(0, encodeProgress(committed(log([0, 1, 2, 3]))));
    await first.resumption.resume(partition0(3), newAssembler);
    const progress = decodeProgress(first.written[0] as Buffer);
    const h = harness({ progress });
    h.assembler.beginAt(0, 0, 2);
    h.accept(...log([0]));
    for (const file of h.countAll()) h.assembler.publish(file);
    expect(h.complete).toEqual(['run1~2/0']);
    const second = resumption(0, encodeProgress(h.assembler.progress()));
    const { assembler } = await second.resumption.resume(partition0(1), newAssembler);
    assembler.accept(log([0])[0] as InputRecord, 1, 0);
    expect(assembler.openFiles().map(({ run }) => run)).toEqual(['run1~3']);
  });

  test('records that were deleted before they were read are an alarm of their own', async () => {
    const { resumption: resuming, alarms } = resumption(0, encodeProgress(committed(log([0, 1, 2, 3]))));
    const { starts } = await resuming.resume(partition0(20, 12), newAssembler);
    expect(starts.get(0)).toBe(12);
    expect(alarms.list().map(({ code }) => code)).toEqual(['offset-lost']);
  });
});
