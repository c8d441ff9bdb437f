/**
 * Reads any place of a topic without being a member of a consumer group: no join (3 s on a broker with default
 * settings), nothing left behind to be deleted.
 *
 * kafkajs hands its cluster, through which brokers are asked directly, to partition assigners; a consumer that is
 * made only for that, and never joins, is the one public way to it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, PartitionAssigner } from 'kafkajs';
import { LogError, type InputRecord, type StartFrom } from '../port.ts';
import { KafkaClient, type KafkaClientOptions, textHeaders } from './client.ts';
import { toLogError } from './errors.ts';

/** Which records of transactions are read: only committed ones, or all. */
export type Isolation = 'committed' | 'any';

const ISOLATION_LEVEL: Readonly<Record<Isolation, number>> = { any: 0, committed: 1 };

export interface PartitionRange {
  /** First offset that can still be read. */
  readonly lowOffset: number;
  /** Offset behind the last record; with `committed`: that may be read, so behind the last settled transaction. */
  readonly endOffset: number;
}

interface Chunk {
  readonly records: readonly InputRecord[];
  /** Where to read on. */
  readonly nextOffset: number;
}

/** Who wrote a batch. An epoch belongs to one life of a transactional producer. */
export interface BatchContext {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly inTransaction: boolean;
}

/** A record as kafkajs decodes it, control records included. */
export interface RawMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer>;
  readonly isControlRecord: boolean;
  readonly batchContext?: BatchContext;
}

/** What lies in a partition from an offset on. */
export interface RawAnswer {
  readonly messages: readonly RawMessage[];
  /** Offset behind the last record, settled or not. */
  readonly endOffset: number;
}

interface RawPartition {
  /** Offset behind the last record, settled or not. */
  readonly highWatermark?: string;
  readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly messages: readonly RawMessage[];
}

const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 200;
const NO_WAIT_MS = 1;
/** Between attempts: a leader that is only being chosen is there within tenths of a second. */
const RETRY_PAUSES_MS = [50, 250, 750];
/** First step back from the end: two publishes, each with its record and its transaction marker. */
const FIRST_STEP = 4;
const STEP_FACTOR = 8;

const NO_CONTEXT: BatchContext = { producerId: '', producerEpoch: -1, inTransaction: false };

/** The second half of a control record's key: 0 abort, 1 commit. */
export const isAbortMarker = ({ isControlRecord, key }: RawMessage): boolean =>
  isControlRecord && key !== null && key.length >= 4 && key.readInt16BE(2) === 0;

export class TopicReader {
  readonly topic: string;
  readonly #options: KafkaClientOptions;
  readonly #isolation: Isolation;
  #client: KafkaClient | null = null;
  #cluster: Promise<Cluster> | null = null;
  #closed = false;

  constructor(options: KafkaClientOptions, topic: string, isolation: Isolation) {
    this.#options = options;
    this.topic = topic;
    this.#isolation = isolation;
  }

  /** @throws {LogError} `missing-topic`, `unreachable`, `unauthorized` (as every method here) */
  partitions(): Promise<number[]> {
    return this.#with(async (cluster) => partitionsOf(cluster, this.topic));
  }

  /** What can be read, per partition, in ascending order of partitions. */
  ranges(): Promise<Map<number, PartitionRange>> {
    return this.#with(async (cluster) => {
      const low = await offsetsOf(cluster, this.topic, { fromBeginning: true });
      const end = await offsetsOf(cluster, this.topic, { fromBeginning: false });
      const range = ([partition, endOffset]: [number, number]): [number, PartitionRange] => [
        partition,
        { lowOffset: low.get(partition) ?? 0, endOffset },
      ];
      return new Map([...end].map(range).sort(([a], [b]) => a - b));
    });
  }

  /** The offset of the first record at or after `from`; the end where there is none. */
  resolve(from: StartFrom): Promise<Map<number, number>> {
    return this.#with(async (cluster) => {
      if (typeof from === 'string') {
        return offsetsOf(cluster, this.topic, { fromBeginning: from === 'earliest' });
      }
      const end = await offsetsOf(cluster, this.topic, { fromBeginning: false });
      const found = await offsetsOf(cluster, this.topic, { fromTimestamp: from.timeMs });
      return new Map(
        [...end].map(([partition, offset]) => [partition, atOrEnd(found.get(partition), offset)]),
      );
    });
  }

  /** Records from `lower` up to, not including, `upper`, in order. */
  async *scan(partition: number, lower: number, upper: number): AsyncGenerator<InputRecord> {
    for (let offset = lower; offset < upper; ) {
      const chunk = await this.#fetch(partition, offset, this.#isolation);
      for (const record of chunk.records) if (record.offset < upper) yield record;
      offset = chunk.nextOffset;
    }
  }

  /** The last record that is accepted, searched from the end in growing steps; null where there is none. */
  async newest(partition: number, accept: (record: InputRecord) => boolean): Promise<InputRecord | null> {
    const range = (await this.ranges()).get(partition);
    if (range === undefined) throw missingPartition(this.topic, partition);
    let upper = range.endOffset;
    for (let step = FIRST_STEP; upper > range.lowOffset; step *= STEP_FACTOR) {
      const lower = Math.max(range.lowOffset, upper - step);
      let found: InputRecord | null = null;
      for await (const record of this.scan(partition, lower, upper)) if (accept(record)) found = record;
      if (found !== null) return found;
      upper = lower;
    }
    return null;
  }

  /** The record at an offset that is known to be committed, even while its transaction's markers are on the way. */
  async at(partition: number, offset: number): Promise<InputRecord | null> {
    const { records } = await this.#fetch(partition, offset, 'any');
    const [first] = records;
    return first?.offset === offset ? first : null;
  }

  /**
   * Everything from an offset on that fits one answer, without waiting: records of open and aborted transactions and
   * control records as well.
   */
  async raw(partition: number, offset: number): Promise<RawAnswer> {
    const { messages, highWatermark } = await this.#with((cluster) =>
      fetchRaw(cluster, this.topic, partition, offset, 'any', NO_WAIT_MS),
    );
    return {
      messages: messages.filter((message) => Number(message.offset) >= offset),
      endOffset: Number(highWatermark ?? offset),
    };
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #fetch(partition: number, offset: number, isolation: Isolation): Promise<Chunk> {
    const raw = await this.#with((cluster) => fetchRaw(cluster, this.topic, partition, offset, isolation));
    const { messages } = raw;
    const wanted = committedOf(raw).filter((message) => Number(message.offset) >= offset);
    const last = messages.at(-1);
    // A batch that compaction has emptied decodes to nothing; the offset behind it may be the next one.
    const nextOffset = last === undefined ? offset + 1 : Math.max(offset + 1, Number(last.offset) + 1);
    return { records: wanted.map((message) => toRecord(partition, message)), nextOffset };
  }

  /** Runs a request, a few times over fresh connections where it fails. */
  async #with<T>(request: (cluster: Cluster) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw new LogError('unreachable', `${this.topic}: the reader is closed`);
      this.#cluster ??= this.#connect();
      const cluster = this.#cluster;
      try {
        return await request(await cluster);
      } catch (error) {
        // Another request may have failed before and be at work over a new connection, which is left to it.
        if (this.#cluster === cluster) this.#drop();
        const known = toLogError(error, this.topic, 'unreachable');
        const pauseMs = RETRY_PAUSES_MS[attempt];
        if (pauseMs === undefined || known.code !== 'unreachable') throw known;
        await sleep(pauseMs);
      }
    }
  }

  async #connect(): Promise<Cluster> {
    const client = new KafkaClient(this.#options);
    this.#client = client;
    const cluster = clusterOf(client, this.#isolation);
    await cluster.connect();
    await cluster.addMultipleTargetTopics([this.topic]);
    return cluster;
  }

  #drop(): void {
    this.#client?.close();
    this.#client = null;
    this.#cluster = null;
  }
}

/** kafkajs's cluster of a client, not yet connected. */
export function clusterOf(client: KafkaClient, isolation: Isolation): Cluster {
  let found: Cluster | null = null;
  const assigner: PartitionAssigner = ({ cluster }) => {
    found = cluster;
    return {
      name: 'none',
      version: 0,
      assign: async () => [],
      protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
    };
  };
  client.kafka.consumer({
    groupId: 'never-joined',
    partitionAssigners: [assigner],
    readUncommitted: isolation === 'any',
    allowAutoTopicCreation: false,
  });
  if (found === null) throw new LogError('unavailable', 'kafkajs gave no cluster: expected version 2.2.4');
  return found;
}

async function partitionsOf(cluster: Cluster, topic: string): Promise<number[]> {
  await cluster.refreshMetadataIfNecessary();
  const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
  if (partitions.length === 0) throw new LogError('missing-topic', `${topic}: no such topic`);
  return partitions.sort((a, b) => a - b);
}

async function offsetsOf(
  cluster: Cluster,
  topic: string,
  at: { fromBeginning: boolean } | { fromTimestamp: number },
): Promise<Map<number, number>> {
  const partitions = (await partitionsOf(cluster, topic)).map((partition) => ({ partition }));
  const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions, ...at }]);
  const offsets = new Map(answer?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return new Map(
    partitions.map(({ partition }) => {
      const offset = offsets.get(partition);
      if (offset === undefined)
        throw new LogError('unreachable', `${topic}: no offset of partition ${partition}`);
      return [partition, offset];
    }),
  );
}

/** Kafka answers −1 where no record is that young. */
const atOrEnd = (offset: number | undefined, end: number): number =>
  offset === undefined || offset < 0 ? end : offset;

async function fetchRaw(
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: number,
  isolation: Isolation,
  waitMs = FETCH_WAIT_MS,
): Promise<RawPartition> {
  await cluster.refreshMetadataIfNecessary();
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw missingPartition(topic, partition);
  const broker = await cluster.findBroker({ nodeId });
  const partitions = [{ partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES }];
  const { responses } = (await broker.fetch({
    isolationLevel: ISOLATION_LEVEL[isolation],
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    topics: [{ topic, partitions }],
  })) as { responses: readonly { partitions: readonly RawPartition[] }[] };
  return responses[0]?.partitions[0] ?? { messages: [] };
}

/**
 * Leaves out control records and those of aborted transactions: a producer's records count as aborted from the
 * first offset that the broker names until its abort marker.
 */
function committedOf({ messages, abortedTransactions }: RawPartition): RawMessage[] {
  const starts = (abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset);
  const aborted = new Set<string>();
  return messages.filter((message) => {
    while (starts[0] !== undefined && starts[0].firstOffset <= Number(message.offset)) {
      aborted.add((starts.shift() as (typeof starts)[number]).producerId);
    }
    const { producerId, inTransaction } = message.batchContext ?? NO_CONTEXT;
    if (isAbortMarker(message)) aborted.delete(producerId);
    return !message.isControlRecord && !(inTransaction && aborted.has(producerId));
  });
}

function toRecord(partition: number, message: RawMessage): InputRecord {
  return {
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers: textHeaders(message.headers),
    timestampMs: Number(message.timestamp),
  };
}

function missingPartition(topic: string, partition: number): LogError {
  return new LogError('missing-topic', `${topic}: no partition ${partition}`);
}
