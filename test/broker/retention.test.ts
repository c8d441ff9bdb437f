/** How long a real broker keeps what is not processed, over both versions. */
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { KafkaRetention } from '../../bridge/log/kafka/retention.ts';
import { clientOptions, freshTopics } from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';

const HOUR_MS = 3_600_000;
const VALUE_BYTES = 50_000;

test.for(KAFKA_VERSIONS)('Kafka %s: hours left by age, by size, and without a limit', async (version) => {
  const brokers = [inject('kafka')[version]];
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer();
  onTestFinished(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
  await Promise.all([admin.connect(), producer.connect()]);

  /** Two partitions; in the first one record an hour old, then as many as there are minutes, all of now. */
  const topicWith = async (settings: Record<string, string>): Promise<string> => {
    const topic = freshTopics().input;
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2, configEntries }] });
    const value = Buffer.alloc(VALUE_BYTES, 1);
    const ages = [HOUR_MS, ...Array.from({ length: 10 }, () => 0)];
    const messages = ages.map((age, i) => ({
      key: String(i),
      partition: 0,
      value,
      timestamp: String(Date.now() - age),
    }));
    await producer.send({ topic, messages });
    return topic;
  };
  const measure = async (topic: string, watermark: number) => {
    const retention = new KafkaRetention(clientOptions(brokers), topic);
    try {
      return await retention.measure(
        new Map([
          [0, watermark],
          [1, 0],
        ]),
      );
    } finally {
      retention.close();
    }
  };

  const byAge = await topicWith({ 'retention.ms': String(10 * HOUR_MS) });
  const [old, empty] = await measure(byAge, 0);
  expect(old?.hoursLeft).toBeCloseTo(9, 1);
  expect([old?.hoursKept, empty?.hoursLeft]).toEqual([10, 10]);
  expect((await measure(byAge, 1))[0]?.hoursLeft).toBeCloseTo(10, 1);
  expect((await measure(byAge, 11))[0]?.hoursLeft).toBe(10);

  // Ten records in the last minute: 6000 of them are ten hours.
  const bySize = await topicWith({ 'retention.ms': '-1', 'retention.bytes': String(6000 * VALUE_BYTES) });
  const [waiting, nothing] = await measure(bySize, 1);
  expect(waiting?.hoursKept).toBeCloseTo(10, 1);
  expect(waiting?.hoursLeft).toBeCloseTo(10 * (5990 / 6000), 1);
  expect(nothing?.hoursLeft).toBe(Infinity);

  const forEver = await topicWith({ 'retention.ms': '-1' });
  expect((await measure(forEver, 0)).map((each) => each.hoursLeft)).toEqual([Infinity, Infinity]);
  const compacted = await topicWith({ 'cleanup.policy': 'compact', 'retention.ms': String(HOUR_MS) });
  expect((await measure(compacted, 0))[0]?.hoursLeft).toBe(Infinity);
  await expect(measure('no-such-topic', 0)).rejects.toMatchObject({ code: 'missing-topic' });
});
