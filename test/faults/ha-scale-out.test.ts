/**
 * `--scale-out`: bridges of one group share the partitions. They come and go while files are open, nothing is lost or
 * published twice, and each shows the sums over all partitions.
 */
import { expect, inject, test } from 'vitest';
import { runProblems } from '../e2e/exports.ts';
import { type Bridge, until } from '../e2e/haloscope.ts';
import { keptFolder } from '../e2e/kept.ts';
import { legacyMessages, sendLegacy } from '../e2e/legacy-producer.ts';
import { expectedOf, record, recordMany } from '../e2e/samples.ts';
import { alarm, inMidFile, newNight, nightOf } from './night.ts';
import { newRow, type Row } from './row.ts';

const FILES = 28;
const SLICES = 300;
const RUN = 'night';
/** Promised is 2 s for sums that are back after an assignment; a loaded machine may take longer. */
const BACK_LIMIT_MS = 10_000;

const another = async (row: Row, ...words: string[]): Promise<Bridge> =>
  row.bridge('--scale-out', '--data', await keptFolder(), ...words);

/** Waits until these bridges have all four partitions, shared fairly. */
async function share(...bridges: readonly Bridge[]): Promise<void> {
  const sizes = async (): Promise<true | undefined> => {
    const states = await Promise.all(bridges.map((bridge) => bridge.state()));
    const owned = states.flatMap(({ group }) => group?.partitions ?? []);
    const isFair = states.every(
      ({ group }) => (group?.partitions.length ?? 0) >= Math.floor(4 / bridges.length),
    );
    return isFair && owned.toSorted((a, b) => a - b).join() === '0,1,2,3' ? true : undefined;
  };
  await until('the partitions are shared', sizes, 60_000);
}

/** How long each assignment took, from its beginning to the sums on the screen. */
const assignmentsOf = (bridge: Bridge): number[] =>
  [...bridge.process.stderr.matchAll(/"ms":(\d+),"msg":"input assigned"/g)].map(([, ms]) => Number(ms));

async function notReadyBecause(bridge: Bridge, reason: RegExp): Promise<void> {
  const said = async (): Promise<true | undefined> => {
    const response = await bridge.get('readyz');
    return response.status === 503 && reason.test(await response.text()) ? true : undefined;
  };
  await until(`the bridge is not ready because of ${reason}`, said, 60_000);
}

test('a third bridge joins and one is killed while files are open', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const recordings = recordMany(1, FILES, SLICES);
  const night = await nightOf(row, recordings);
  const expected = recordings.map(expectedOf);
  const first = await row.bridge('--scale-out');
  const second = await another(row);
  await share(first, second);
  await Promise.all([first.processor(), second.processor()]);
  const { sent } = night.send(1);
  await inMidFile(first, 4);
  const third = await another(row);
  await share(first, second, third);
  await third.until('the third shows what the others did', ({ run }) => run.filesDone >= 4);
  await inMidFile(second, 10);
  await second.stop('SIGKILL');
  await share(first, third);
  await sent();

  expect(await row.problems(first, night.outcome)).toEqual([]);
  for (const bridge of [first, third]) {
    const { run } = await bridge.until('it shows all files', (state) => state.run.filesDone === FILES);
    expect(run).toMatchObject({ name: RUN, slicesDone: FILES * SLICES });
    expect(await runProblems(bridge, RUN, expected)).toEqual([]);
    expect((await bridge.state()).alarms.map(({ code }) => code)).toEqual([]);
    const times = assignmentsOf(bridge);
    process.stdout.write(`sums back after ${times.join(', ')} ms\n`);
    expect(Math.max(...times)).toBeLessThan(BACK_LIMIT_MS);
  }
});

test('a bridge that is frozen while it shares comes back, and fences nobody for ever', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const recordings = recordMany(1, 14, SLICES);
  const night = await nightOf(row, recordings);
  const [first, second] = [await row.bridge('--scale-out'), await another(row)];
  await share(first, second);
  const { sent } = night.send(1);
  await inMidFile(first, 3);
  process.kill(second.process.pid, 'SIGSTOP');
  try {
    await first.until('the first reads everything', ({ group }) => group?.partitions.length === 4);
    await inMidFile(first, 6);
  } finally {
    process.kill(second.process.pid, 'SIGCONT');
  }
  await share(first, second);
  await sent();
  expect(await row.problems(first, night.outcome)).toEqual([]);
  await second.until('the second shows all files', ({ run }) => run.filesDone === 14);
  expect(await runProblems(second, RUN, recordings.map(expectedOf))).toEqual([]);
});

test('messages without headers are refused, with the reason', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const messages = legacyMessages(record(1, 100), 10);
  const order = { seed: 1, duplicates: 0, filesAhead: 1 };
  const [first, second] = [await row.bridge('--scale-out'), await another(row)];
  await share(first, second);
  await sendLegacy(row.chain.brokers, row.chain.topicIn, 4, messages, order);
  for (const bridge of [first, second]) {
    await notReadyBecause(bridge, /without headers/);
    expect(await alarm(bridge, 'scale-out')).toContain('without --scale-out');
  }
  // Nothing was made of them, and a bridge that reads everything takes them.
  await Promise.all([first.stop(), second.stop()]);
  const plain = await row.bridge('--slices-per-file', '100', '--data', await keptFolder());
  await plain.until('the file is done', ({ run }) => run.filesDone === 1);
});

test('a group does not change between the two ways: refused with the reason, both times', async () => {
  const brokers = inject('kafka')['4.4.0'];
  const row = await newRow(brokers);
  const night = await newNight(row, 2, 100);
  const plain = await row.bridge();
  await night.sendAll();
  await plain.until('all files are done', ({ run }) => run.filesDone === 2);
  await plain.stop();
  const scaled = await row.startBridge('--scale-out');
  await notReadyBecause(scaled, /without --scale-out/);
  await scaled.stop();
  expect(await row.problems(await row.bridge(), night.outcome)).toEqual([]);

  const other = await newRow(brokers);
  const otherNight = await newNight(other, 2, 100);
  const first = await other.bridge('--scale-out');
  await otherNight.sendAll();
  await first.until('all files are done', ({ run }) => run.filesDone === 2);
  await first.stop();
  await notReadyBecause(await other.startBridge(), /with --scale-out/);
});
