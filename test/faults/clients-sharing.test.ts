/** Processors that share the work: two do nearly twice as much as one, and a faster one does more. */
import { expect, inject, test } from 'vitest';
import { produceWords } from '../e2e/chain.ts';
import { type Bridge, succeed } from '../e2e/haloscope.ts';
import { keptFolder } from '../e2e/kept.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { processors } from './night.ts';
import { keptSlowed } from './processors.ts';
import { newRow, type Row } from './row.ts';

/** Three blocks each. */
const SLICES = 480;
const PAIRS = 8;
/** One processor alone takes this long for a pair. It sleeps, so that a busy machine changes nothing. */
const PAIR_MS = 1_000;
const atPace =
  (pairMs: number) =>
  (slices: number): number =>
    (slices / SLICES) * pairMs;
/** Of two, over one. The contract. */
const LEAST_SPEED_UP = 1.8;
const MOST_TURNS = 3;

const recordings = recordMany(1, PAIRS, SLICES);

/** Sends the same files under another run: a backlog. */
async function send(row: Row, folder: string, run: string): Promise<void> {
  await succeed(...produceWords(row.chain, folder, run), '--pace', 'max');
}

const allDone = (bridge: Bridge, run: string): Promise<unknown> =>
  bridge.until(`${run} is done`, (state) => state.run.name === run && state.run.filesDone === PAIRS);

interface Done {
  readonly ms: number;
  /** Of each processor. */
  readonly slices: readonly number[];
}

/** So many slowed processors work off the files, sent as another run, and leave. */
async function workOff(row: Row, bridge: Bridge, folder: string, run: string, count: number): Promise<Done> {
  await send(row, folder, run);
  const all = await Promise.all(Array.from({ length: count }, () => keptSlowed(bridge, atPace(PAIR_MS))));
  await allDone(bridge, run);
  for (const each of all) await each.stop();
  await processors(bridge, 0);
  const begunMs = Math.min(...all.map((each) => each.begunMs));
  const endedMs = Math.max(...all.map((each) => each.endedMs));
  return { ms: endedMs - begunMs, slices: all.map(({ slices }) => slices) };
}

test('two processors, each slowed to a second per pair, do at least 1.8 times what one does', async () => {
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(inject('kafka')['4.4.0']);
  const bridge = await row.bridge('--processor', 'none');
  // Whatever else the machine does only makes either longer: of several times the shortest counts.
  const complete: Record<string, typeof recordings> = {};
  let [aloneMs, bothMs] = [Infinity, Infinity];
  for (let turn = 1; turn <= MOST_TURNS && !(aloneMs / bothMs >= LEAST_SPEED_UP); turn++) {
    const [one, two] = [`one${turn}`, `two${turn}`];
    const alone = await workOff(row, bridge, folder, one, 1);
    const both = await workOff(row, bridge, folder, two, 2);
    complete[one] = recordings;
    complete[two] = recordings;
    expect(alone.slices).toEqual([PAIRS * SLICES]);
    aloneMs = Math.min(aloneMs, alone.ms);
    bothMs = Math.min(bothMs, both.ms);
    process.stdout.write(
      `one: ${(alone.ms / PAIRS).toFixed(0)} ms per pair; two: ${(both.ms / PAIRS).toFixed(0)} ms, ` +
        `${both.slices.join(' and ')} slices; ${(aloneMs / bothMs).toFixed(2)} times\n`,
    );
  }
  expect(aloneMs / bothMs).toBeGreaterThanOrEqual(LEAST_SPEED_UP);
  expect(await row.problems(bridge, { complete })).toEqual([]);
});

test('a processor that is four times as fast does most of the work', async () => {
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(inject('kafka')['3.4.0']);
  const bridge = await row.bridge('--processor', 'none');
  await send(row, folder, 'night');
  const slow = await keptSlowed(bridge, atPace(4 * PAIR_MS));
  const quick = await keptSlowed(bridge, atPace(PAIR_MS));
  await allDone(bridge, 'night');
  process.stdout.write(`slow: ${slow.slices} slices, quick: ${quick.slices}\n`);
  expect(slow.slices + quick.slices).toBe(PAIRS * SLICES);
  expect(slow.slices).toBeGreaterThan(0);
  expect(quick.slices).toBeGreaterThan(2 * slow.slices);
  expect(await row.problems(bridge, { complete: { night: recordings } })).toEqual([]);
});
