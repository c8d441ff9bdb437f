/** What the sections of the benchmark share: the broker, the topics with the input, and the list of wrong results. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningKafka } from '../broker/kafka.ts';
import type { Tolerance } from '../engine/accuracy.ts';
import { Bridge, serve, succeed } from '../e2e/haloscope.ts';
import { problemsOf, quietKafka, type Result, ResultReader } from '../e2e/results.ts';
import type { Expected } from '../e2e/samples.ts';
import { expectedResults, PAIRS } from './pairs.ts';

/** The simulated files hold a DC spike: the bounds of the engines' table for such data, mean and std. */
const TOLERANCE: Tolerance = { mean: 5e-6, std: 2e-5 };

export const PARTITIONS = 4;
/** 4 MB, as `topics create` gives `results`. */
const LARGE_MESSAGE_BYTES = String(4 * 1024 * 1024);

export interface Topics {
  readonly brokers: string;
  readonly topicIn: string;
  readonly topicOut: string;
}

export class Bench {
  readonly kafka: RunningKafka;
  readonly python: string | undefined;
  /** What was published and is wrong; anything here makes the benchmark fail. */
  readonly problems: string[] = [];
  #expected: Promise<Expected[]> | undefined;
  #filled: Promise<Topics> | undefined;

  constructor(kafka: RunningKafka, python: string | undefined) {
    this.kafka = kafka;
    this.python = python;
  }

  get brokers(): string {
    return this.kafka.brokers;
  }

  expected(): Promise<Expected[]> {
    this.#expected ??= expectedResults();
    return this.#expected;
  }

  /** Names that nobody has used; the input topic exists, with the time of arrival on each message. */
  async newTopics(): Promise<Topics> {
    const id = randomUUID().slice(0, 8);
    const topics = { brokers: this.brokers, topicIn: `chunk_data-${id}`, topicOut: `results-${id}` };
    await this.#create(topics.topicIn, PARTITIONS, { 'message.timestamp.type': 'LogAppendTime' });
    return topics;
  }

  /** A plain topic for results of a program that is not haloscope. */
  async newResults(): Promise<string> {
    const topic = `results-${randomUUID().slice(0, 8)}`;
    await this.#create(topic, PARTITIONS, { 'max.message.bytes': LARGE_MESSAGE_BYTES });
    return topic;
  }

  async #create(topic: string, partitions: number, settings: Record<string, string>): Promise<void> {
    const admin = quietKafka(this.brokers).admin();
    await admin.connect();
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
    });
    await admin.disconnect();
  }

  async deleteTopic(topic: string): Promise<void> {
    const admin = quietKafka(this.brokers).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }

  /** 16 pairs, already in Kafka; sent once, and read by every chain. */
  filled(folder: string): Promise<Topics> {
    this.#filled ??= this.newTopics().then(async (topics) => {
      await succeed(...produceWords(topics, folder), '--pace', 'max');
      return topics;
    });
    return this.#filled;
  }

  /** Compares what was published with the reference, and remembers what is wrong. */
  async check(what: string, results: readonly Result[], files: number, run = RUN): Promise<void> {
    const expected = await this.expected();
    const wanted = Array.from({ length: files }, (_, file) => {
      const pair = expected[file % PAIRS];
      if (pair === undefined) throw new Error(`no reference for pair ${file % PAIRS}`);
      return { ...pair, file };
    });
    const problems = problemsOf(results, wanted, run, TOLERANCE);
    this.problems.push(...problems.map((problem) => `${what}: ${problem}`));
  }
}

/** Run under which the benchmark sends. */
export const RUN = 'bench';

export const produceWords = (topics: Topics, folder: string): string[] => [
  'produce',
  folder,
  '--brokers',
  topics.brokers,
  '--topic',
  topics.topicIn,
  '--run',
  RUN,
];

/** A bridge on these topics, with results and group of its own, and a reader on its results. */
export class Chain {
  readonly bridge: Bridge;
  readonly reader: ResultReader;
  readonly #data: string;

  private constructor(bridge: Bridge, reader: ResultReader, data: string) {
    this.bridge = bridge;
    this.reader = reader;
    this.#data = data;
  }

  static async start(topics: Topics, ...words: string[]): Promise<Chain> {
    const data = await mkdtemp(join(tmpdir(), 'haloscope-bench-'));
    const topicOut = `results-${randomUUID().slice(0, 8)}`;
    const names = ['--topic-in', topics.topicIn, '--topic-out', topicOut, '--group', topicOut];
    const bridge = await serve('--brokers', topics.brokers, ...names, '--data', data, ...words);
    await bridge.ready();
    const reader = await new ResultReader(topics.brokers, topicOut).open();
    return new Chain(bridge, reader, data);
  }

  /** Time at which a processor was there, Unix milliseconds. */
  async processorSeen(): Promise<number> {
    await this.bridge.processor();
    return Date.now();
  }

  async stop(): Promise<void> {
    await this.reader.close();
    await this.bridge.stop();
    await rm(this.#data, { recursive: true, force: true });
  }
}
