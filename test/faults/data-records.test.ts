/** Records that cannot be used, and files of which some never come: named by reason, and the rest goes on. */
import { expect, inject, test } from 'vitest';
import { HEADER } from '../../bridge/records.ts';
import { uniform } from '../engine/accuracy.ts';
import type { Bridge } from '../e2e/haloscope.ts';
import { BINS, type Recording, record, recordMany } from '../e2e/samples.ts';
import { keptSender, type RawRecord, recordsOf, valueOf } from './records.ts';
import { newRow } from './row.ts';

const RUN = 'bad';
const SLICES = 41;
const PER_MESSAGE = 20;
const SLICE_BYTES = BINS * 8;
const MINUTE_MS = 60_000;

interface Fault {
  readonly what: string;
  /** Under which the bridge must count it. */
  readonly reason: string;
  /** Sent before the file itself. */
  readonly bad: (right: RawRecord, recording: Recording) => RawRecord;
  /** Whether the file is lost with it. */
  readonly isFatal?: boolean;
}

const withHeader =
  (name: string, text: string) =>
  (right: RawRecord): RawRecord => ({ ...right, headers: { ...right.headers, [name]: text } });

/** Without the checksum, so that what is wrong is found by itself. */
const unchecked = (headers: RawRecord['headers']): RawRecord['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== HEADER.crc32));

const withValue =
  (change: (value: Buffer) => Buffer | null) =>
  (right: RawRecord): RawRecord => ({
    ...right,
    headers: unchecked(right.headers),
    value: change(Buffer.from(right.value ?? [])),
  });

const withSample = (sample: number) =>
  withValue((value) => {
    value.writeFloatLE(sample, 4 * 4321);
    return value;
  });

const FAULTS: readonly Fault[] = [
  { what: 'no key', reason: 'key-length', bad: (right) => ({ ...right, key: null }) },
  { what: 'an empty key', reason: 'key-length', bad: (right) => ({ ...right, key: Buffer.alloc(0) }) },
  { what: 'a key of 3 bytes', reason: 'key-length', bad: (right) => ({ ...right, key: Buffer.alloc(3) }) },
  { what: 'a key of 5 bytes', reason: 'key-length', bad: (right) => ({ ...right, key: Buffer.alloc(5) }) },
  {
    what: 'a value with one byte more',
    reason: 'value-length',
    bad: withValue((value) => Buffer.concat([value, Buffer.alloc(1)])),
  },
  {
    what: 'a value of half a slice',
    reason: 'value-length',
    bad: withValue((value) => value.subarray(0, SLICE_BYTES / 2)),
  },
  { what: 'an empty value', reason: 'slice-count', bad: withValue(() => Buffer.alloc(0)) },
  { what: 'no value', reason: 'slice-count', bad: withValue(() => null) },
  {
    what: '41 slices',
    reason: 'slice-count',
    bad: (right, recording) => withValue(() => valueOf(recording, 0, SLICES))(right),
  },
  { what: 'a wrong checksum', reason: 'checksum', bad: withHeader(HEADER.crc32, '00000000') },
  { what: 'a checksum that is none', reason: 'checksum', bad: withHeader(HEADER.crc32, 'none') },
  {
    what: 'a flipped bit',
    reason: 'checksum',
    bad: (right) => {
      const value = Buffer.from(right.value ?? []);
      value[12_345] = (value[12_345] ?? 0) ^ 1;
      return { ...right, value };
    },
  },
  { what: 'a first slice beyond the end', reason: 'index-range', bad: withHeader(HEADER.first, '40') },
  {
    what: 'a first slice beyond all ends',
    reason: 'header',
    bad: withHeader(HEADER.first, '4294967296'),
  },
  { what: 'a negative first slice', reason: 'header', bad: withHeader(HEADER.first, '-1') },
  { what: 'no run', reason: 'header', bad: withHeader(HEADER.run, '') },
  { what: 'a run that is the bridge’s', reason: 'header', bad: withHeader(HEADER.run, 'bad~2') },
  { what: 'a file number in words', reason: 'header', bad: withHeader(HEADER.file, 'eight') },
  { what: 'another file than in the key', reason: 'header', bad: withHeader(HEADER.file, '999') },
  { what: 'slices of another length', reason: 'bins', bad: withHeader(HEADER.bins, '1536') },
  { what: 'another rate', reason: 'geometry', bad: withHeader(HEADER.sampleRate, '1000000') },
  { what: 'a NaN', reason: 'non-finite', bad: withSample(Number.NaN), isFatal: true },
  { what: 'an Inf', reason: 'non-finite', bad: withSample(Infinity), isFatal: true },
  { what: 'a −Inf', reason: 'non-finite', bad: withSample(-Infinity), isFatal: true },
  { what: 'other samples in the same place', reason: 'content', bad: withSample(1), isFatal: true },
];

/** How often the bridge has rejected, by reason. */
async function rejections(bridge: Bridge): Promise<Map<string, number>> {
  const text = await (await bridge.get('metrics')).text();
  const lines = text.matchAll(/^haloscope_slices_rejected_total\{reason="([^"]+)"\} (\d+)$/gm);
  return new Map([...lines].map(([, reason, count]) => [reason ?? '', Number(count)]));
}

test('records that cannot be used, and files that come late or never', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const bridge = await row.bridge();
  const send = await keptSender(row.chain.brokers, row.chain.topicIn);
  const recordings = recordMany(1, FAULTS.length, SLICES);
  // Two that lack their second message: the rest of one comes after it was given up.
  const late = record(900, SLICES);
  const never = record(901, SLICES);
  for (const lacking of [late, never]) {
    const [first, , last] = recordsOf(lacking, RUN, PER_MESSAGE) as [RawRecord, RawRecord, RawRecord];
    await send([first, last]);
  }
  for (const [k, { what, reason, bad }] of FAULTS.entries()) {
    const before = (await rejections(bridge)).get(reason) ?? 0;
    const recording = recordings[k] as Recording;
    const [first, ...others] = recordsOf(recording, RUN, PER_MESSAGE) as [RawRecord, ...RawRecord[]];
    // Other content shows only beside the right one.
    await send(reason === 'content' ? [first, bad(first, recording)] : [bad(first, recording), first]);
    await send(others);
    await bridge
      .until(`${what} is counted as ${reason}`, ({ rejected }) => (rejected[reason] ?? 0) > before)
      .catch((cause: unknown) => {
        throw new Error(`${what}: not counted as ${reason}`, { cause });
      });
    const { alarms } = await bridge.state();
    expect(alarms.some(({ code }) => code === reason)).toBe(true);
  }
  const fatal = FAULTS.flatMap(({ isFatal }, k) => (isFatal === true ? [recordings[k]?.file ?? 0] : []));
  const complete = recordings.filter(({ file }) => !fatal.includes(file));

  await bridge.until(
    'both that lack a message are given up',
    ({ incomplete }) => [900, 901].every((file) => incomplete.some((each) => each.file === file)),
    2 * MINUTE_MS,
  );
  const { incomplete } = await bridge.state();
  expect(incomplete.find(({ file }) => file === 901)?.missing).toBe('20-39');
  await send(recordsOf(late, RUN, PER_MESSAGE));
  const outcome = { complete: { [RUN]: [...complete, late] }, incomplete: { [RUN]: [...fatal, 901] } };
  expect(await row.problems(bridge, outcome)).toEqual([]);
});

/** A record, and where in the order of all it lands. */
interface Sent {
  readonly place: number;
  readonly record: RawRecord;
}

test('slices shuffled over partitions and files, and many of them twice', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const bridge = await row.bridge();
  const send = await keptSender(row.chain.brokers, row.chain.topicIn);
  const recordings = recordMany(1, 12, 60);
  const chance = uniform(5);
  /** A record lands near its place, at most as many files away as may be read out of order. */
  const records = recordings.flatMap((recording) =>
    recordsOf(recording, RUN, 7).flatMap((each) => {
      const place = (): number => recording.file + 3 * chance();
      const sent = (): Sent => ({ place: place(), record: { ...each, partition: Math.floor(4 * chance()) } });
      return chance() < 0.3 ? [sent(), sent()] : [sent()];
    }),
  );
  await send(records.toSorted((a, b) => a.place - b.place).map(({ record: each }) => each));
  expect(await row.problems(bridge, { complete: { [RUN]: recordings } })).toEqual([]);
  const rejected = await rejections(bridge);
  const repeated = (rejected.get('duplicate') ?? 0) + (rejected.get('already-published') ?? 0);
  expect(repeated).toBeGreaterThan(0);
  expect([...rejected.keys()].every((reason) => /duplicate|already-published/.test(reason))).toBe(true);
});

test('a whole run is sent a second time', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const bridge = await row.bridge();
  const send = await keptSender(row.chain.brokers, row.chain.topicIn);
  const recordings = recordMany(1, 4, SLICES);
  const all = recordings.flatMap((recording) => recordsOf(recording, RUN, PER_MESSAGE));
  await send(all);
  await bridge.until('all is done', ({ run }) => run.filesDone === recordings.length);
  await send(all);
  const slices = recordings.length * SLICES;
  await bridge.until('all was dropped', ({ rejected }) => rejected['already-published'] === slices);
  expect(await row.problems(bridge, { complete: { [RUN]: recordings } })).toEqual([]);
});
