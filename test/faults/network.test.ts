/** Between bridge and broker: answers that are lost, latency, resets, a black hole. The same for the producer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { readTopic } from '../broker/read-topic.ts';
import { produceWords } from '../e2e/chain.ts';
import { type Haloscope, succeed } from '../e2e/haloscope.ts';
import { keptCommand, keptFolder } from '../e2e/kept.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { type Api, type KafkaProxy, keptProxy, proxiedBrokers } from './proxy.ts';
import { newRow, notReady, type Row } from './row.ts';

const VERSION = '3.4.0';
const FILES = 6;
const SLICES = 200;
/** Long enough for a rejoin, short enough to hit every stage of one. */
const RESET_EVERY_MS = 900;

const recordings = recordMany(1, FILES, SLICES);
const complete = { night: recordings };

interface Scene {
  readonly row: Row;
  readonly proxy: KafkaProxy;
  readonly folder: string;
}

async function newScene(): Promise<Scene> {
  const proxied = inject('proxied')[VERSION];
  const proxy = await keptProxy(proxied);
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  return { row: await newRow(inject('kafka')[VERSION], proxiedBrokers(proxied)), proxy, folder };
}

const produce = ({ row, folder }: Scene, pace: string): Haloscope =>
  keptCommand(...produceWords(row.chain, folder, 'night'), '--pace', pace);

interface LostAnswer {
  readonly api: Api;
  readonly instead: 'reset' | 'silence';
}

const LOST: readonly LostAnswer[] = [
  { api: 'Produce', instead: 'reset' },
  { api: 'Produce', instead: 'silence' },
  { api: 'EndTxn', instead: 'reset' },
  { api: 'EndTxn', instead: 'silence' },
  { api: 'OffsetCommit', instead: 'reset' },
];

test.for(LOST)('the answer to $api is lost, $instead', async ({ api, instead }) => {
  const scene = await newScene();
  const bridge = await scene.row.bridge();
  const lost = scene.proxy.loseResponse(api, instead, { skip: 1 });
  const producer = produce(scene, '0.5');
  await lost.caught;
  expect((await producer.finished()).status).toBe(0);
  expect(await scene.row.problems(bridge, { complete })).toEqual([]);
});

test('the answer to InitProducerId is lost', async () => {
  const scene = await newScene();
  const lost = scene.proxy.loseResponse('InitProducerId', 'reset');
  const bridge = await scene.row.bridge();
  await lost.caught;
  const producer = produce(scene, 'max');
  expect((await producer.finished()).status).toBe(0);
  expect(await scene.row.problems(bridge, { complete })).toEqual([]);
});

test('latency of 300 ms there and back', async () => {
  const scene = await newScene();
  scene.proxy.latencyMs = 150;
  const bridge = await scene.row.bridge();
  const producer = produce(scene, '0.5');
  expect((await producer.finished()).status).toBe(0);
  expect(await scene.row.problems(bridge, { complete })).toEqual([]);
});

test('every connection is reset again and again', async () => {
  const scene = await newScene();
  const bridge = await scene.row.bridge();
  const producer = produce(scene, '1');
  let resets = 0;
  while (producer.isRunning) {
    resets += scene.proxy.reset();
    await sleep(RESET_EVERY_MS);
  }
  const ended = await producer.finished();
  expect(ended.status, ended.stderr).toBe(0);
  expect(resets).toBeGreaterThan(FILES);
  expect(await scene.row.problems(bridge, { complete })).toEqual([]);
});

test('a black hole, until the bridge has noticed', async () => {
  const scene = await newScene();
  const bridge = await scene.row.bridge();
  const producer = produce(scene, '1');
  await bridge.until('two files are done', ({ run }) => run.filesDone >= 2);
  scene.proxy.blackHole();
  await notReady(bridge);
  scene.proxy.heal();
  expect((await producer.finished()).status).toBe(0);
  expect(await scene.row.problems(bridge, { complete })).toEqual([]);
});

test.for(['reset', 'silence'] as const)('the answer to the producer is lost, %s', async (instead) => {
  const { row, proxy, folder } = await newScene();
  const direct = inject('kafka')[VERSION];
  const bridge = await row.bridge('--brokers', direct);
  const lost = [1, 4].map((skip) => proxy.loseResponse('Produce', instead, { skip }));
  const through = { ...row.chain, brokers: proxiedBrokers(inject('proxied')[VERSION]) };
  await succeed(...produceWords(through, folder, 'night'), '--pace', 'max');
  await Promise.all(lost.map(({ caught }) => caught));
  const keys = (await readTopic(direct, row.chain.topicIn)).map(({ key }) => key.toString('hex'));
  expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted());
  expect(await row.problems(bridge, { complete })).toEqual([]);
});
