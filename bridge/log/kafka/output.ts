/**
 * The Kafka output: results and the progress that they imply in one transaction.
 *
 *   NAME            record key `run/file`, partition = file mod partitions, the result's headers
 *   NAME-progress   compacted, a key for each part of the input that has a writer of its own: `progress` where there is
 *                   one part, else `progress-PARTITION`. The newest record is where the next owner goes on
 *
 * `acquire` makes a new transactional producer. Connecting does not fence; `InitProducerId` does, which kafkajs sends
 * with the first `transaction()`, and which the broker answers only after the predecessor's open transaction is
 * settled and its markers are written. So whatever is read after it with read_committed is final.
 *
 * On any error the producer is thrown away, because a failed transaction leaves kafkajs's stuck, and what happened is
 * found out by the next `acquire`.
 */

import type { Message, Producer, TopicMessages, Transaction } from 'kafkajs';
import {
  type CommittedResults,
  LogError,
  type OutputPort,
  type ResultCursor,
  type ResultRecord,
} from '../port.ts';
import { KafkaClient, type KafkaClientOptions } from './client.ts';
import { committedBehind } from './committed.ts';
import { isFenced, toLogError } from './errors.ts';
import { endHanging, hangingIn } from './hanging.ts';
import { TopicReader } from './reader.ts';
import { ResultIndex } from './result-index.ts';
import { isProgressKey, partitionOf, progressKey } from './progress-key.ts';
import { progressTopic } from './topics.ts';

/**
 * With kafkajs's first retry after 300 ms, transactions that follow each other wait out CONCURRENT_TRANSACTIONS
 * (p99 370 ms); with this one p50 is 6 ms. 20 retries come to about 13 s: longer than a broker's restart.
 */
const TRANSACTION_RETRY = { initialRetryTime: 20, multiplier: 1.5, maxRetryTime: 1000, retries: 20 };
/** After this the broker aborts a transaction whose owner is gone, and readers of committed records go on. */
const TRANSACTION_TIMEOUT_MS = 30_000;
/** kafkajs makes one batch of all records for a partition, and the topic's limit is on batches. */
const BATCH_BYTES = 1024 * 1024;
const PING_TIMEOUT_MS = 3_000;
/** A producer is left alone with its goodbye for this long. */
const DISCONNECT_MS = 1_000;

export interface KafkaOutputOptions extends KafkaClientOptions {
  /** Topic of the results; the progress is in `NAME-progress`. */
  readonly topic: string;
  /** Static: the same over restarts, and of one bridge only. */
  readonly transactionalId: string;
  /** Of which partition of the input; null: of all. */
  readonly partition?: number | null;
}

interface Ownership {
  readonly client: KafkaClient;
  readonly producer: Producer;
  readonly partitions: number;
}

export class KafkaOutput implements OutputPort {
  readonly kind = 'kafka';
  readonly #options: KafkaOutputOptions;
  readonly #progressKey: string;
  readonly #results: TopicReader;
  readonly #progress: TopicReader;
  /** Of its own, so that who follows the results and who publishes them do not wait for each other. */
  readonly #followed: TopicReader;
  readonly #index: ResultIndex;
  #ownership: Ownership | null = null;
  /** One thing at a time: a producer has one transaction. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: KafkaOutputOptions) {
    this.#options = options;
    this.#progressKey = progressKey(options.partition ?? null);
    this.#results = new TopicReader(options, options.topic, 'committed');
    this.#progress = new TopicReader(options, progressTopic(options.topic), 'committed');
    this.#followed = new TopicReader(options, options.topic, 'committed');
    this.#index = new ResultIndex(this.#results);
  }

  /** @throws {LogError} `missing-topic`, `unreachable`, `unauthorized`, `unavailable` */
  acquire(): Promise<Buffer | null> {
    return this.#oneByOne(async () => {
      await this.#dropProducer();
      try {
        this.#ownership = await this.#becomeOwner();
        return await this.#newestProgress();
      } catch (error) {
        await this.#dropProducer();
        throw toLogError(error, `${this.#options.topic}: becoming the writer`, 'unavailable');
      }
    });
  }

  /** Progress of the two kinds is never in one topic, so the newest of any kind tells which it is. */
  async #newestProgress(): Promise<Buffer | null> {
    const newest = await this.#progress.newest(0, ({ key }) => isProgressKey(key));
    if (newest === null) return null;
    const found = String(newest.key);
    if (found === this.#progressKey) return newest.value;
    if (partitionOf(found) === null || partitionOf(this.#progressKey) === null) {
      throw otherKind(progressTopic(this.#options.topic), partitionOf(found) !== null);
    }
    const own = await this.#progress.newest(0, ({ key }) => String(key) === this.#progressKey);
    return own?.value ?? null;
  }

  publish(results: readonly ResultRecord[], progress: Buffer): Promise<void> {
    return this.#oneByOne(async () => {
      const ownership = this.#ownership;
      if (ownership === null) throw new LogError('unavailable', `${this.#options.topic}: not acquired`);
      try {
        const transaction = await ownership.producer.transaction();
        const placed = await this.#sendAll(transaction, ownership, results, progress);
        await transaction.commit();
        this.#index.published(placed);
      } catch (error) {
        await this.#dropProducer();
        throw publishError(error, this.#options.topic);
      }
    });
  }

  /**
   * A result that this process has published or come across is read at its offset; any other is searched from the
   * partition's end backwards.
   * @throws {LogError} `unavailable` when the search takes longer than `ResultIndex` allows; asking again goes on
   *   where it stopped
   */
  async read(run: string, file: number): Promise<ResultRecord | null> {
    const partitions = await this.#results.partitions();
    const record = await this.#index.find(keyOf(run, file), file % partitions.length);
    if (record?.value == null) return null;
    return { run, file, value: record.value, headers: record.headers };
  }

  committed(cursor: ResultCursor | null, sinceMs: number): Promise<CommittedResults> {
    return committedBehind(this.#followed, cursor, sinceMs);
  }

  async ping(): Promise<boolean> {
    const answers = Promise.all([this.#results.ranges(), this.#progress.ranges()]);
    return within(
      PING_TIMEOUT_MS,
      answers.then(
        () => true,
        () => false,
      ),
      false,
    );
  }

  async release(): Promise<void> {
    await this.#oneByOne(() => this.#dropProducer());
    this.#results.close();
    this.#followed.close();
    this.#progress.close();
  }

  async #becomeOwner(): Promise<Ownership> {
    const readers = [this.#progress, this.#results];
    const first = await this.#fence();
    const hanging = await hangingIn(readers);
    if (hanging.length === 0) return first;
    this.#options.logger.warn(
      { hanging },
      'a transaction was decided, but not marked everywhere: committing it',
    );
    first.client.close();
    await endHanging(this.#options, this.#options.transactionalId, hanging, readers);
    const second = await this.#fence();
    if ((await hangingIn(readers)).length === 0) return second;
    second.client.close();
    throw new LogError(
      'unavailable',
      `${this.#options.topic}: a transaction is neither committed nor aborted`,
    );
  }

  async #fence(): Promise<Ownership> {
    const client = new KafkaClient(this.#options);
    try {
      const producer = client.kafka.producer({
        transactionalId: this.#options.transactionalId,
        idempotent: true,
        maxInFlightRequests: 1,
        transactionTimeout: TRANSACTION_TIMEOUT_MS,
        allowAutoTopicCreation: false,
        createPartitioner: () => partitionOfMessage,
        retry: TRANSACTION_RETRY,
      });
      await producer.connect();
      // This is what fences; nothing is in the transaction, so ending it sends nothing.
      await (await producer.transaction()).abort();
      const partitions = await this.#results.partitions();
      return { client, producer, partitions: partitions.length };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async #sendAll(
    transaction: Transaction,
    { partitions }: Ownership,
    results: readonly ResultRecord[],
    progress: Buffer,
  ): Promise<Map<string, { partition: number; offset: number }>> {
    const { topic } = this.#options;
    const last = { topic: progressTopic(topic), messages: [progressMessage(this.#progressKey, progress)] };
    const placed = new Map<string, { partition: number; offset: number }>();
    const rounds = inRounds(results.map((result) => toMessage(result, partitions)));
    for (const [i, messages] of rounds.entries()) {
      const batches: TopicMessages[] = messages.length === 0 ? [] : [{ topic, messages }];
      if (i === rounds.length - 1) batches.push(last);
      const answers = await transaction.sendBatch({ topicMessages: batches });
      const next = new Map(
        answers
          .filter((answer) => answer.topicName === topic)
          .map(({ partition, baseOffset }) => [partition, Number(baseOffset)]),
      );
      for (const { key, partition } of messages) {
        const offset = next.get(partition);
        if (offset === undefined) continue;
        placed.set(String(key), { partition, offset });
        next.set(partition, offset + 1);
      }
    }
    return placed;
  }

  async #dropProducer(): Promise<void> {
    const ownership = this.#ownership;
    this.#ownership = null;
    if (ownership === null) return;
    await within(
      DISCONNECT_MS,
      ownership.producer.disconnect().catch(() => {}),
      undefined,
    );
    ownership.client.close();
  }

  #oneByOne<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(action, action);
    this.#queue = done.catch(() => {});
    return done;
  }
}

function otherKind(topic: string, isScaledOut: boolean): LogError {
  return new LogError(
    'unavailable',
    isScaledOut
      ? `${topic} holds the progress of bridges with --scale-out, one record for each partition: start this one with ` +
          '--scale-out too, or with another --topic-out'
      : `${topic} holds the progress of a bridge without --scale-out, one record for all partitions: start this one ` +
          'without it, or with another --topic-out',
  );
}

const keyOf = (run: string, file: number): string => `${run}/${file}`;

interface PlacedMessage extends Message {
  readonly partition: number;
}

function toMessage({ run, file, value, headers }: ResultRecord, partitions: number): PlacedMessage {
  return { key: keyOf(run, file), value, headers: { ...headers }, partition: file % partitions };
}

const progressMessage = (key: string, value: Buffer): PlacedMessage => ({ key, value, partition: 0 });

const partitionOfMessage = ({ message }: { message: Message }): number => message.partition ?? 0;

/** Splits so that no partition gets a batch above the limit, order within a partition kept; at least one round. */
function inRounds(messages: readonly PlacedMessage[]): PlacedMessage[][] {
  const rounds: PlacedMessage[][] = [[]];
  const filled = new Map<number, { round: number; bytes: number }>();
  for (const message of messages) {
    const bytes = (message.value as Buffer).length;
    const before = filled.get(message.partition) ?? { round: 0, bytes: 0 };
    const fits = before.bytes === 0 || before.bytes + bytes <= BATCH_BYTES;
    const now = fits
      ? { round: before.round, bytes: before.bytes + bytes }
      : { round: before.round + 1, bytes };
    filled.set(message.partition, now);
    rounds[now.round] ??= [];
    rounds[now.round]?.push(message);
  }
  return rounds;
}

/** An error of which the outcome is not known is `unavailable`, whatever its cause. */
function publishError(error: unknown, topic: string): LogError {
  const known = toLogError(error, `${topic}: transaction`, 'unavailable');
  if (isFenced(error) || known.code === 'too-large' || known.code === 'unauthorized') return known;
  return new LogError('unavailable', known.message, { cause: error });
}

async function within<T>(limitMs: number, work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
