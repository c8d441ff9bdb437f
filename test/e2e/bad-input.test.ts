/** Records that cannot be used: counted by reason, and the file beside them is published all the same. */
import { expect, inject, test } from 'vitest';
import { newChain, serveChain } from './chain.ts';
import { run } from './haloscope.ts';
import { legacyMessages } from './legacy-producer.ts';
import { keptBridge, keptReader } from './kept.ts';
import { problemsOf, quietKafka } from './results.ts';
import { BINS, expectedOf, record } from './samples.ts';

const SLICES = 41;
const SLICE_BYTES = BINS * 8;

const keyOf = (file: number, message: number): Buffer => {
  const key = Buffer.alloc(4);
  key.writeUInt16BE(file, 0);
  key.writeUInt16BE(message, 2);
  return key;
};

test('bad records are counted by reason and stop nothing', async () => {
  const chain = await newChain(inject('kafka')['4.4.0']);
  const words = ['--run', 'bad', '--slices-per-file', String(SLICES), '--processor', 'always'];
  const bridge = await serveChain(chain, ...words);
  const good = record(7, SLICES);
  const notANumber = Buffer.alloc(SLICE_BYTES);
  notANumber.writeFloatLE(Number.NaN, 4096);
  const bad = [
    { key: Buffer.from([1, 2, 3]), value: Buffer.alloc(SLICE_BYTES) },
    { key: keyOf(8, 0), value: Buffer.alloc(SLICE_BYTES - 1) },
    { key: keyOf(8, 1), value: Buffer.alloc(0) },
    { key: keyOf(9, 0), value: notANumber },
    { key: keyOf(8, 2), value: Buffer.alloc(SLICE_BYTES), headers: { 'hs-run': 'bad', 'hs-file': 'eight' } },
  ];
  const reader = await keptReader(chain.brokers, chain.topicOut);
  const producer = quietKafka(chain.brokers).producer();
  await producer.connect();
  for (const message of bad) await producer.send({ topic: chain.topicIn, messages: [message] });
  for (const message of legacyMessages(good, 10))
    await producer.send({ topic: chain.topicIn, messages: [message] });
  await producer.disconnect();

  expect(problemsOf(await reader.first(1), [expectedOf(good)], 'bad')).toEqual([]);
  const metrics = await (await bridge.get('metrics')).text();
  for (const reason of ['key-length', 'value-length', 'slice-count', 'non-finite', 'header']) {
    expect(metrics).toMatch(
      new RegExp(`haloscope_slices_rejected_total\\{[^}]*reason="${reason}"[^}]*\\} [1-9]`),
    );
  }
});

test('a broker that is not there: the bridge says so, and is not ready', async () => {
  const chain = await newChain('127.0.0.1:9');
  const bridge = await keptBridge(...chain.words);
  expect((await bridge.get('healthz')).status).toBe(200);
  const ready = await bridge.get('readyz');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ ready: false });
  expect((await bridge.state()).input).toMatchObject({ kind: 'kafka', reachable: false });
});

test('wrong usage ends with status 2 and one line', async () => {
  const done = await run('serve', '--slices-per-fil', '41');
  expect(done.status).toBe(2);
  expect(done.stderr).toContain('--slices-per-file');
});
