/** What `doctor` says of a broker, over both versions of it. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { examineBroker } from '../../bridge/commands/doctor/broker.ts';
import { createLogger } from '../../bridge/logger.ts';
import { KafkaTopics, progressTopic } from '../../bridge/log/kafka/topics.ts';
import { clientOptions, freshTopics } from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS, type KafkaVersion } from './kafka-jars.ts';

/** Versions that the broker's settings can tell. */
const SAID: Readonly<Record<KafkaVersion, string>> = { '3.4.0': 'Kafka 3.4', '4.4.0': 'Kafka 4.0 or newer' };
const HOURLY_BYTES = 16e6 * 3600;

test.for(KAFKA_VERSIONS)(
  'Kafka %s: version, topics, and how long they keep the data',
  { timeout: 60_000 },
  async (version) => {
    const client = clientOptions([inject('kafka')[version]]);
    const topics = new KafkaTopics(client);
    onTestFinished(() => topics.close());
    const names = freshTopics(2);
    const options = {
      connection: client.connection,
      topicIn: names.input,
      topicOut: names.results,
      bins: 3072,
      json: false,
      browser: false,
      software: false,
    };
    const examine = () => examineBroker(options, createLogger('silent'));

    const [cluster, ...missing] = await examine();
    expect(cluster).toMatchObject({
      health: 'well',
      found: expect.stringContaining(`reachable: ${SAID[version]};`),
    });
    expect(missing.map(({ what, health }) => [what, health])).toEqual(
      [names.input, names.results, progressTopic(names.results)].map((name) => [name, 'note']),
    );

    // An hour in two partitions: too little for a night.
    const settings = { ...names, retentionBytes: HOURLY_BYTES / 2, resultsRetentionMs: null };
    await topics.ensure(settings, { create: true });
    const [, input, results, progress] = await examine();
    expect(input).toMatchObject({
      what: names.input,
      health: 'note',
      found: expect.stringContaining('2 partitions, 1 copy; 0 records; keeps 1.0 hours of one cavity'),
      advice: expect.stringContaining('raise retention.bytes'),
    });
    expect([results?.health, progress?.health]).toEqual(['well', 'well']);
    expect(progress?.found).toContain('cleanup.policy=compact');
  },
);
