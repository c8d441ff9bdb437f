/** The Kafka input, over both versions of the broker. */

import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { inject } from 'vitest';
import { KafkaInput } from '../../bridge/log/kafka/input.ts';
import { KafkaProducer } from '../../bridge/log/kafka/producer.ts';
import { inputContract, type InputFixture } from '../log/contract.ts';
import { ALONE, clientOptions, createTopics, freshTopics } from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';

const PARTITIONS = 4;
const PER_PARTITION = 30;
/** 30 of them make several fetches per partition. */
const VALUE_BYTES = 300_000;

const outgoing = (partition: number, i: number) => {
  const key = Buffer.from([0, partition, 0, i]);
  return {
    key,
    value: Buffer.alloc(VALUE_BYTES, `${partition} ${i} `),
    headers: { 'hs-file': String(partition) },
  };
};

async function open(brokers: readonly string[]): Promise<InputFixture> {
  const topics = freshTopics(PARTITIONS);
  await createTopics(brokers, topics);
  const options = { ...clientOptions(brokers), topic: topics.input };
  const producer = new KafkaProducer(options);
  const content = new Map<string, string>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const records = Array.from({ length: PER_PARTITION }, (_, i) => outgoing(partition, i));
    const first = await producer.send(partition, records);
    for (const [i, { key, value }] of records.entries()) {
      content.set(`${partition}/${first + i}`, `${key.toString('hex')} ${crc32(value)}`);
    }
  }
  return {
    create: (from) => new KafkaInput({ ...ALONE, ...options, group: `g-${randomUUID()}`, from }),
    records: content.size,
    ends: true,
    content,
    append: async () => {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await producer.send(partition, [outgoing(partition, PER_PARTITION)]);
      }
      return PARTITIONS;
    },
    close: () => producer.close(),
  };
}

for (const version of KAFKA_VERSIONS)
  inputContract(`Kafka ${version}`, () => open([inject('kafka')[version]]));
