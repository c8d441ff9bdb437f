/** `topics create|list|describe|delete`: slices, results and progress on Kafka. */

import type { TopicsOptions } from '../config/options.ts';
import { KafkaTopics, progressTopic, retentionHours, type TopicDescription } from '../log/kafka/topics.ts';
import type { Logger } from '../logger.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns the exit status */
export async function runTopics(options: TopicsOptions, log: Logger): Promise<number> {
  const topics = new KafkaTopics({
    connection: options.connection,
    clientId: 'haloscope-topics',
    logger: log,
  });
  const ours = [options.topicIn, options.topicOut, progressTopic(options.topicOut)];
  try {
    switch (options.action) {
      case 'create':
        await create(topics, options, ours);
        return 0;
      case 'list':
        for (const name of await topics.list()) print(name);
        return 0;
      case 'describe':
        for (const description of await topics.describe(ours)) describe(description);
        return 0;
      case 'delete':
        return await remove(topics, options, ours, log);
    }
  } finally {
    await topics.close();
  }
}

async function create(topics: KafkaTopics, options: TopicsOptions, ours: readonly string[]): Promise<void> {
  const { topicIn, topicOut, partitions, replication, retentionBytes, resultsRetentionMs } = options;
  const created = await topics.ensure(
    { input: topicIn, results: topicOut, partitions, replication, retentionBytes, resultsRetentionMs },
    { create: true },
  );
  for (const name of ours)
    print(`${name}: ${created.includes(name) ? 'created' : 'was there, left as it is'}`);
  if (!created.includes(topicIn)) return;
  const hours = retentionHours(partitions, retentionBytes).toFixed(1);
  print(
    `${topicIn} keeps ${hours} hours of one cavity's data (16 MB/s): ${partitions} × ${retentionBytes} bytes`,
  );
}

function describe({ name, partitions, replication, records, settings }: TopicDescription): void {
  print(`${name}: ${partitions} partitions, ${replication} copies, ${records} records`);
  for (const [key, value] of Object.entries(settings)) print(`  ${key} = ${value}`);
}

async function remove(
  topics: KafkaTopics,
  { yes }: TopicsOptions,
  ours: readonly string[],
  log: Logger,
): Promise<number> {
  const there = (await topics.list()).filter((name) => ours.includes(name));
  if (!yes) {
    log.error(`would delete ${there.join(', ') || 'nothing'} and all that is in them: say so with --yes`);
    return 2;
  }
  if (there.length > 0) await topics.delete(there);
  for (const name of there) print(`${name}: deleted`);
  return 0;
}
