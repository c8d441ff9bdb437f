/** The topics' commands, over both versions of the broker. */

import { expect, inject, onTestFinished, test } from 'vitest';
import {
  DEFAULT_RETENTION_BYTES,
  KafkaTopics,
  progressTopic,
  retentionHours,
} from '../../bridge/log/kafka/topics.ts';
import { clientOptions, freshTopics } from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';

test('retention is told as hours of one cavity: 4 partitions of 80 GiB are 6 hours', () => {
  expect(retentionHours(4, DEFAULT_RETENTION_BYTES)).toBeCloseTo(5.97, 2);
});

test.for(KAFKA_VERSIONS)(
  'Kafka %s: creates what is missing with its settings, lists, describes and deletes',
  async (version) => {
    const topics = new KafkaTopics(clientOptions([inject('kafka')[version]]));
    onTestFinished(() => topics.close());
    const settings = { ...freshTopics(3), retentionBytes: 123_456_789, resultsRetentionMs: null };
    const names = [settings.input, settings.results, progressTopic(settings.results)];

    await expect(topics.ensure(settings, { create: false })).rejects.toMatchObject({
      code: 'missing-topic',
      message: expect.stringContaining(names.join(', ')),
    });
    await expect(topics.describe([settings.input])).rejects.toMatchObject({ code: 'missing-topic' });
    expect(await topics.ensure(settings, { create: true })).toEqual(names);
    expect(await topics.ensure(settings, { create: true })).toEqual([]);
    expect(await topics.ensure(settings, { create: false })).toEqual([]);
    expect(await topics.list()).toEqual(expect.arrayContaining(names));

    const [input, results, progress] = await topics.describe(names);
    expect(input).toMatchObject({
      name: settings.input,
      partitions: 3,
      replication: 1,
      records: 0,
      settings: { 'retention.bytes': '123456789', 'retention.ms': '-1' },
    });
    expect(results).toMatchObject({
      partitions: 3,
      settings: { 'retention.bytes': '-1', 'retention.ms': '-1', 'max.message.bytes': '4194304' },
    });
    expect(progress).toMatchObject({
      partitions: 1,
      settings: { 'cleanup.policy': 'compact', 'segment.bytes': '16777216', 'max.message.bytes': '4194304' },
    });
    await topics.delete(names);
    expect(await topics.list()).not.toEqual(expect.arrayContaining([settings.input]));
    await expect(topics.delete(names)).rejects.toMatchObject({ code: 'missing-topic' });
  },
);
