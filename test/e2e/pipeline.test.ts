/**
 * The whole pipeline on both versions of Kafka: file pairs, `produce`, `chunk_data`, bridge, a real Chromium,
 * `results`. Nothing is injected after the producer, and every bin is compared with the float64 reference.
 */
import { expect, inject, test } from 'vitest';
import { KAFKA_VERSIONS } from '../broker/kafka-jars.ts';
import { openPage } from '../browser/chromium.ts';
import { newChain, produceWords, serveChain } from './chain.ts';
import { succeed } from './haloscope.ts';
import { keptChromium, keptCommand, keptFolder, keptReader } from './kept.ts';
import { problemsOf } from './results.ts';
import { expectedOf, NOMINAL_SLICES, record, recordMany, writePairs } from './samples.ts';

test.for(KAFKA_VERSIONS)('Kafka %s and a Chromium without WebGPU: every bin is right', async (version) => {
  const folder = await keptFolder();
  const recordings = [...recordMany(1, 4, 300), record(5, NOMINAL_SLICES)];
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')[version]);
  const bridge = await serveChain(chain, '--processor', 'none');
  const { errors } = await openPage(await keptChromium(), bridge.page());
  expect(await bridge.processor()).toMatchObject({
    role: 'processor',
    headless: false,
    engine: { kind: 'wasm' },
  });
  const reader = await keptReader(chain.brokers, chain.topicOut);

  await succeed(...produceWords(chain, folder, 'night'), '--pace', 'max', '--slices-per-message', '17');

  const results = await reader.first(recordings.length);
  expect(problemsOf(results, recordings.map(expectedOf), 'night')).toEqual([]);
  expect(errors).toEqual([]);
});

test('a Chromium with a software adapter and ?engine=gpu: every bin is right', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(1, 2, 300);
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')['4.4.0']);
  const bridge = await serveChain(chain, '--processor', 'none');
  const { errors } = await openPage(await keptChromium({ webgpu: true }), bridge.page('?engine=gpu'));
  // Compiling the kernels takes 1.5–10 s on a software adapter.
  expect(await bridge.processor()).toMatchObject({ role: 'processor', engine: { kind: 'gpu' } });
  const reader = await keptReader(chain.brokers, chain.topicOut);

  await succeed(...produceWords(chain, folder, 'gpu'), '--pace', 'max');

  const results = await reader.first(recordings.length);
  expect(problemsOf(results, recordings.map(expectedOf), 'gpu')).toEqual([]);
  expect(errors).toEqual([]);
});

test('headless, `process URL` on a bridge that starts none itself', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(10, 3, 300);
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')['3.4.0']);
  const bridge = await serveChain(chain, '--processor', 'none');
  const reader = await keptReader(chain.brokers, chain.topicOut);
  const processor = keptCommand('process', bridge.url);
  expect(await bridge.processor()).toMatchObject({ headless: true, engine: { kind: 'wasm' } });

  await succeed(...produceWords(chain, folder, 'alone'), '--pace', 'max');

  const results = await reader.first(recordings.length);
  expect(problemsOf(results, recordings.map(expectedOf), 'alone')).toEqual([]);
  // Results of different files lie in different partitions, which are read in no particular order.
  const first = results.find(({ key }) => key === 'alone/10');
  expect(first?.headers).toMatchObject({ 'hs-run': 'alone', 'hs-file': '10' });
  expect(await processor.stop()).toBe(0);
  expect(await bridge.stop()).toBe(0);
});
