/** The assembler, fed with whole sequences of records: in any order, twice, damaged, and among rubbish. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { MAX_OPEN_FILES } from '../../bridge/assembly/assembler.ts';
import { decodeProgress, encodeProgress } from '../../bridge/assembly/progress.ts';
import type { Block } from '../../bridge/dispatch/lease.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import {
  BINS,
  fullRecord,
  type Harness,
  harness,
  momentsOf,
  plainRecord,
  sliceValue,
} from '../assembly/helpers.ts';
import { fuzz } from './fuzz.ts';

const PARTITIONS = 3;
const NOWHERE = { partition: 0, offset: 0 };

/** Numbers records as a log does. */
function laidOut(records: readonly (readonly [InputRecord, number])[]): InputRecord[] {
  const next = Array.from({ length: PARTITIONS }, () => 0);
  return records.map(([record, partition]) => {
    const offset = next[partition] as number;
    next[partition] = offset + 1;
    return { ...record, partition, offset };
  });
}

/** Sorted by keys that fast-check draws, so that it can shrink the order as well. */
const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.array(fc.double({ noNaN: true }), { minLength: items.length, maxLength: items.length }).map((keys) =>
    items
      .map((item, at) => ({ item, key: keys[at] as number }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item),
  );

function begun(slicesPerFile = 6): Harness {
  const made = harness({ slicesPerFile });
  for (let partition = 0; partition < PARTITIONS; partition++) made.assembler.beginAt(partition, 0, 0);
  return made;
}

// Anything at all.

const wild: fc.Arbitrary<InputRecord> = fc
  .record({
    file: fc.oneof(fc.nat(4), fc.constantFrom(0, 65_535, 65_536, 99_999)),
    message: fc.nat(4),
    slices: fc.integer({ min: 1, max: 4 }),
    first: fc.nat(5),
    of: fc.integer({ min: 0, max: 6 }),
    run: fc.constantFrom('run1', 'run2', '__proto__', 'constructor'),
    kind: fc.constantFrom(
      'plain',
      'full',
      'full',
      'bare key',
      'bare value',
      'odd',
      'torn',
      'not finite',
      'far',
    ),
    timestampMs: fc.constantFrom(1, -1, 2 ** 62),
  })
  .map(({ file, message, slices, first, of, run, kind, timestampMs }) => {
    const full = { ...fullRecord(NOWHERE, file, message, { first, slices, of }, run), timestampMs };
    const value = full.value as Buffer;
    switch (kind) {
      case 'plain':
        return { ...plainRecord(NOWHERE, file % 65_536, message, slices), timestampMs };
      case 'bare key':
        return { ...full, key: null };
      case 'bare value':
        return { ...full, value: null };
      case 'odd':
        return { ...full, value: value.subarray(1) };
      case 'torn':
        return { ...full, value: Buffer.from(value).fill(7, 0, 4) };
      case 'not finite': {
        const { 'hs-crc32': _, ...headers } = full.headers;
        return { ...full, headers, value: Buffer.from(value).fill(0xff, 0, 4) };
      }
      case 'far':
        return { ...full, headers: { ...full.headers, 'hs-slices': '9999999', 'hs-first': '9999990' } };
      default:
        return full;
    }
  });

const wildSequence = fc.array(fc.tuple(wild, fc.nat(PARTITIONS - 1), fc.nat(9)), { maxLength: 40 });

/** The progress can be written, read back, and gone on from. */
function expectGoesOn({ assembler }: Harness): void {
  const record = encodeProgress(assembler.progress());
  const again = harness({ progress: decodeProgress(record) });
  expect(again.assembler.runs.names()).toEqual(assembler.runs.names());
}

/** Publishes what is complete, as the pipeline does. */
function publish(h: Harness): void {
  for (const file of h.countAll()) {
    expect(file.moments.count).toBe(file.slices);
    h.assembler.publish(file);
  }
}

fuzz('sequences of records', wildSequence, (sequence) => {
  const h = begun();
  const records = laidOut(sequence.map(([record, partition]) => [record, partition] as const));
  for (const [at, record] of records.entries()) {
    h.accept(record);
    const step = sequence[at]?.[2] ?? 0;
    if (step === 0) h.assembler.flush(1e9);
    if (step <= 1) publish(h);
    if (step === 2) h.assembler.tick(400, () => true);
    if (step === 3) expectGoesOn(h);
    expect(h.assembler.openFiles().length).toBeLessThanOrEqual(MAX_OPEN_FILES);
  }
  h.assembler.flush(1e9);
  publish(h);
  // Read to the end and quiet for ever: nothing stays open, and nothing was published twice.
  for (let partition = 0; partition < PARTITIONS; partition++)
    h.assembler.positions.setEnd(partition, h.assembler.positions.next(partition));
  h.assembler.tick(1e9, () => true);
  h.assembler.flush(1e9);
  publish(h);
  expect(h.assembler.openFiles()).toEqual([]);
  expect(new Set(h.complete).size).toBe(h.complete.length);
  expectGoesOn(h);
});

// Whole files, with everything done to them that a log and a sender may do.

interface Planned {
  readonly file: number;
  readonly slices: number;
  readonly perMessage: number;
}

const plan: fc.Arbitrary<readonly Planned[]> = fc.uniqueArray(
  fc.record({
    file: fc.nat(7),
    slices: fc.integer({ min: 1, max: 12 }),
    perMessage: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1, maxLength: 4, selector: ({ file }) => file },
);

function messagesOf({ file, slices, perMessage }: Planned): InputRecord[] {
  const count = Math.ceil(slices / perMessage);
  return Array.from({ length: count }, (_, message) => {
    const first = message * perMessage;
    const own = Math.min(perMessage, slices - first);
    return fullRecord(NOWHERE, file, message, { first, slices: own, of: slices });
  });
}

/** Copies of a message that must be noticed and must change nothing. */
const SPOILT: readonly ((record: InputRecord) => InputRecord)[] = [
  (record) => record,
  (record) => ({ ...record, key: (record.key as Buffer).subarray(1) }),
  (record) => ({ ...record, value: Buffer.from(record.value as Buffer).fill(3, 5, 9) }),
  (record) => ({ ...record, value: (record.value as Buffer).subarray(4) }),
  (record) => ({ ...record, headers: { ...record.headers, 'hs-slices': 'many' } }),
  (record) => ({ ...record, headers: { ...record.headers, 'hs-bins': '512' } }),
  (record) => ({ ...record, headers: { ...record.headers, 'hs-file': '70000' } }),
  (record) => ({ ...record, headers: { ...record.headers, 'hs-crc32': '00000000' } }),
];

const spoilt = fc.array(fc.tuple(fc.nat(), fc.nat(SPOILT.length - 1)), { maxLength: 10 });

const log = fc.tuple(plan, spoilt).chain(([files, copies]) => {
  const messages = files.flatMap(messagesOf);
  const more = copies.map(([which, how]) => {
    const spoil = SPOILT[how] as (typeof SPOILT)[number];
    return spoil(messages[which % messages.length] as InputRecord);
  });
  return fc.record({
    files: fc.constant(files),
    records: fc
      .tuple(shuffled([...messages, ...more]), fc.infiniteStream(fc.nat(PARTITIONS - 1)))
      .map(([order, partitions]) =>
        laidOut(order.map((each) => [each, partitions.next().value as number] as const)),
      ),
    steps: fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
  });
});

/** Takes blocks apart again: which slices of which file were handed to processors, by their content. */
function countSlices(blocks: readonly Block[], seen: Map<string, number>): void {
  for (const block of blocks) {
    let slices = 0;
    for (const { value, slices: own } of block.segments) {
      const view = new Float32Array(new Uint8Array(value).buffer);
      for (let s = 0; s < own; s++) {
        const first = -(view[(own + s) * BINS] as number) - 1;
        const expected = sliceValue(block.file, first, 1);
        const i = Buffer.from(view.slice(s * BINS, (s + 1) * BINS).buffer);
        const q = Buffer.from(view.slice((own + s) * BINS, (own + s + 1) * BINS).buffer);
        expect(Buffer.concat([i, q]).equals(expected)).toBe(true);
        const key = `${block.file}:${first}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
      slices += own;
    }
    expect(slices).toBe(block.slices);
    expect(momentsOf(block).count).toBe(slices);
  }
}

fuzz('files among rubbish', log, ({ files, records, steps }) => {
  const h = begun();
  const seen = new Map<string, number>();
  const process = (): void => {
    countSlices(h.blocks, seen);
    publish(h);
  };
  for (const [at, record] of records.entries()) {
    h.accept(record);
    const step = steps[at % steps.length];
    if (step === 0) h.assembler.flush(1e9);
    if (step === 1) process();
  }
  h.assembler.flush(1e9);
  process();
  expect(h.complete.toSorted()).toEqual(files.map(({ file }) => `run1/${file}`).toSorted());
  expect(h.incomplete).toEqual([]);
  const slices = files.flatMap(({ file, slices: count }) =>
    Array.from({ length: count }, (_, s) => `${file}:${s}`),
  );
  expect([...seen.keys()].toSorted()).toEqual(slices.toSorted());
  expect([...seen.values()].every((times) => times === 1)).toBe(true);
  // Read once more from the beginning, nothing is published a second time.
  const published = h.complete.length;
  h.accept(...records.map((record, at) => ({ ...record, partition: 0, offset: 1_000 + at })));
  h.assembler.flush(1e9);
  process();
  expect(h.complete.length).toBe(published);
});
