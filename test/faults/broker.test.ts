/** The broker is killed, frozen, and stopped in good order while files are on their way through it. */
import { expect, onTestFinished, test } from 'vitest';
import { KAFKA_VERSIONS, type KafkaVersion } from '../broker/kafka-jars.ts';
import { type RunningKafka, startKafka } from '../broker/kafka.ts';
import { produceWords } from '../e2e/chain.ts';
import { type Bridge, type Haloscope } from '../e2e/haloscope.ts';
import { keptCommand, keptFolder } from '../e2e/kept.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { newRow, notReady, type Row } from './row.ts';

const FILES = 8;
const SLICES = 200;

const recordings = recordMany(1, FILES, SLICES);

interface Scene {
  readonly kafka: RunningKafka;
  readonly row: Row;
  readonly bridge: Bridge;
  readonly producer: Haloscope;
}

/** A broker that the test may harm, in the middle of eight files that come one a second. */
async function inMidRun(version: KafkaVersion): Promise<Scene> {
  const kafka = await startKafka({ version });
  onTestFinished(() => kafka.stop());
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(kafka.brokers);
  const bridge = await row.bridge();
  const producer = keptCommand(...produceWords(row.chain, folder, 'night'), '--pace', '1');
  await bridge.until('two files are done', ({ run }) => run.filesDone >= 2);
  return { kafka, row, bridge, producer };
}

/** What is wrong once everything has been sent. */
async function problemsAtEnd({ row, bridge, producer }: Scene): Promise<string[]> {
  const { status, stderr } = await producer.finished();
  if (status !== 0) return [`the producer ended with ${status}: ${stderr}`];
  await bridge.ready();
  return row.problems(bridge, { complete: { night: recordings } });
}

test.for(KAFKA_VERSIONS)('kill −9 of the broker, %s', async (version) => {
  const scene = await inMidRun(version);
  await scene.kafka.kill('SIGKILL');
  await notReady(scene.bridge);
  await scene.kafka.restart();
  expect(await problemsAtEnd(scene)).toEqual([]);
});

test('SIGTERM of the broker', async () => {
  const scene = await inMidRun('4.4.0');
  await scene.kafka.kill('SIGTERM');
  await notReady(scene.bridge);
  await scene.kafka.restart();
  expect(await problemsAtEnd(scene)).toEqual([]);
});

test('SIGSTOP of the broker, until the bridge has noticed', async () => {
  const scene = await inMidRun('3.4.0');
  scene.kafka.pause();
  await notReady(scene.bridge);
  scene.kafka.resume();
  expect(await problemsAtEnd(scene)).toEqual([]);
});
