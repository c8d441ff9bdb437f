/** `produce` on a real Kafka: what arrives, in parallel and in order, and resuming after the broker was killed. */
import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { DiskFolder } from '../../bridge/files/disk-folder.ts';
import { produceOptions } from '../../bridge/config/checks.ts';
import { PRODUCE } from '../../bridge/config/declarations.ts';
import { resolveOptions } from '../../bridge/config/resolve.ts';
import type { FileProblem } from '../../bridge/protocol/pairs.ts';
import { KafkaProducer } from '../../bridge/log/kafka/producer.ts';
import { createLogger } from '../../bridge/logger.ts';
import { runProduce } from '../../bridge/commands/produce.ts';
import { FolderProducer, type ProduceReport } from '../../bridge/producer/producer.ts';
import { sampleBytes, type TestFolder, testFolder } from '../files/folder.ts';
import { clientOptions, createTopics, freshTopics } from '../log/kafka-fixture.ts';
import { readTopic, type TopicRecord } from './read-topic.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';
import { startKafka } from './kafka.ts';

const BINS = 256;
const SLICES = 1440;
/** 16 KB a message, 60 messages to a batch, three batches to a file. */
const N = 8;
const MESSAGES = SLICES / N;
const FILES = [0, 1, 2, 3, 4, 5, 70_001];

async function filledFolder(): Promise<TestFolder> {
  const folder = await testFolder();
  onTestFinished(() => folder.remove());
  for (const file of FILES) await folder.pair(file, SLICES * BINS);
  return folder;
}

async function freshTopic(brokers: string): Promise<string> {
  const topics = freshTopics(4);
  await createTopics([brokers], topics);
  return topics.input;
}

interface Call {
  readonly brokers: string;
  readonly topic: string;
  readonly folder: string;
  readonly stop?: AbortSignal;
  readonly sent?: (file: number) => void;
}

async function produce({ brokers, topic, folder, stop, sent }: Call): Promise<ProduceReport> {
  const port = new KafkaProducer({ ...clientOptions([brokers]), topic });
  const settings = {
    folder: new DiskFolder(folder),
    slicesPerMessage: N,
    pace: 'max' as const,
    follow: false,
    files: null,
    run: 'run404',
    utcMs: null,
    settleMs: 200,
    geometry: { bins: BINS, sampleRateHz: 2e6, loHz: 10.353e9 },
  };
  const events = {
    problem: (problem: FileProblem) => {
      throw problem;
    },
    sent: sent ?? (() => {}),
    total: () => {},
  };
  try {
    return await new FolderProducer(settings, port, events, createLogger('silent')).run(
      stop ?? new AbortController().signal,
    );
  } finally {
    await port.close();
  }
}

/** Each message of each file once, in its partition, in order within the file, with the file's bytes. */
function expectComplete(records: readonly TopicRecord[]): void {
  const next = new Map<number, number>();
  for (const { partition, key, value, headers } of records) {
    const file = Number(headers['hs-file']);
    const message = next.get(file) ?? 0;
    next.set(file, message + 1);
    expect(partition).toBe(file % 4);
    expect(key.toString('hex')).toBe(Buffer.of((file >> 8) & 255, file & 255, 0, message).toString('hex'));
    const [from, to] = [message * N * BINS * 4, (message + 1) * N * BINS * 4];
    const i = sampleBytes(file, SLICES * BINS, 1).subarray(from, to);
    const q = sampleBytes(file, SLICES * BINS, -1).subarray(from, to);
    expect(value.equals(Buffer.concat([i, q]))).toBe(true);
  }
  expect([...next].toSorted(([a], [b]) => a - b)).toEqual(FILES.map((file) => [file, MESSAGES]));
}

test.for(KAFKA_VERSIONS)('Kafka %s gets every message once, and nothing again', async (version) => {
  const brokers = inject('kafka')[version];
  const topic = await freshTopic(brokers);
  const { path: folder } = await filledFolder();
  const report = await produce({ brokers, topic, folder });
  expect(report).toMatchObject({ files: FILES.length, messages: FILES.length * MESSAGES, unfinished: [] });
  expectComplete(await readTopic(brokers, topic));
  expect(await produce({ brokers, topic, folder })).toMatchObject({
    files: 0,
    messages: 0,
    skipped: FILES.length,
  });
  expect((await readTopic(brokers, topic)).length).toBe(FILES.length * MESSAGES);
});

test('a producer that was stopped in the middle of files goes on there', async () => {
  const brokers = inject('kafka')['3.4.0'];
  const topic = await freshTopic(brokers);
  const { path: folder } = await filledFolder();
  const stop = new AbortController();
  const report = await produce({ brokers, topic, folder, stop: stop.signal, sent: () => stop.abort() });
  expect(report.files).toBeLessThan(FILES.length);
  for (const { slice } of report.unfinished) expect(slice % N).toBe(0);
  await produce({ brokers, topic, folder });
  expectComplete(await readTopic(brokers, topic));
});

test('a broker that is killed with batches on the way and comes back gets each message once', async () => {
  const kafka = await startKafka({ version: '4.4.0' });
  onTestFinished(() => kafka.stop());
  const { brokers } = kafka;
  const topic = await freshTopic(brokers);
  const { path: folder } = await filledFolder();
  const restarts: Promise<void>[] = [];
  const sent = (): void => {
    if (restarts.length === 0) restarts.push(kafka.restart());
  };
  await produce({ brokers, topic, folder, sent });
  expect(restarts).toHaveLength(1);
  await Promise.all(restarts);
  expectComplete(await readTopic(brokers, topic));
}, 120_000);

test('the command: exit status 1 when a file was left out, and the rest is sent', async () => {
  const brokers = inject('kafka')['4.4.0'];
  const topic = await freshTopic(brokers);
  const folder = await filledFolder();
  await folder.half('i', 6, sampleBytes(6, 1000, 1));
  const flags = new Map([
    ['brokers', brokers],
    ['topic', topic],
    ['bins', String(BINS)],
    ['slices-per-message', String(N)],
    ['pace', 'max'],
    ['settle', '200ms'],
    ['run', `run-${randomUUID().slice(0, 8)}`],
  ]);
  const options = produceOptions(folder.path, resolveOptions(PRODUCE, 'produce', flags, {}, null), {});
  const lines: string[] = [];
  const log = createLogger('warn', false, { write: (text) => void lines.push(text) });
  expect(await runProduce(options, log)).toBe(1);
  expect(lines.join('')).toContain('duck_i_00006.dat');
  expectComplete(await readTopic(brokers, topic));
});

test('the command: a topic that is not there is said with what to do', async () => {
  const brokers = inject('kafka')['3.4.0'];
  const { path } = await filledFolder();
  const flags = new Map([
    ['brokers', brokers],
    ['topic', `missing-${randomUUID()}`],
  ]);
  const options = produceOptions(path, resolveOptions(PRODUCE, 'produce', flags, {}, null), {});
  await expect(runProduce(options, createLogger('silent'))).rejects.toMatchObject({
    code: 'missing-topic',
    message: expect.stringContaining('haloscope topics create'),
  });
});
