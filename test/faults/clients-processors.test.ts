/** Processors that freeze, lie, are late or broken: each is sent away by name, and its blocks are done by others. */
import { expect, inject, test } from 'vitest';
import type { BlockFrame } from '../../bridge/protocol/frames.ts';
import type { BlockMoments, TimeSums } from '../../bridge/protocol/moments.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { BINS } from '../e2e/samples.ts';
import { type Bridge, TOKEN } from '../e2e/haloscope.ts';
import { keptCommand } from '../e2e/kept.ts';
import { Client, until } from '../server/harness.ts';
import { alarm, inMidFile, newNight, processors } from './night.ts';
import { keptSlowed } from './processors.ts';
import { newRow } from './row.ts';

const FILES = 4;
const SLICES = 400;
const PACE = 0.8;
/** For a bridge on a busy machine to do something. */
const LONG_MS = 60_000;

const portOf = ({ url }: Bridge): { readonly port: number } => ({ port: Number(new URL(url).port) });

/** A processor that says what a test wants, with room for so many blocks. */
const rawProcessor = (bridge: Bridge, name: string, credits: number): Promise<Client> =>
  new Client(portOf(bridge)).compute(credits, { token: TOKEN, name });

/** What is right, computed in this thread. The block stays as it is. */
async function rightMoments({ samples, segments, clipLevel }: BlockFrame): Promise<BlockMoments> {
  const engine = await createCpuEngine({ bins: BINS, window: 'none', workers: 0 });
  const moments = await engine.process({ samples: samples.slice(), segments, clipLevel });
  await engine.dispose();
  return moments;
}

test('a processor is frozen with blocks in its hands, and thawed when others have done them', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  const frozen = keptCommand('process', bridge.url);
  keptCommand('process', bridge.url);
  await processors(bridge, 2);
  // It has given credit and gets its share of the blocks, of which it answers none.
  process.kill(frozen.pid, 'SIGSTOP');
  await night.sendAll();
  expect(await alarm(bridge, 'silent-processor')).toContain('no answer within 10 s');
  await processors(bridge, 1);
  const done = ({ run }: { run: { filesDone: number } }): boolean => run.filesDone === FILES;
  await bridge.until('the other one does it all', done);
  process.kill(frozen.pid, 'SIGCONT');
  await processors(bridge, 2);
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  expect(await frozen.stop()).toBe(0);
});

test('the bridge’s own processor is frozen in the middle of a file, and replaced', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'auto');
  await processors(bridge, 1);
  const { sent } = night.send(PACE);
  await inMidFile(bridge);
  const started = [...bridge.process.stderr.matchAll(/"pid":(\d+),"msg":"headless processor started"/g)];
  const pid = Number(started[0]?.[1]);
  process.kill(pid, 'SIGSTOP');
  await sent();
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  expect(bridge.process.stderr).toContain('the headless processor computes no more');
  // Nobody waits for it any more; a process that was stopped ends by nothing else.
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a processor needs longer than its deadline for every block: others do them', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  await night.sendAll();
  const slow = await keptSlowed(bridge, () => 12_000);
  await bridge.until('it has blocks', ({ clients }) => clients.some((each) => each.blocksInFlight > 0));
  keptCommand('process', bridge.url);
  expect(await alarm(bridge, 'silent-processor')).toContain('slowed engine');
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  expect(slow.slices).toBeGreaterThan(0);
});

test('answers to leases of another epoch do not count, nor does a second answer', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, 2, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  await night.sendAll();
  const client = await rawProcessor(bridge, 'raw', 2);
  let counted = 0;
  for (let at = 0; counted < 2 * SLICES; at++) {
    await until(() => client.blocks.length > at, 'a block', LONG_MS);
    const block = client.blocks[at] as BlockFrame;
    const right = await rightMoments(block);
    // Passes every check, and is wrong.
    const wrong = { ...right, mean: right.mean.toReversed(), m2: right.m2.toReversed() };
    const { block: id, epoch } = block;
    if (at === 0) {
      // Given back, and lent again under the next epoch: the old lease is void.
      client.say({ type: 'failed', block: id, epoch, code: 'device-lost', message: 'gone' });
      client.answer(block, wrong);
    } else {
      client.answer({ ...block, epoch: epoch - 1 }, wrong);
      client.answer({ ...block, epoch: epoch + 1 }, wrong);
      client.answer({ ...block, block: id + 1_000 }, wrong);
      client.answer(block, right);
      client.answer(block, wrong);
      counted += slicesOf(block.segments);
    }
    client.say({ type: 'credit', blocks: 1 });
  }
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  expect(client.closed).toBeNull();
  expect(client.blocks.map(({ epoch }) => epoch)).toContain(2);
});

const slicesOf = (segments: BlockFrame['segments']): number =>
  segments.reduce((sum, { slices }) => sum + slices, 0);

type Lie = readonly [string, (right: BlockMoments) => BlockMoments, RegExp];

const withMean = (right: BlockMoments, at: number, value: number): BlockMoments => {
  const mean = right.mean.slice();
  mean[at] = value;
  return { ...right, mean };
};
const withM2 = (right: BlockMoments, value: number): BlockMoments => {
  const m2 = right.m2.slice();
  m2[0] = value;
  return { ...right, m2 };
};
const withTime = (right: BlockMoments, change: Partial<TimeSums>): BlockMoments => ({
  ...right,
  time: { ...right.time, ...change },
});

const LIES: readonly Lie[] = [
  ['a thousandth more', (right) => ({ ...right, mean: right.mean.map((p) => p * 1.001) }), /Parseval/],
  ['one strong bin', (right) => withMean(right, 7, 1e3), /Parseval/],
  ['nothing', (right) => ({ ...right, mean: new Float32Array(BINS) }), /M2 up to 0/],
  ['another scale', (right) => ({ ...right, scaleExponent: right.scaleExponent + 1 }), /Parseval/],
  ['one slice less', (right) => ({ ...right, count: right.count - 1 }), /slices counted/],
  ['NaN', (right) => withMean(right, 9, Number.NaN), /finite/],
  ['Inf', (right) => withM2(right, Infinity), /finite/],
  ['a negative power', (right) => withMean(right, 0, -1), /≥ 0/],
  ['a NaN in the time domain', (right) => withTime(right, { minI: Number.NaN }), /time-domain/],
  ['a peak beyond the energy', (right) => withTime(right, { maxQ: 1e3 }), /time-domain/],
  ['samples too many', (right) => withTime(right, { samples: right.time.samples + 1 }), /time-domain/],
];

test('processors that answer wrongly are refused by name, and cost no file', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const night = await newNight(row, 2, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  await night.sendAll();
  for (const [name, lie, why] of LIES) {
    const liar = await rawProcessor(bridge, `liar of ${name}`, 1);
    await until(() => liar.blocks.length === 1, `a block for ${name}`, LONG_MS);
    const block = liar.blocks[0] as BlockFrame;
    liar.answer(block, lie(await rightMoments(block)));
    await until(() => liar.closed !== null, `${name} is found out`, LONG_MS);
    expect(liar.closed?.code, name).toBe(4404);
    expect(liar.refusal, name).toMatchObject({ code: 'bad-results' });
    expect(liar.refusal?.message, name).toMatch(why);
    const { alarms } = await bridge.state();
    expect(alarms.find(({ code }) => code === 'bad-results')?.message).toContain(`liar of ${name}`);
  }
  keptCommand('process', bridge.url);
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
});

test('processors that fail on every block are sent away, and cost no file', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, 2, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  await night.sendAll();
  for (let k = 0; k < 5; k++) {
    const broken = await rawProcessor(bridge, `broken ${k}`, 4);
    for (let at = 0; broken.closed === null; at++) {
      await until(() => broken.closed !== null || broken.blocks.length > at, 'a block', LONG_MS);
      const block = broken.blocks[at];
      if (block === undefined) break;
      const { block: id, epoch } = block;
      broken.say({ type: 'failed', block: id, epoch, code: 'device-lost', message: 'gone' });
    }
    expect(broken.closed?.code).toBe(4404);
  }
  keptCommand('process', bridge.url);
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
});
