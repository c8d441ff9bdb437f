import { beforeEach, expect, test } from 'vitest';
import { Dispatcher } from '../../bridge/dispatch/dispatcher.ts';
import type { Block, Lease, ProcessorSession } from '../../bridge/dispatch/lease.ts';
import { LEASE_DEADLINE_MS } from '../../bridge/dispatch/processor.ts';
import { faultOf } from '../../bridge/dispatch/verify.ts';
import { type BlockMoments, emptyTimeSums, type TimeSums } from '../../bridge/protocol/moments.ts';

const BINS = 256;
const engine = { kind: 'wasm', name: 'test', why: '' } as const;

const block = (id: number, slices = 2): Block => ({
  id,
  file: 1,
  bins: BINS,
  slices,
  segments: [],
  energy: slices * BINS * 3,
  clipLevel: Infinity,
});

/** I is ±1 and Q is ±√2, as often one as the other. */
const rightSums = (of: Block): TimeSums => ({
  ...emptyTimeSums(),
  samples: of.slices * BINS,
  minI: -1,
  maxI: 1,
  minQ: -Math.SQRT2,
  maxQ: Math.SQRT2,
  sumII: of.energy / 3,
  sumQQ: (2 * of.energy) / 3,
});

/** What a right processor answers: |x|² = 3 everywhere, so |X|² averages to bins · 3. */
const answer = (of: Block, change: Partial<BlockMoments> = {}): BlockMoments => ({
  count: of.slices,
  scaleExponent: 0,
  mean: new Float32Array(BINS).fill(3 * BINS),
  m2: new Float32Array(BINS),
  time: rightSums(of),
  ...change,
});

interface Client {
  readonly leases: Lease[];
  readonly dismissed: string[];
  readonly session: ProcessorSession;
}

let nowMs = 0;
let counted: number[];
let abandoned: number[];
let trouble: string[];
let dispatcher: Dispatcher;

function client(id: string, headless = false): Client {
  const leases: Lease[] = [];
  const dismissed: string[] = [];
  const session = dispatcher.join({
    id,
    headless,
    engine,
    deliver: (lease) => leases.push(lease),
    dismiss: (code) => dismissed.push(code),
  });
  return { leases, dismissed, session };
}

beforeEach(() => {
  nowMs = 0;
  counted = [];
  abandoned = [];
  trouble = [];
  dispatcher = new Dispatcher(
    {
      counted: (of) => counted.push(of.id),
      abandoned: (of) => abandoned.push(of.id),
      trouble: (code) => trouble.push(code),
    },
    () => nowMs,
  );
});

test('never more leases than credits', () => {
  const a = client('a');
  for (let id = 1; id <= 5; id++) dispatcher.add(block(id));
  expect(a.leases).toHaveLength(0);
  a.session.grant(2);
  expect(a.leases.map((lease) => lease.block.id)).toEqual([1, 2]);
  a.session.answer(1, 1, answer(block(1)), 5);
  expect(a.leases).toHaveLength(2);
  a.session.grant(1);
  expect(a.leases.map((lease) => lease.block.id)).toEqual([1, 2, 3]);
  expect(counted).toEqual([1]);
  expect(dispatcher.outstandingBytes).toBe(4 * 2 * BINS * 8);
});

test('blocks of a processor that goes are given to the next, and its late answer does not count', () => {
  const a = client('a');
  a.session.grant(2);
  dispatcher.add(block(1));
  dispatcher.add(block(2));
  const b = client('b');
  b.session.grant(4);
  a.session.leave();
  expect(b.leases.map(({ block: { id }, epoch }) => [id, epoch])).toEqual([
    [1, 2],
    [2, 2],
  ]);
  a.session.answer(1, 1, answer(block(1)), 5);
  expect(counted).toEqual([]);
  b.session.answer(1, 1, answer(block(1)), 5);
  expect(counted).toEqual([]);
  b.session.answer(1, 2, answer(block(1)), 5);
  b.session.answer(1, 2, answer(block(1)), 5);
  expect(counted).toEqual([1]);
});

test('a silent processor is sent away, its block goes to another, and its late answer does not count', () => {
  const a = client('a');
  a.session.grant(1);
  dispatcher.add(block(1));
  const b = client('b');
  b.session.grant(1);
  nowMs = LEASE_DEADLINE_MS - 1;
  dispatcher.tick();
  expect(a.dismissed).toEqual([]);
  nowMs = LEASE_DEADLINE_MS;
  dispatcher.tick();
  expect(a.dismissed).toEqual(['silent']);
  expect(trouble).toEqual(['silent-processor']);
  expect(b.leases.map((lease) => lease.epoch)).toEqual([2]);
  a.session.answer(1, 1, answer(block(1)), 5);
  expect(counted).toEqual([]);
  b.session.answer(1, 2, answer(block(1)), 5);
  expect(counted).toEqual([1]);
});

test('a queue of blocks may take longer than the deadline, as long as answers come', () => {
  const a = client('a');
  a.session.grant(4);
  for (let id = 1; id <= 4; id++) dispatcher.add(block(id));
  for (let id = 1; id <= 4; id++) {
    nowMs += LEASE_DEADLINE_MS - 1;
    dispatcher.tick();
    a.session.answer(id, 1, answer(block(id)), 5);
  }
  expect(counted).toEqual([1, 2, 3, 4]);
  expect(a.dismissed).toEqual([]);
});

test('a block that is passed over for ever by others is taken back', () => {
  const a = client('a');
  a.session.grant(2);
  dispatcher.add(block(1));
  dispatcher.add(block(2));
  for (let id = 2; nowMs < 2 * LEASE_DEADLINE_MS; id++) {
    nowMs += LEASE_DEADLINE_MS / 4;
    a.session.answer(id, 1, answer(block(id)), 5);
    a.session.grant(1);
    dispatcher.add(block(id + 1));
    dispatcher.tick();
  }
  expect(a.dismissed).toEqual(['silent']);
});

test('one that takes nothing at all is sent away once blocks have waited for it', () => {
  const night = client('night', true);
  night.session.grant(1);
  const day = client('day');
  nowMs = 5 * LEASE_DEADLINE_MS;
  dispatcher.tick();
  expect(day.dismissed).toEqual([]);
  dispatcher.add(block(1));
  nowMs += LEASE_DEADLINE_MS;
  dispatcher.tick();
  expect(day.dismissed).toEqual(['silent']);
  expect(night.leases.map((lease) => lease.block.id)).toEqual([1]);
});

test('a block goes where it will be done first', () => {
  const slow = client('slow');
  const quick = client('quick');
  const all = { slow, quick };
  for (const [id, name] of [
    [1, 'slow'],
    [2, 'quick'],
  ] as const) {
    all[name].session.grant(1);
    dispatcher.add(block(id));
    all[name].session.answer(id, 1, answer(block(id)), name === 'slow' ? 400 : 100);
  }
  slow.session.grant(9);
  quick.session.grant(9);
  for (let id = 3; id <= 7; id++) dispatcher.add(block(id));
  expect(quick.leases.map((lease) => lease.block.id)).toEqual([2, 3, 4, 5, 7]);
  expect(slow.leases.map((lease) => lease.block.id)).toEqual([1, 6]);
});

test('wrong answers are refused, the processor is dismissed, the block is done by another', () => {
  const wrong: Partial<BlockMoments>[] = [
    { count: 1 },
    { mean: new Float32Array(BINS).fill(3 * BINS * 1.001) },
    { mean: new Float32Array(BINS).fill(Number.NaN) },
    { m2: new Float32Array(BINS).fill(-1) },
    { m2: new Float32Array(BINS).fill(Infinity) },
    { mean: new Float32Array(BINS - 1) },
    { scaleExponent: 1 },
    { time: emptyTimeSums() },
    ...(
      [
        { samples: 1 },
        { sumII: 0 },
        { minI: Number.NaN },
        { maxQ: Infinity },
        { maxI: 1e3 },
        { minQ: 2 },
        { sumI: 1e6 },
        { sumQ: Number.NaN },
        { sumIQ: 1e6 },
        { clipped: -1 },
        { clipped: 0.5 },
        { clipped: 1e9 },
      ] as const
    ).map((change) => ({ time: { ...rightSums(block(7)), ...change } })),
  ];
  for (const change of wrong) {
    const a = client('a');
    a.session.grant(1);
    const of = block(7);
    dispatcher.add(of);
    a.session.answer(7, a.leases[0]?.epoch ?? 0, answer(of, change), 5);
    expect(a.dismissed).toEqual(['bad-results']);
    const b = client('b');
    b.session.grant(1);
    b.session.answer(7, 2, answer(of), 5);
    expect(counted.pop()).toBe(7);
    b.session.leave();
  }
});

test('a block that processors fail on which can do others is abandoned, the rest goes on', () => {
  const a = client('a');
  a.session.grant(9);
  dispatcher.add(block(1));
  a.session.answer(1, 1, answer(block(1)), 5);
  dispatcher.add(block(2));
  for (let epoch = 1; epoch <= 5; epoch++) a.session.failed(2, epoch, 'bad-block', 'odd');
  expect(abandoned).toEqual([2]);
  dispatcher.add(block(3));
  a.session.answer(3, 1, answer(block(3)), 5);
  expect(counted).toEqual([1, 3]);
  expect(dispatcher.outstandingBytes).toBe(0);
});

test('one that fails on every block is sent away, and a few like it cost no file', () => {
  dispatcher.add(block(1));
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    const broken = client(id);
    broken.session.grant(9);
    for (const { epoch } of broken.leases) broken.session.failed(1, epoch, 'device-lost', 'gone');
    expect(broken.dismissed).toEqual(['bad-results']);
    expect(broken.leases).toHaveLength(3);
  }
  expect(abandoned).toEqual([]);
  const right = client('right');
  right.session.grant(1);
  right.session.answer(1, 16, answer(block(1)), 5);
  expect(counted).toEqual([1]);
});

test('a block that nobody can do is abandoned in the end, though nobody has ever done one', () => {
  dispatcher.add(block(1));
  for (let k = 0; abandoned.length === 0; k++) {
    if (k > 50) throw new Error('never abandoned');
    const each = client(`c${k}`);
    each.session.grant(1);
    each.session.answer(1, each.leases[0]?.epoch ?? 0, answer(block(1), { count: 1 }), 5);
  }
  expect(dispatcher.outstandingBytes).toBe(0);
});

test('who has failed on a block gets it again only where there is nobody else', () => {
  const a = client('a');
  a.session.grant(9);
  dispatcher.add(block(1));
  const b = client('b');
  a.session.failed(1, 1, 'device-lost', 'gone');
  expect(a.leases).toHaveLength(1);
  dispatcher.add(block(2));
  expect(a.leases.map((lease) => lease.block.id)).toEqual([1, 2]);
  b.session.leave();
  expect(a.leases.map((lease) => lease.block.id)).toEqual([1, 2, 1]);
});

test('headless processors yield to a browser between blocks', () => {
  const night = client('night', true);
  night.session.grant(2);
  dispatcher.add(block(1));
  const day = client('day');
  day.session.grant(2);
  dispatcher.add(block(2));
  night.session.answer(1, 1, answer(block(1)), 5);
  night.session.grant(1);
  dispatcher.add(block(3));
  expect(night.leases.map((lease) => lease.block.id)).toEqual([1]);
  expect(day.leases.map((lease) => lease.block.id)).toEqual([2, 3]);
  day.session.leave();
  expect(night.leases.map((lease) => lease.block.id)).toEqual([1, 2, 3]);
});

test('after clear, answers under way count for nothing', () => {
  const a = client('a');
  a.session.grant(1);
  dispatcher.add(block(1));
  dispatcher.clear();
  a.session.answer(1, 1, answer(block(1)), 5);
  expect(counted).toEqual([]);
  expect(dispatcher.outstandingBytes).toBe(0);
});

/** Of samples that were flushed to zero. */
const noSums = (of: Block): TimeSums => ({
  ...rightSums(of),
  minI: 0,
  maxI: 0,
  minQ: 0,
  maxQ: 0,
  sumII: 0,
  sumQQ: 0,
});

test('samples below the smallest normal float32 may be flushed, others not', () => {
  const tiny = { ...block(1), energy: 2 * BINS * 1e-80 };
  const zero = { ...answer(tiny), mean: new Float32Array(BINS) };
  expect(faultOf(tiny, { ...zero, time: noSums(tiny) })).toBeNull();
  const small = { ...block(1), energy: 2 * BINS * 1e-74 };
  expect(faultOf(small, { ...zero, time: noSums(small) })).toContain('Parseval');
});
