/** Numbers and names of files: beyond sixteen bits, the same ones in two runs, and a run that is sent again. */
import { expect, inject, test } from 'vitest';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import { readTopic, type TopicRecord } from '../broker/read-topic.ts';
import { legacyMessages, sendLegacy } from '../e2e/legacy-producer.ts';
import { quietKafka } from '../e2e/results.ts';
import { record, recordMany } from '../e2e/samples.ts';
import { alarm, filesDone, sendFiles } from './night.ts';
import { keptSender, recordsOf } from './records.ts';
import { newRow, type Row } from './row.ts';

const SLICES = 100;
const PARTITIONS = 4;
const NEAR_THE_END = [65_534, 65_535, 65_536, 65_537];

/** Sends records to a row's topic, as they are. */
async function sendRecords({ chain }: Row, records: readonly TopicRecord[]): Promise<void> {
  const producer = quietKafka(chain.brokers).producer();
  await producer.connect();
  for (const { partition, key, value, headers } of records) {
    await producer.send({
      topic: chain.topicIn,
      messages: [{ partition, key, value, headers: { ...headers } }],
    });
  }
  await producer.disconnect();
}

test('file 65535 → 65536 → 99999, with headers', async () => {
  const files = [...NEAR_THE_END, 99_998, 99_999].map((file) => record(file, SLICES));
  const row = await newRow(inject('kafka')['3.4.0']);
  const bridge = await row.bridge();
  await sendFiles(row, files);
  expect(await row.problems(bridge, { complete: { night: files } })).toEqual([]);
});

test('file 65535 → 65536 → 99999, of a sender without headers whose number wraps', async () => {
  const files = NEAR_THE_END.map((file) => record(file, SLICES));
  const far = record(99_999, SLICES);
  const row = await newRow(inject('kafka')['4.4.0']);
  const bridge = await row.bridge('--run', 'old', '--slices-per-file', String(SLICES));
  const send = (messages: ReturnType<typeof legacyMessages>): Promise<void> =>
    sendLegacy(row.chain.brokers, row.chain.topicIn, PARTITIONS, messages, {
      seed: 1,
      duplicates: 0,
      filesAhead: 65_536,
    });
  await send(files.flatMap((file) => legacyMessages(file, 9)));
  await filesDone(bridge, files.length);
  // 34 462 files further is no step of the same run.
  await send(legacyMessages(far, 9));
  expect(await alarm(bridge, 'file-jump')).toContain('old~2');
  const complete = { old: files, 'old~2': [{ ...far, file: 99_999 - 65_536 }] };
  expect(await row.problems(bridge, { complete })).toEqual([]);
});

test('the same file numbers in two runs', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const first = recordMany(1, 3, SLICES);
  const second = recordMany(101, 3, SLICES).map((one, k) => ({ ...one, file: k + 1 }));
  const bridge = await row.bridge();
  await sendFiles(row, first, 'first');
  await sendFiles(row, second, 'second');
  expect(await row.problems(bridge, { complete: { first, second } })).toEqual([]);
});

test('other data under numbers that are published already, with headers, over a restart', async () => {
  const first = recordMany(1, 3, SLICES);
  const other = recordMany(101, 3, SLICES).map((one, k) => ({ ...one, file: k + 1 }));
  const row = await newRow(inject('kafka')['3.4.0']);
  const before = await row.bridge();
  const send = await keptSender(row.chain.brokers, row.chain.topicIn);
  for (const one of first) await send(recordsOf(one, 'night', 40));
  await filesDone(before, first.length);
  await before.stop('SIGKILL');
  const bridge = await row.bridge();
  for (const one of other) await send(recordsOf(one, 'night', 7));
  expect(await alarm(bridge, 'file-jump')).toContain('night~2');
  const complete = { night: first, 'night~2': other };
  expect(await row.problems(bridge, { complete })).toEqual([]);
});

test('a published run is sent again', async () => {
  const files = recordMany(1, 3, SLICES);
  const row = await newRow(inject('kafka')['3.4.0']);
  const first = await row.bridge();
  await sendFiles(row, files);
  await filesDone(first, files.length);
  const records = await readTopic(row.chain.brokers, row.chain.topicIn);
  await sendRecords(row, records);
  const dropped = ({ rejected }: BridgeState): boolean =>
    (rejected['already-published'] ?? 0) >= SLICES * files.length;
  await first.until('all of it is dropped', dropped);
  await first.stop();
  const second = await row.bridge();
  await sendRecords(row, records);
  await second.until('all of it is dropped', dropped);
  expect((await second.state()).alarms.map(({ code }) => code)).toEqual(['replayed']);
  expect(await row.problems(second, { complete: { night: files } })).toEqual([]);
});
