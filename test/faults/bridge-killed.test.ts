/**
 * kill −9 of the bridge at named points of a publication. The proxy holds the very request or answer, so that the
 * bridge waits at that point, and nothing in the product knows of it.
 */
import { expect, inject, test } from 'vitest';
import { produceWords } from '../e2e/chain.ts';
import { succeed } from '../e2e/haloscope.ts';
import { keptFolder } from '../e2e/kept.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { type Api, type KafkaProxy, keptProxy, proxiedBrokers } from './proxy.ts';
import { newRow } from './row.ts';

const FILES = 4;
const SLICES = 200;
/** Publications that go through before the one in which the bridge is killed. */
const BEFORE = 1;

interface Point {
  readonly name: string;
  readonly where: 'holdRequest' | 'holdResponse';
  readonly api: Api;
}

const POINTS: readonly Point[] = [
  { name: 'before the transaction has begun', where: 'holdRequest', api: 'AddPartitionsToTxn' },
  { name: 'before the results are sent', where: 'holdRequest', api: 'Produce' },
  { name: 'after the results are sent', where: 'holdResponse', api: 'Produce' },
  { name: 'before the commit', where: 'holdRequest', api: 'EndTxn' },
  { name: 'after the commit', where: 'holdResponse', api: 'EndTxn' },
  { name: 'before the offsets are committed', where: 'holdRequest', api: 'OffsetCommit' },
  { name: 'after the offsets are committed', where: 'holdResponse', api: 'OffsetCommit' },
];

const freeze = (proxy: KafkaProxy, { where, api }: Point): Promise<void> =>
  proxy[where](api, { skip: BEFORE }).caught;

const recordings = recordMany(1, FILES, SLICES);

test.for(POINTS)('kill −9 of the bridge $name', async (point) => {
  const version = '4.4.0';
  const proxied = inject('proxied')[version];
  const proxy = await keptProxy(proxied);
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(inject('kafka')[version], proxiedBrokers(proxied));
  const first = await row.bridge();
  const there = freeze(proxy, point);
  await succeed(...produceWords(row.chain, folder, 'night'), '--pace', 'max');
  await there;
  await first.stop('SIGKILL');

  const second = await row.bridge();
  expect(await row.problems(second, { complete: { night: recordings } })).toEqual([]);
});
