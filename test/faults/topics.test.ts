/** What can become of the topics: recreated, missing, shortened by retention, offsets reset; and no broker at all. */
import type { Admin } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../broker/kafka.ts';
import type { Chain } from '../e2e/chain.ts';
import { type Bridge, run, succeed, until } from '../e2e/haloscope.ts';
import { keptCommand } from '../e2e/kept.ts';
import { quietKafka } from '../e2e/results.ts';
import { record, recordMany } from '../e2e/samples.ts';
import { alarm, filesDone, sendFiles } from './night.ts';
import { newRow, notReady, type Row } from './row.ts';

const SLICES = 100;
const recordings = recordMany(1, 8, SLICES);

async function withAdmin<T>(brokers: string, action: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = quietKafka(brokers).admin();
  await admin.connect();
  try {
    return await action(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Deletes the topic of the slices, and makes it anew. */
async function recreate({ brokers, topicIn, topicOut }: Chain): Promise<void> {
  await withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [topicIn] }));
  const words = ['--brokers', brokers, '--topic-in', topicIn, '--topic-out', topicOut];
  await succeed('topics', 'create', ...words);
}

/** Does what retention does: removes all that lies in a partition now. */
const deleteRecords = ({ brokers, topicIn }: Chain, partition: number): Promise<void> =>
  withAdmin(brokers, async (admin) => {
    const ends = await admin.fetchTopicOffsets(topicIn);
    const offset = ends.find((each) => each.partition === partition)?.high ?? '0';
    await admin.deleteTopicRecords({ topic: topicIn, partitions: [{ partition, offset }] });
  });

/** A row whose first two files are published. */
async function begun(): Promise<{ row: Row; first: Awaited<ReturnType<Row['bridge']>> }> {
  const row = await newRow(inject('kafka')['4.4.0']);
  const first = await row.bridge();
  await sendFiles(row, recordings.slice(0, 2));
  await filesDone(first, 2);
  return { row, first };
}

test('the topic is recreated while the bridge is down, and holds more than before', async () => {
  const { row, first } = await begun();
  await first.stop();
  await recreate(row.chain);
  await sendFiles(row, recordings.slice(2));
  const second = await row.bridge();
  expect(await alarm(second, 'new-log')).toContain(row.chain.topicIn);
  const complete = { night: recordings.slice(0, 2), 'night~2': recordings.slice(2) };
  expect(await row.problems(second, { complete })).toEqual([]);
});

test('the topic is recreated while the bridge reads it', async () => {
  const { row, first } = await begun();
  await recreate(row.chain);
  expect(await alarm(first, 'new-log')).toContain(row.chain.topicIn);
  // As many records as before lie in partitions 1 and 2 again, at the very same offsets.
  await sendFiles(row, recordings.slice(4, 6));
  const complete = { night: recordings.slice(0, 2), 'night~2': recordings.slice(4, 6) };
  expect(await row.problems(first, { complete })).toEqual([]);
});

test('the topic is missing: one line and status 1 with --no-create, and made without', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const done = await run('serve', '--listen', '127.0.0.1:0', ...row.chain.words, '--no-create');
  expect(done.status).toBe(1);
  expect(done.stderr).toMatch(/no topic .*: create them with \\"haloscope topics create\\"/);
  const bridge = await row.bridge();
  await sendFiles(row, recordings.slice(0, 2));
  expect(await row.problems(bridge, { complete: { night: recordings.slice(0, 2) } })).toEqual([]);
});

test('the broker is absent when the bridge starts', async () => {
  const kafka = await startKafka({ version: '4.4.0' });
  onTestFinished(() => kafka.stop());
  const row = await newRow(kafka.brokers);
  await kafka.kill();
  const bridge = await row.startBridge();
  await notReady(bridge);
  await kafka.restart();
  await bridge.ready();
  await sendFiles(row, recordings.slice(0, 2));
  expect(await row.problems(bridge, { complete: { night: recordings.slice(0, 2) } })).toEqual([]);
});

test('retention has passed what was not yet read: the rest is published, and the gap named', async () => {
  const { row, first } = await begun();
  await first.stop();
  // File 4 is alone in partition 0, and goes; file 8 comes behind it.
  await sendFiles(row, recordings.slice(2, 4));
  await deleteRecords(row.chain, 0);
  await sendFiles(row, recordings.slice(4));
  const second = await row.bridge();
  expect(await alarm(second, 'offset-lost')).toMatch(/partition 0/);
  const complete = { night: recordings.filter(({ file }) => file !== 4) };
  expect(await row.problems(second, { complete })).toEqual([]);
});

test('retention overtakes a bridge that waits for a processor', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  // One message each, all in partition 0.
  const files = Array.from({ length: 15 }, (_, k) => record(4 * (k + 1), 40));
  const bridge = await row.bridge('--processor', 'none');
  await sendFiles(row, files.slice(0, 12));
  const held = await readAhead(bridge);
  await deleteRecords(row.chain, 0);
  await sendFiles(row, files.slice(12));
  keptCommand('process', bridge.url);
  const message = await alarm(bridge, 'offset-lost');
  expect(message).toContain(`partition 0: expected offset ${held}, found 12 to`);
  const complete = { night: [...files.slice(0, held), ...files.slice(12)] };
  expect(await row.problems(bridge, { complete })).toEqual([]);
});

/** How many files of one message a bridge without a processor holds, once it has stopped reading. */
async function readAhead(bridge: Bridge): Promise<number> {
  let slices = 0;
  let looks = 0;
  return until(
    'the bridge has stopped reading',
    async () => {
      const text = await (await bridge.get('metrics')).text();
      const now = Number(/^haloscope_slices_received_total(?:\{.*\})? (\d+)$/m.exec(text)?.[1] ?? 0);
      looks = now > 0 && now === slices ? looks + 1 : 0;
      slices = now;
      return looks > 40 ? slices / 40 : undefined;
    },
    30_000,
  );
}

test.for(['latest', 'earliest'] as const)('the offsets of the group are reset to the %s', async (where) => {
  const { row, first } = await begun();
  await first.stop();
  await sendFiles(row, recordings.slice(2, 4));
  const { brokers, topicIn } = row.chain;
  const groupId = row.chain.words[row.chain.words.indexOf('--group') + 1] ?? '';
  await withAdmin(brokers, (admin) =>
    admin.resetOffsets({ groupId, topic: topicIn, earliest: where === 'earliest' }),
  );
  const second = await row.bridge();
  await sendFiles(row, recordings.slice(4));
  expect(await row.problems(second, { complete: { night: recordings } })).toEqual([]);
});
