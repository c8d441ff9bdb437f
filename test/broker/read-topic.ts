/** All records of a topic as plain kafkajs sees them, in the order of each partition. */

import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { textHeaders } from '../../bridge/log/kafka/client.ts';

export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export async function readTopic(brokers: string, topic: string): Promise<TopicRecord[]> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ranges = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const open = new Map(
    ranges.filter(({ high }) => Number(high) > 0).map((p) => [p.partition, Number(p.high)]),
  );
  const records: TopicRecord[] = [];
  const consumer = kafka.consumer({ groupId: `read-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    if (open.size === 0) resolve();
    const eachMessage: NonNullable<Parameters<typeof consumer.run>[0]>['eachMessage'] = async ({
      partition,
      message,
    }) => {
      const { key, value, offset } = message;
      if (key === null || value === null) throw new Error('expected key and value');
      records.push({ partition, offset: Number(offset), key, value, headers: textHeaders(message.headers) });
      if (Number(offset) + 1 >= (open.get(partition) ?? Infinity)) open.delete(partition);
      if (open.size === 0) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return records;
}
