/**
 * Transactions that hang in a partition without a marker. Kafka 3.4.0 takes records of a transaction in a partition
 * that the coordinator was never told of, so that one can be made on purpose; younger brokers refuse that.
 */

import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { KafkaClient } from '../../bridge/log/kafka/client.ts';
import { clusterOf } from '../../bridge/log/kafka/reader.ts';
import { progressTopic } from '../../bridge/log/kafka/topics.ts';
import {
  clientOptions,
  committedKeys,
  createTopics,
  freshTopics,
  kafkaTestOutput,
} from '../log/kafka-fixture.ts';

interface RawBroker {
  initProducerId(request: object): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(request: object): Promise<unknown>;
  endTxn(request: object): Promise<unknown>;
  produce(request: object): Promise<unknown>;
}

interface Written {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: string;
  /** Whether the coordinator hears of the partition. */
  readonly added: boolean;
}

/** Writes in a transaction as told, and ends it. */
async function transaction(
  brokers: string,
  transactionalId: string,
  records: Written[],
  commit: boolean,
): Promise<void> {
  const client = new KafkaClient(clientOptions([brokers]));
  const cluster = clusterOf(client, 'any');
  await cluster.connect();
  await cluster.addMultipleTargetTopics(records.map(({ topic }) => topic));
  const group = { groupId: transactionalId, coordinatorType: 1 };
  const broker = (await cluster.findGroupCoordinator(group)) as unknown as RawBroker;
  const producer = await broker.initProducerId({ transactionalId, transactionTimeout: 10_000 });
  const owner = { transactionalId, ...producer };
  for (const { topic, partition, key, value, added } of records) {
    if (added) await broker.addPartitionsToTxn({ ...owner, topics: [{ topic, partitions: [partition] }] });
    const messages = [
      { key: Buffer.from(key), value: Buffer.from(value), headers: {}, timestamp: Date.now() },
    ];
    const topicData = [{ topic, partitions: [{ partition, firstSequence: 0, messages }] }];
    await broker.produce({ ...owner, acks: -1, topicData });
  }
  await broker.endTxn({ ...owner, transactionResult: commit });
  client.close();
}

async function scene() {
  const brokers = inject('kafka')['3.4.0'];
  const topics = freshTopics(2);
  await createTopics([brokers], topics);
  const transactionalId = `t-${randomUUID()}`;
  const open = () => {
    const output = kafkaTestOutput({
      kind: 'kafka',
      brokers: [brokers],
      results: topics.results,
      transactionalId,
    });
    onTestFinished(() => output.release());
    return output;
  };
  const records = (progressAdded: boolean): Written[] => [
    { topic: topics.results, partition: 1, key: 'run404/1', value: 'one', added: true },
    {
      topic: progressTopic(topics.results),
      partition: 0,
      key: 'progress',
      value: 'after 1',
      added: progressAdded,
    },
  ];
  return { brokers, topics, transactionalId, open, records };
}

test('progress that hangs behind a committed result is committed by the next owner', async () => {
  const { brokers, topics, transactionalId, open, records } = await scene();
  await transaction(brokers, transactionalId, records(false), true);
  const output = open();
  expect(String(await output.acquire())).toBe('after 1');
  await output.publish(
    [{ run: 'run404', file: 3, value: Buffer.from('three'), headers: {} }],
    Buffer.from('after 3'),
  );
  expect(String(await open().acquire())).toBe('after 3');
  expect((await committedKeys([brokers], topics.results)).toSorted()).toEqual(['run404/1', 'run404/3']);
});

test('progress that hangs behind an aborted result is not touched, and nobody becomes the owner', async () => {
  const { brokers, transactionalId, open, records } = await scene();
  await transaction(brokers, transactionalId, records(false), false);
  await expect(open().acquire()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('aborted in another partition'),
  });
});

test('a transaction of somebody else that hangs is not touched', async () => {
  const { brokers, open, records } = await scene();
  await transaction(brokers, `other-${randomUUID()}`, records(false), true);
  await expect(open().acquire()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('another transactional id'),
  });
});
