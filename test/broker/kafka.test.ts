/** The broker starter itself: kafkajs against both versions, and a broker that is killed, paused and restarted. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { KAFKA_VERSIONS } from './kafka-jars.ts';
import { startKafka } from './kafka.ts';

/** Well above the few milliseconds that a running broker takes. */
const PAUSE_MS = 500;

const client = (brokers: string): Kafka =>
  new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 3, initialRetryTime: 50 } });

async function send(brokers: string, topic: string, value: string): Promise<void> {
  const producer = client(brokers).producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ key: 'k', value }] });
  await producer.disconnect();
}

async function receive(brokers: string, topic: string, count: number): Promise<string[]> {
  const consumer = client(brokers).consumer({ groupId: `g-${randomUUID()}`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const each = async (value: Buffer | null): Promise<void> => {
      values.push(String(value));
      if (values.length === count) resolve();
    };
    consumer.run({ eachMessage: ({ message }) => each(message.value) }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}

async function createTopic(brokers: string, topic: string): Promise<void> {
  const admin = client(brokers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
  await admin.disconnect();
}

test.for(KAFKA_VERSIONS)('Kafka %s takes a message from kafkajs and gives it back', async (version) => {
  const brokers = inject('kafka')[version];
  const topic = `starter-${randomUUID()}`;
  await createTopic(brokers, topic);
  await send(brokers, topic, 'one');
  expect(await receive(brokers, topic, 1)).toEqual(['one']);
});

test('a broker keeps its data and its address over kill -9, and goes on after SIGSTOP', async () => {
  const kafka = await startKafka({ version: '4.4.0' });
  onTestFinished(() => kafka.stop());
  const before = kafka.pid();
  await createTopic(kafka.brokers, 'kept');
  await send(kafka.brokers, 'kept', 'before');
  await kafka.kill();
  expect(kafka.pid()).toBeUndefined();
  await expect(send(kafka.brokers, 'kept', 'lost')).rejects.toThrow();
  await kafka.restart();
  expect(kafka.pid()).not.toBe(before);
  kafka.pause();
  const sent = send(kafka.brokers, 'kept', 'after');
  const paused = await Promise.race([sent.then(() => 'sent'), sleep(PAUSE_MS, 'silent')]);
  expect(paused).toBe('silent');
  kafka.resume();
  await sent;
  expect((await receive(kafka.brokers, 'kept', 2)).toSorted()).toEqual(['after', 'before']);
});
