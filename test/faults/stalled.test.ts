/** Files that are spread over all partitions, while one partition, or all of them, give nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { INCOMPLETE_AFTER_MS } from '../../bridge/assembly/assembler.ts';
import {
  type LegacyMessage,
  legacyMessages,
  murmur2Partitioner,
  sendLegacy,
} from '../e2e/legacy-producer.ts';
import { record, recordMany } from '../e2e/samples.ts';
import { keptProxy, proxiedBrokers } from './proxy.ts';
import { newRow, notReady, type Row } from './row.ts';

const SLICES = 41;
const PER_MESSAGE = 4;
const PARTITIONS = 4;
const WORDS = ['--run', 'old', '--slices-per-file', String(SLICES)];

const send = ({ chain }: Row, messages: readonly LegacyMessage[]): Promise<void> =>
  sendLegacy(chain.brokers, chain.topicIn, PARTITIONS, messages, {
    seed: 3,
    duplicates: 0,
    filesAhead: 65_536,
  });

test('one partition is stalled while the others run twelve files ahead', async () => {
  const files = recordMany(1, 12, SLICES);
  const messages = files.flatMap((file) => legacyMessages(file, PER_MESSAGE));
  const row = await newRow(inject('kafka')['3.4.0']);
  const bridge = await row.bridge(...WORDS);
  const partitionOf = murmur2Partitioner(row.chain.topicIn, PARTITIONS);
  const isStalled = ({ key }: LegacyMessage): boolean => partitionOf(key) === 2;
  await send(
    row,
    messages.filter((message) => !isStalled(message)),
  );
  const { run, incomplete } = await bridge.until(
    'it has what there is of the first file',
    ({ current }) => (current?.slicesDone ?? 0) > SLICES / 2,
  );
  expect([run.filesDone, incomplete]).toEqual([0, []]);
  await send(row, messages.filter(isStalled));
  expect(await row.problems(bridge, { complete: { old: files } })).toEqual([]);
});

test('what cannot be fetched for longer than a file may be quiet makes none incomplete', async () => {
  const version = '4.4.0';
  const proxied = inject('proxied')[version];
  const proxy = await keptProxy(proxied);
  const file = record(1, SLICES);
  const messages = legacyMessages(file, PER_MESSAGE);
  const row = await newRow(inject('kafka')[version], proxiedBrokers(proxied));
  const bridge = await row.bridge(...WORDS);
  await send(row, messages.slice(1));
  await bridge.until('it is in the middle of the file', ({ current }) => (current?.slicesDone ?? 0) > 0);
  proxy.blackHole();
  await notReady(bridge);
  await sleep(INCOMPLETE_AFTER_MS);
  expect((await bridge.state()).incomplete).toEqual([]);
  await send(row, messages.slice(0, 1));
  proxy.heal();
  expect(await row.problems(bridge, { complete: { old: [file] } })).toEqual([]);
});
