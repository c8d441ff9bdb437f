/**
 * The topics that the bridge needs, with the settings that brokers' defaults would get wrong: seven days of
 * `chunk_data` are 9.7 TB, and `results` would lose its own history.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ConfigResourceTypes, ITopicConfig } from 'kafkajs';
import { LogError } from '../port.ts';
import { KafkaClient, type KafkaClientOptions } from './client.ts';
import { toLogError } from './errors.ts';
import { TopicReader } from './reader.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** One cavity: two channels of float32 at 2 MS/s. */
const CAVITY_BYTES_PER_SECOND = 16e6;
const SECONDS_PER_HOUR = 3600;
/** `ConfigResourceTypes.TOPIC`, which kafkajs does not export in a way that an ES module can import. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const TOPIC_RESOURCE = 2 as ConfigResourceTypes;
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const BROKER_RESOURCE = 4 as ConfigResourceTypes;

export const DEFAULT_PARTITIONS = 4;
/** 4 × 80 GiB are 6 hours of one cavity: a night's outage of everything but the DAQ fits on an ordinary disk. */
export const DEFAULT_RETENTION_BYTES = 80 * GIB;
/** At 8192 bins a result passes Kafka's default of 1 MB. */
const LARGE_RECORD_BYTES = 4 * MIB;
/** Compaction leaves the active segment alone, so a restart reads up to this much of old progress at worst. */
const PROGRESS_SEGMENT_BYTES = 16 * MIB;

/** On a busy broker seconds pass between a topic's creation and its service. */
const SERVED_MS = 20_000;
const SERVED_POLL_MS = 50;

export interface TopicNames {
  readonly input: string;
  readonly results: string;
}

export interface TopicSettings extends TopicNames {
  readonly partitions: number;
  readonly replication: number;
  /** Bytes of input that one partition keeps. */
  readonly retentionBytes: number;
  /** null: results are kept for ever. */
  readonly resultsRetentionMs: number | null;
}

/** What the brokers say of themselves. */
export interface ClusterDescription {
  /** `host:port` of each. */
  readonly brokers: readonly string[];
  /**
   * Version of the protocol between brokers, such as `3.4-IV0`, which follows the software's; null from 4.0 on, which
   * has no such setting.
   */
  readonly interBrokerProtocol: string | null;
}

export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Settings that are not the broker's defaults. */
  readonly settings: Readonly<Record<string, string>>;
  /** Offset behind the last record less that of the first, summed over partitions. */
  readonly records: number;
}

/** Where a bridge that publishes to `results` keeps its progress. */
export const progressTopic = (results: string): string => `${results}-progress`;

/** Hours of one cavity's data that the input keeps before the oldest are deleted. */
export function retentionHours(partitions: number, retentionBytes: number): number {
  return (partitions * retentionBytes) / CAVITY_BYTES_PER_SECOND / SECONDS_PER_HOUR;
}

export class KafkaTopics {
  readonly #options: KafkaClientOptions;
  readonly #client: KafkaClient;
  readonly #admin: Admin;
  #connected: Promise<void> | null = null;

  constructor(options: KafkaClientOptions) {
    this.#options = options;
    this.#client = new KafkaClient(options);
    this.#admin = this.#client.kafka.admin();
  }

  /**
   * Makes sure that input, results and progress are there, and can be read and written when it resolves. Topics that
   * exist are left as they are.
   * @returns the names of those that were created
   * @throws {LogError} `missing-topic` unless `create`; `unreachable`; `unauthorized`
   */
  ensure(settings: TopicSettings, { create }: { readonly create: boolean }): Promise<string[]> {
    return this.#call('topics', async (admin) => {
      const existing = new Set(await admin.listTopics());
      const missing = configurations(settings).filter(({ topic }) => !existing.has(topic));
      if (missing.length === 0) return [];
      const names = missing.map(({ topic }) => topic);
      if (!create) throw missingTopics(names);
      await createAll(admin, missing);
      await this.#served(names);
      return names;
    });
  }

  /** A broker names itself the leader of a new topic's partitions a moment before it serves them. */
  async #served(names: readonly string[]): Promise<void> {
    const deadline = performance.now() + SERVED_MS;
    for (const name of names) {
      const reader = new TopicReader(this.#options, name, 'any');
      try {
        while (!(await isServed(reader, performance.now() < deadline))) await sleep(SERVED_POLL_MS);
      } finally {
        reader.close();
      }
    }
  }

  /** @throws {LogError} `unreachable`, `unauthorized` */
  cluster(): Promise<ClusterDescription> {
    return this.#call('brokers', async (admin) => {
      const { brokers } = await admin.describeCluster();
      const [first] = brokers;
      if (first === undefined) throw new LogError('unreachable', 'the cluster has no broker');
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: BROKER_RESOURCE, name: String(first.nodeId) }],
      });
      const settings = resources[0]?.configEntries ?? [];
      const protocol = settings.find(({ configName }) => configName === 'inter.broker.protocol.version');
      return {
        brokers: brokers.map(({ host, port }) => `${host}:${port}`),
        interBrokerProtocol: protocol?.configValue ?? null,
      };
    });
  }

  /** Names of all topics but Kafka's own, sorted. */
  list(): Promise<string[]> {
    return this.#call('topics', async (admin) =>
      (await admin.listTopics()).filter((name) => !name.startsWith('__')).sort(),
    );
  }

  /** @throws {LogError} `missing-topic` */
  describe(names: readonly string[]): Promise<TopicDescription[]> {
    return this.#call(names.join(', '), async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      const settings = await settingsOf(admin, names);
      const describeOne = async (name: string): Promise<TopicDescription> => {
        const partitions = topics.find((topic) => topic.name === name)?.partitions ?? [];
        const offsets = await admin.fetchTopicOffsets(name);
        return {
          name,
          partitions: partitions.length,
          replication: partitions[0]?.replicas.length ?? 0,
          settings: settings.get(name) ?? {},
          records: offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0),
        };
      };
      return Promise.all(names.map(describeOne));
    });
  }

  /** @throws {LogError} `missing-topic` */
  delete(names: readonly string[]): Promise<void> {
    return this.#call(names.join(', '), async (admin) => {
      await admin.deleteTopics({ topics: [...names] });
    });
  }

  async close(): Promise<void> {
    await this.#admin.disconnect().catch(() => {});
    this.#client.close();
  }

  async #call<T>(doing: string, action: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.#connected ??= this.#admin.connect();
      await this.#connected;
      return await action(this.#admin);
    } catch (error) {
      this.#connected = null;
      throw toLogError(error, doing, 'unreachable');
    }
  }
}

function configurations(settings: TopicSettings): ITopicConfig[] {
  const { input, results, partitions, replication, retentionBytes, resultsRetentionMs } = settings;
  const topic = (
    name: string,
    numPartitions: number,
    values: Record<string, string | number>,
  ): ITopicConfig => ({
    topic: name,
    numPartitions,
    replicationFactor: replication,
    configEntries: Object.entries(values).map(([entry, value]) => ({ name: entry, value: String(value) })),
  });
  return [
    // By bytes alone: data that nobody has processed yet must not go because of their age.
    topic(input, partitions, { 'retention.bytes': retentionBytes, 'retention.ms': -1 }),
    topic(results, partitions, {
      'retention.bytes': -1,
      'retention.ms': resultsRetentionMs ?? -1,
      'max.message.bytes': LARGE_RECORD_BYTES,
    }),
    topic(progressTopic(results), 1, {
      'cleanup.policy': 'compact',
      'segment.bytes': PROGRESS_SEGMENT_BYTES,
      'min.cleanable.dirty.ratio': 0.1,
      'max.message.bytes': LARGE_RECORD_BYTES,
    }),
  ];
}

/** @param mayWait whether a topic that is not there yet may still come */
async function isServed(reader: TopicReader, mayWait: boolean): Promise<boolean> {
  try {
    await reader.ranges();
    return true;
  } catch (error) {
    const isYoung = error instanceof LogError && ['missing-topic', 'unreachable'].includes(error.code);
    if (!isYoung || !mayWait) throw error;
    return false;
  }
}

async function createAll(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  try {
    // kafkajs gives up waiting for leaders when a broker that has just been asked does not know the topic yet.
    await admin.createTopics({ topics, waitForLeaders: false });
  } catch (error) {
    if (!allExistAlready(error)) throw error;
  }
}

/** Somebody else was faster. */
function allExistAlready(error: unknown): boolean {
  const parts = (error as { errors?: unknown }).errors;
  const all: readonly { type?: unknown }[] = Array.isArray(parts) ? parts : [error as { type?: unknown }];
  return all.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS');
}

async function settingsOf(
  admin: Admin,
  names: readonly string[],
): Promise<Map<string, Record<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: TOPIC_RESOURCE, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(
        configEntries
          .filter(({ isDefault }) => !isDefault)
          .map(({ configName, configValue }) => [configName, configValue]),
      ),
    ]),
  );
}

function missingTopics(names: readonly string[]): LogError {
  return new LogError(
    'missing-topic',
    `no topic ${names.join(', ')}: create ${names.length === 1 ? 'it' : 'them'} with "haloscope topics create", or leave --no-create out`,
  );
}
