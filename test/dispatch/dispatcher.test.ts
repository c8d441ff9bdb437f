import { beforeEach, expect, test } from 'vitest';
import { Dispatcher, LEASE_DEADLINE_MS } from '../../bridge/dispatch/dispatcher.ts';
import type { Block, Lease, ProcessorSession } from '../../bridge/dispatch/lease.ts';
import { faultOf } from '../../bridge/dispatch/verify.ts';
import { type BlockMoments, emptyTimeSums } from '../../bridge/protocol/moments.ts';

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

/** What a right processor answers: |x|² = 3 everywhere, so |X|² averages to bins · 3. */
const answer = (of: Block, change: Partial<BlockMoments> = {}): BlockMoments => ({
  count: of.slices,
  scaleExponent: 0,
  mean: new Float32Array(BINS).fill(3 * BINS),
  m2: new Float32Array(BINS),
  time: { ...emptyTimeSums(), samples: of.slices * BINS, sumII: of.energy / 3, sumQQ: (2 * of.energy) / 3 },
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

test('a lease without an answer goes to another processor; two of them end the connection', () => {
  const a = client('a');
  a.session.grant(1);
  dispatcher.add(block(1));
  const b = client('b');
  b.session.grant(1);
  nowMs = LEASE_DEADLINE_MS;
  dispatcher.tick();
  expect(b.leases.map((lease) => lease.epoch)).toEqual([2]);
  expect(a.dismissed).toEqual([]);
  a.session.grant(1);
  dispatcher.add(block(2));
  nowMs *= 2;
  dispatcher.tick();
  expect(a.dismissed).toEqual(['silent']);
  expect(trouble).toContain('silent-processor');
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

test('a block that nobody can do is abandoned, the rest goes on', () => {
  const a = client('a');
  a.session.grant(6);
  dispatcher.add(block(1));
  for (let epoch = 1; epoch <= 5; epoch++) a.session.failed(1, epoch, 'device-lost', 'gone');
  expect(abandoned).toEqual([1]);
  dispatcher.add(block(2));
  a.session.answer(2, 1, answer(block(2)), 5);
  expect(counted).toEqual([2]);
  expect(dispatcher.outstandingBytes).toBe(0);
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

test('samples below the smallest normal float32 may be flushed, others not', () => {
  const tiny = { ...block(1), energy: 2 * BINS * 1e-80 };
  const zero = { ...answer(tiny), mean: new Float32Array(BINS) };
  expect(faultOf(tiny, { ...zero, time: { ...zero.time, sumII: 0, sumQQ: 0 } })).toBeNull();
  const small = { ...block(1), energy: 2 * BINS * 1e-74 };
  expect(faultOf(small, { ...zero, time: { ...zero.time, sumII: 0, sumQQ: 0 } })).toContain('Parseval');
});
