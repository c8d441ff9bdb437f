/** A Kafka connection and topics for one test. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaConnection } from '../../bridge/config/options.ts';
import type { KafkaClientOptions } from '../../bridge/log/kafka/client.ts';
import { KafkaOutput } from '../../bridge/log/kafka/output.ts';
import { KafkaTopics, type TopicSettings } from '../../bridge/log/kafka/topics.ts';
import { createLogger } from '../../bridge/logger.ts';
import type { ChildTarget } from './publishing-child.ts';

/** Markers follow a commit within milliseconds, on a busy machine within tens. */
const MARKERS_MS = 300;

export function connectionTo(brokers: readonly string[]): KafkaConnection {
  return { brokers, ssl: null, sasl: null };
}

export function clientOptions(brokers: readonly string[]): KafkaClientOptions {
  const level = process.env['HALOSCOPE_LOG_LEVEL'] === 'debug' ? 'debug' : 'silent';
  return { connection: connectionTo(brokers), clientId: 'haloscope-test', logger: createLogger(level) };
}

export function kafkaTestOutput(target: ChildTarget & { kind: 'kafka' }): KafkaOutput {
  const { brokers, results, transactionalId } = target;
  return new KafkaOutput({ ...clientOptions(brokers), topic: results, transactionalId });
}

/** A member that tells nothing of itself. */
export const ALONE = { sharing: 'one', announce: () => ({ urls: [], machine: '' }) } as const;

/** Names and settings that no other test uses. */
export function freshTopics(partitions = 4): TopicSettings {
  const id = randomUUID().slice(0, 8);
  return {
    input: `chunk-${id}`,
    results: `results-${id}`,
    partitions,
    replication: 1,
    retentionBytes: 1e9,
    resultsRetentionMs: null,
  };
}

export async function createTopics(brokers: readonly string[], settings: TopicSettings): Promise<void> {
  const topics = new KafkaTopics(clientOptions(brokers));
  try {
    await topics.ensure(settings, { create: true });
  } finally {
    await topics.close();
  }
}

/**
 * Keys of all committed records of a topic, as plain kafkajs sees them. A commit is acknowledged before its markers
 * are written, and until then readers of committed records do not see it: so it is read until two readings agree.
 */
export async function committedKeys(brokers: readonly string[], topic: string): Promise<string[]> {
  let before: string[] | null = null;
  for (;;) {
    const keys = await readCommittedKeys(brokers, topic);
    if (before !== null && before.length === keys.length) return keys;
    before = keys;
    await sleep(MARKERS_MS);
  }
}

async function readCommittedKeys(brokers: readonly string[], topic: string): Promise<string[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map((p) => [p.partition, Number(p.high)]));
  await admin.disconnect();
  const groupId = `check-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const keys: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  await new Promise<void>((resolve, reject) => {
    if (open.size === 0) resolve();
    // Batches of markers and aborted records come to no handler, only to this event.
    consumer.on('consumer.end_batch_process', ({ payload }) => {
      if (Number(payload.lastOffset) + 1 >= (ends.get(payload.partition) ?? 0))
        open.delete(payload.partition);
      if (open.size === 0) resolve();
    });
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => void keys.push(...batch.messages.map(({ key }) => String(key))),
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return keys;
}
