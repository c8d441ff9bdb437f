/** What only Kafka can do to the log: brokers that are absent, killed or silent, retention, aborted transactions. */

import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { KafkaInput } from '../../bridge/log/kafka/input.ts';
import { KafkaProducer } from '../../bridge/log/kafka/producer.ts';
import { KafkaTopics, progressTopic, type TopicSettings } from '../../bridge/log/kafka/topics.ts';
import type { AssignedPartition, LogError } from '../../bridge/log/port.ts';
import { Recorder, until } from '../log/contract.ts';
import {
  ALONE,
  clientOptions,
  committedKeys,
  createTopics,
  freshTopics,
  kafkaTestOutput,
} from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';
import { startKafka } from './kafka.ts';

/** Long poll, group session of 6 s and a restart of 10 s on a busy machine. */
const RECOVERY_MS = 60_000;
const LARGE_BYTES = 5 * 1024 * 1024;

const plain = (brokers: string): Kafka => new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });

function openInput(
  brokers: string,
  topic: string,
  { group = `g-${randomUUID()}` }: { group?: string } = {},
): KafkaInput {
  const input = new KafkaInput({ ...ALONE, ...clientOptions([brokers]), topic, group, from: 'earliest' });
  onTestFinished(() => input.stop());
  return input;
}

function openProducer(brokers: string, topic: string): KafkaProducer {
  const producer = new KafkaProducer({ ...clientOptions([brokers]), topic });
  onTestFinished(() => producer.close());
  return producer;
}

async function freshOn(brokers: string, partitions = 2): Promise<TopicSettings> {
  const topics = freshTopics(partitions);
  await createTopics([brokers], topics);
  return topics;
}

const numbered = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    key: Buffer.from([0, 0, (first + i) >> 8, (first + i) & 255]),
    value: Buffer.from(`value ${first + i}`),
    headers: {},
  }));

const codes = (recorder: Recorder): (string | null)[] =>
  recorder.troubles.map((error) => error?.code ?? null);

const result = (file: number, bytes = 100) => ({
  run: 'run404',
  file,
  value: Buffer.alloc(bytes, `${file} `),
  headers: {},
});

test.for(KAFKA_VERSIONS)(
  'Kafka %s: absent at start, then there, then killed in the middle: all is read, nothing is published twice',
  { timeout: 3 * RECOVERY_MS },
  async (version) => {
    const kafka = await startKafka({ version });
    onTestFinished(() => kafka.stop());
    const { brokers } = kafka;
    const topics = await freshOn(brokers);
    await openProducer(brokers, topics.input).send(0, numbered(0, 10));
    await kafka.kill();

    const recorder = new Recorder();
    const read = new Map<number, number>();
    recorder.answer = async () => read;
    recorder.onRecords = (partition, records) => {
      read.set(partition, (records.at(-1)?.offset ?? 0) + 1);
    };
    read.set(0, 0).set(1, 0);
    await openInput(brokers, topics.input).start(recorder);
    await until('the absence is reported', () => codes(recorder).includes('unreachable'));
    const output = kafkaTestOutput({
      kind: 'kafka',
      brokers: [brokers],
      results: topics.results,
      transactionalId: 't',
    });
    onTestFinished(() => output.release());
    await expect(output.acquire()).rejects.toMatchObject({ code: 'unreachable' });
    expect(await output.ping()).toBe(false);

    await kafka.restart();
    await until('all is read', () => recorder.seen.length === 10, RECOVERY_MS);
    expect(codes(recorder).at(-1)).toBeNull();
    expect(await output.acquire()).toBeNull();
    await output.publish([result(0)], Buffer.from('1'));

    // From here records are sent and results published while the broker dies.
    const producer = openProducer(brokers, topics.input);
    await producer.send(0, numbered(10, 10));
    const dead = kafka.kill();
    const sent = producer.send(0, numbered(20, 10));
    const lost = await output.publish([result(1)], Buffer.from('2')).then(
      () => null,
      (error: LogError) => error.code,
    );
    await dead;
    expect([null, 'unavailable']).toContain(lost);
    await kafka.restart();
    await sent;
    await until('the rest is read', () => recorder.seen.length >= 30, RECOVERY_MS);
    expect(recorder.seen.map(({ value }) => String(value))).toEqual(
      numbered(0, 30).map(({ value }) => String(value)),
    );
    const assignments = recorder.events.filter((event) => event === 'answered').length;
    expect(recorder.events.filter((event) => event === 'revoked').length).toBe(assignments - 1);

    // Whether the transaction took effect is told by the next acquire alone.
    let progress = await output.acquire();
    if (String(progress) === '1') {
      await output.publish([result(1)], Buffer.from('2'));
      progress = await output.acquire();
    }
    expect(String(progress)).toBe('2');
    expect((await committedKeys([brokers], topics.results)).toSorted()).toEqual(['run404/0', 'run404/1']);
  },
);

test('a broker that is stopped (SIGSTOP) is reported, and records flow again after it goes on', {
  timeout: 2 * RECOVERY_MS,
}, async () => {
  const kafka = await startKafka({ version: '4.4.0' });
  onTestFinished(() => kafka.stop());
  const topics = await freshOn(kafka.brokers);
  const producer = openProducer(kafka.brokers, topics.input);
  await producer.send(0, numbered(0, 3));
  const recorder = new Recorder();
  recorder.answer = async () =>
    new Map([
      [0, recorder.seen.length],
      [1, 0],
    ]);
  await openInput(kafka.brokers, topics.input).start(recorder);
  await until('the first are read', () => recorder.seen.length === 3);
  kafka.pause();
  await until('the silence is reported', () => codes(recorder).includes('unreachable'), RECOVERY_MS);
  kafka.resume();
  await producer.send(0, numbered(3, 3));
  await until('the rest is read', () => recorder.seen.length === 6, RECOVERY_MS);
  expect(codes(recorder).at(-1)).toBeNull();
});

test('records deleted by retention are an alarm, at the assignment and while reading', async () => {
  const brokers = inject('kafka')['4.4.0'];
  const topics = await freshOn(brokers, 1);
  await openProducer(brokers, topics.input).send(0, numbered(0, 20));
  const admin = plain(brokers).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  // Makes kafkajs load the metadata, which it does not do by itself for the next call.
  await admin.fetchTopicOffsets(topics.input);
  await admin.deleteTopicRecords({ topic: topics.input, partitions: [{ partition: 0, offset: '5' }] });

  const recorder = new Recorder();
  recorder.answer = async () => new Map([[0, 2]]);
  const input = openInput(brokers, topics.input);
  recorder.onRecords = () => input.pause();
  await input.start(recorder);
  await until('the rest is read', () => recorder.seen.length === 15);
  expect(recorder.seen[0]?.offset).toBe(5);
  // Before it the broker may have said that it is still loading the group.
  expect(recorder.troubles.find((error) => error?.code === 'offset-lost')).toMatchObject({
    code: 'offset-lost',
    message: expect.stringContaining('offset 2'),
  });
  expect(codes(recorder).slice(-2)).toEqual(['offset-lost', null]);

  await openProducer(brokers, topics.input).send(0, numbered(20, 10));
  await admin.deleteTopicRecords({ topic: topics.input, partitions: [{ partition: 0, offset: '25' }] });
  input.resume();
  await until('the rest of the rest is read', () => recorder.seen.length === 20);
  expect(recorder.seen.map(({ offset }) => offset).slice(15)).toEqual([25, 26, 27, 28, 29]);
  expect(codes(recorder).slice(-4)).toEqual(['offset-lost', null, 'offset-lost', null]);
  expect(recorder.assignments.length).toBe(1);
});

test('a topic made anew ends the assignment: its new end lies before the position', {
  timeout: RECOVERY_MS,
}, async () => {
  const brokers = inject('kafka')['4.4.0'];
  const topics = await freshOn(brokers, 1);
  await openProducer(brokers, topics.input).send(0, numbered(0, 20));
  const recorder = new Recorder();
  const input = openInput(brokers, topics.input);
  recorder.answer = async () => new Map([[0, recorder.seen.length]]);
  await input.start(recorder);
  await until('all is read', () => recorder.seen.length === 20);
  const admin = new KafkaTopics(clientOptions([brokers]));
  await admin.delete([topics.input]);
  await until('the topic is gone', () => codes(recorder).includes('missing-topic'), RECOVERY_MS);
  expect(await admin.ensure(topics, { create: true })).toEqual([topics.input]);
  await admin.close();
  await openProducer(brokers, topics.input).send(0, numbered(100, 5));
  await until('the new topic is read', () => recorder.seen.length === 25, RECOVERY_MS);
  expect(codes(recorder)).toContain('offset-lost');
  expect(recorder.seen.slice(20).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
});

test('one member of a group reads everything; another stands by and takes over', async () => {
  const brokers = inject('kafka')['3.4.0'];
  const topics = await freshOn(brokers, 4);
  const producer = openProducer(brokers, topics.input);
  const group = `g-${randomUUID()}`;
  const [first, second] = [new Recorder(), new Recorder()];
  const one = openInput(brokers, topics.input, { group });
  await one.start(first);
  await until('the first is assigned', () => first.events.includes('answered'));
  await openInput(brokers, topics.input, { group }).start(second);
  await until('the group has settled', () => first.assignments.length === 2);
  for (let partition = 0; partition < 4; partition++) await producer.send(partition, numbered(0, 1));
  await until('the first reads all', () => first.seen.length === 4);
  expect(second.events).toEqual([]);
  one.commit(new Map([0, 1, 2, 3].map((partition) => [partition, 1])));
  await one.stop();
  await until('the second is assigned', () => second.events.includes('answered'));
  expect(second.assignments[0]?.map(({ partition }: AssignedPartition) => partition)).toEqual([0, 1, 2, 3]);
  for (let partition = 0; partition < 4; partition++) await producer.send(partition, numbered(1, 1));
  await until('the second reads on', () => second.seen.length >= 4);
  // From what the first had committed: `assigned` gave no answer.
  expect(second.seen.map(({ offset }) => offset)).toEqual([1, 1, 1, 1]);
});

test.for(KAFKA_VERSIONS)(
  'Kafka %s: aborted and open transactions leave no trace in progress or results',
  async (version) => {
    const brokers = inject('kafka')[version];
    const topics = await freshOn(brokers, 1);
    const transactionalId = `t-${randomUUID()}`;
    const target = { kind: 'kafka', brokers: [brokers], results: topics.results, transactionalId } as const;
    const output = kafkaTestOutput(target);
    onTestFinished(() => output.release());
    await output.acquire();
    await output.publish([result(0)], Buffer.from('committed'));
    await output.release();
    for (const settle of ['abort', 'leave'] as const) {
      const producer = plain(brokers).producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.sendBatch({
        topicMessages: [
          { topic: topics.results, messages: [{ key: 'run404/1', value: settle, partition: 0 }] },
          {
            topic: progressTopic(topics.results),
            messages: [{ key: 'progress', value: settle, partition: 0 }],
          },
        ],
      });
      if (settle === 'abort') await transaction.abort();
      const next = kafkaTestOutput(target);
      onTestFinished(() => next.release());
      expect(String(await next.acquire())).toBe('committed');
      expect(await next.read('run404', 1)).toBeNull();
      expect(await next.read('run404', 0)).toEqual(result(0));
      await producer.disconnect();
    }
    expect(await committedKeys([brokers], topics.results)).toEqual(['run404/0']);
  },
);

test('a result above the limit of the topic is too large, and does not stop the next', async () => {
  const brokers = inject('kafka')['4.4.0'];
  const topics = await freshOn(brokers, 1);
  const output = kafkaTestOutput({
    kind: 'kafka',
    brokers: [brokers],
    results: topics.results,
    transactionalId: `t-${randomUUID()}`,
  });
  onTestFinished(() => output.release());
  await output.acquire();
  await expect(output.publish([result(1, LARGE_BYTES)], Buffer.from('1'))).rejects.toMatchObject({
    code: 'too-large',
  });
  expect(await output.acquire()).toBeNull();
  await output.publish([result(2)], Buffer.from('2'));
  expect(await committedKeys([brokers], topics.results)).toEqual(['run404/2']);
});

test('the producer keeps the order of calls that are not awaited, and finds the last record', async () => {
  const brokers = inject('kafka')['3.4.0'];
  const topics = await freshOn(brokers, 2);
  const producer = openProducer(brokers, topics.input);
  expect(await producer.partitions()).toBe(2);
  expect(await producer.last(0)).toBeNull();
  const large = numbered(0, 40).map((record) => ({ ...record, value: Buffer.alloc(100_000, 'x') }));
  const firsts = await Promise.all([
    producer.send(0, large),
    producer.send(0, numbered(40, 5)),
    producer.send(1, numbered(7, 1)),
  ]);
  expect(firsts).toEqual([0, 40, 0]);
  expect(await producer.last(0)).toMatchObject({ offset: 44, key: Buffer.from([0, 0, 0, 44]) });
  expect(await producer.last(1)).toMatchObject({ offset: 0, value: Buffer.from('value 7') });
  const tooLarge = [{ key: Buffer.alloc(4), value: Buffer.alloc(2 * 1024 * 1024), headers: {} }];
  await expect(producer.send(0, tooLarge)).rejects.toMatchObject({ code: 'too-large' });
  expect(await producer.send(0, numbered(45, 1))).toBe(45);
});

test('a missing topic is named by every part, and found once it is there', async () => {
  const brokers = inject('kafka')['4.4.0'];
  const topics = freshTopics(2);
  const recorder = new Recorder();
  await openInput(brokers, topics.input).start(recorder);
  await until('it is missed', () => codes(recorder).includes('missing-topic'));
  await expect(openProducer(brokers, topics.input).partitions()).rejects.toMatchObject({
    code: 'missing-topic',
  });
  const output = kafkaTestOutput({
    kind: 'kafka',
    brokers: [brokers],
    results: topics.results,
    transactionalId: 'm',
  });
  onTestFinished(() => output.release());
  await expect(output.acquire()).rejects.toMatchObject({ code: 'missing-topic' });
  await createTopics([brokers], topics);
  expect(await output.acquire()).toBeNull();
  await until('it is found', () => codes(recorder).at(-1) === null);
  expect(recorder.events).toEqual(['assigned', 'answered']);
});
