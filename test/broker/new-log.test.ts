/**
 * A topic that is deleted and made anew, under a real broker of both versions: while the bridge is away, while it
 * reads, and with the very same records in it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { KafkaInput } from '../../bridge/log/kafka/input.ts';
import { KafkaOutput } from '../../bridge/log/kafka/output.ts';
import { KafkaProducer } from '../../bridge/log/kafka/producer.ts';
import type { TopicSettings } from '../../bridge/log/kafka/topics.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import { buildRecord } from '../../bridge/records.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { BINS, GEOMETRY, sliceValue } from '../assembly/helpers.ts';
import { clientOptions, committedKeys, createTopics, freshTopics } from '../log/kafka-fixture.ts';
import { connectEngine } from '../pipeline/processor.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';

const SLICES = 10;
const PARTITIONS = 2;
const PATIENCE_MS = 45_000;

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(50);
  }
}

describe.each(KAFKA_VERSIONS)('Kafka %s', (version) => {
  const brokers = [inject('kafka')[version]];
  const running: Pipeline[] = [];
  let engine: SpectrumEngine;
  let admin: Admin;

  beforeAll(async () => {
    engine = await createCpuEngine({ bins: BINS, window: 'none', workers: 0 });
    admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterEach(async () => {
    for (const pipeline of running.splice(0)) await pipeline.stop();
  });
  afterAll(async () => {
    await admin.disconnect();
    await engine.dispose();
  });

  /** Files of run1, each in its partition; other data for another seed. */
  async function send({ input }: TopicSettings, files: readonly number[], seed: number): Promise<void> {
    const producer = new KafkaProducer({ ...clientOptions(brokers), topic: input });
    try {
      for (const file of files) {
        const id = {
          run: 'run1',
          file,
          slices: SLICES,
          geometry: GEOMETRY,
          start: { utcMs: 1.7e12, source: 'given' },
        } as const;
        const value = sliceValue(file + 1000 * seed, 0, SLICES);
        await producer.send(file % PARTITIONS, [buildRecord(id, 0, 0, value)]);
      }
    } finally {
      await producer.close();
    }
  }

  async function serve(topics: TopicSettings, group: string): Promise<Pipeline> {
    const client = clientOptions(brokers);
    const pipeline = new Pipeline({
      input: new KafkaInput({
        ...client,
        topic: topics.input,
        group,
        from: 'earliest',
        sharing: 'one',
        announce: () => ({ urls: [], machine: 'test' }),
      }),
      output: new KafkaOutput({ ...client, topic: topics.results, transactionalId: group }),
      retention: null,
      inputName: topics.input,
      geometry: GEOMETRY,
      run: 'run1',
      slicesPerFile: SLICES,
      from: 'earliest',
      incompleteAfterMs: 60_000,
      software: 'haloscope test',
      machine: 'test',
      scaleOut: null,
      metrics: new BridgeMetrics(),
      logger: pino({ level: 'silent' }),
    });
    running.push(pipeline);
    await pipeline.start();
    connectEngine(pipeline, engine);
    return pipeline;
  }

  async function makeAnew({ input }: TopicSettings): Promise<void> {
    await admin.deleteTopics({ topics: [input] });
    await until('the topic is gone', async () => !(await admin.listTopics()).includes(input));
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: input, numPartitions: PARTITIONS }] });
  }

  const codes = (pipeline: Pipeline): string[] => pipeline.state().alarms.map(({ code }) => code);
  const done = (run: string, files: number) => async (pipeline: Pipeline) => {
    await until(`${files} files of ${run}`, () => {
      const { name, filesDone } = pipeline.state().run;
      return name === run && filesDone === files;
    });
  };

  test('made anew while the bridge is away: alarm, another run, everything in it', async () => {
    const topics = freshTopics(PARTITIONS);
    const group = randomUUID();
    await createTopics(brokers, topics);
    await send(topics, [0, 1, 2, 3], 0);
    const first = await serve(topics, group);
    await done('run1', 4)(first);
    await running.splice(0)[0]?.stop();
    await makeAnew(topics);
    await send(topics, [0, 1, 2, 3, 4, 5], 1);
    const second = await serve(topics, group);
    await done('run1~2', 6)(second);
    expect(codes(second)).toContain('new-log');
    const keys = await committedKeys(brokers, topics.results);
    const expected = [
      ...[0, 1, 2, 3].map((file) => `run1/${file}`),
      ...[0, 1, 2, 3, 4, 5].map((file) => `run1~2/${file}`),
    ];
    expect(keys.toSorted()).toEqual(expected);
  });

  test('made anew while the bridge reads', async () => {
    const topics = freshTopics(PARTITIONS);
    await createTopics(brokers, topics);
    await send(topics, [0, 1, 2, 3], 0);
    const bridge = await serve(topics, randomUUID());
    await done('run1', 4)(bridge);
    await makeAnew(topics);
    await send(topics, [0, 1], 1);
    await done('run1~2', 2)(bridge);
    expect(codes(bridge)).toContain('new-log');
    const keys = await committedKeys(brokers, topics.results);
    expect(keys.toSorted()).toEqual(['run1/0', 'run1/1', 'run1/2', 'run1/3', 'run1~2/0', 'run1~2/1']);
  });

  test('made anew with the very same records: gone on with, nothing twice', async () => {
    const topics = freshTopics(PARTITIONS);
    const group = randomUUID();
    await createTopics(brokers, topics);
    await send(topics, [0, 1, 2, 3], 0);
    await done('run1', 4)(await serve(topics, group));
    await running.splice(0)[0]?.stop();
    await makeAnew(topics);
    await send(topics, [0, 1, 2, 3, 4], 0);
    const second = await serve(topics, group);
    await done('run1', 5)(second);
    expect(codes(second)).toEqual([]);
    const keys = await committedKeys(brokers, topics.results);
    expect(keys.toSorted()).toEqual([0, 1, 2, 3, 4].map((file) => `run1/${file}`));
  });
});
