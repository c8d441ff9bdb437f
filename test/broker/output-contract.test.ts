/** The Kafka output, over both versions of the broker. */

import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { outputContract } from '../log/contract.ts';
import { committedKeys, createTopics, freshTopics, kafkaTestOutput } from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';

for (const version of KAFKA_VERSIONS) {
  outputContract(`Kafka ${version}`, async () => {
    const brokers = [inject('kafka')[version]];
    const topics = freshTopics();
    await createTopics(brokers, topics);
    const target = {
      kind: 'kafka',
      brokers,
      results: topics.results,
      transactionalId: `t-${randomUUID()}`,
    } as const;
    return {
      create: () => kafkaTestOutput(target),
      committed: () => committedKeys(brokers, topics.results),
      target,
      partitions: topics.partitions,
      close: async () => {},
    };
  });
}
