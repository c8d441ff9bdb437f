/**
 * Appends to the input topic: idempotent, in order, one request on the way per partition.
 *
 * kafkajs's idempotent producer with two sends to one partition on the way can lose one record and repeat another
 * when an answer is lost; so each partition has a queue. Whatever fails after kafkajs's own retries has an unknown
 * outcome: the producer is thrown away, and `last` tells what arrived.
 */

import type { Message, Producer } from 'kafkajs';
import { LogError, type InputRecord, type ProducerPort } from '../port.ts';
import { KafkaClient, type KafkaClientOptions } from './client.ts';
import { toLogError } from './errors.ts';
import { TopicReader } from './reader.ts';

/** kafkajs makes one batch of all records of a send; the broker takes 1 048 588 bytes unless told otherwise. */
const BATCH_BYTES = 1_000_000;
/** Varints, lengths and header names of a record; generous. */
const RECORD_OVERHEAD_BYTES = 512;
/** About 30 s: a broker that restarts is back before. */
const RETRY = { initialRetryTime: 100, multiplier: 1.5, maxRetryTime: 1000, retries: 35 };

type Outgoing = Parameters<ProducerPort['send']>[1][number];

export interface KafkaProducerOptions extends KafkaClientOptions {
  readonly topic: string;
}

export class KafkaProducer implements ProducerPort {
  readonly #options: KafkaProducerOptions;
  readonly #reader: TopicReader;
  readonly #queues = new Map<number, Promise<unknown>>();
  #client: KafkaClient | null = null;
  #producer: Promise<Producer> | null = null;
  #closed = false;

  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#reader = new TopicReader(options, options.topic, 'any');
  }

  /** @throws {LogError} `missing-topic`, `unreachable`, `unauthorized` */
  async partitions(): Promise<number> {
    return (await this.#reader.partitions()).length;
  }

  last(partition: number): Promise<InputRecord | null> {
    return this.#reader.newest(partition, () => true);
  }

  /**
   * @throws {LogError} `too-large`, `unauthorized`, `missing-topic`: nothing of the failed request was written;
   *   `unavailable`: unknown, ask `last`. Earlier requests of the same call may have been written in each case.
   */
  send(partition: number, records: readonly Outgoing[]): Promise<number> {
    const turn = (): Promise<number> => this.#sendInOrder(partition, records);
    const done = (this.#queues.get(partition) ?? Promise.resolve()).then(turn, turn);
    this.#queues.set(
      partition,
      done.catch(() => {}),
    );
    return done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#queues.values());
    const producer = await this.#producer?.catch(() => null);
    await producer?.disconnect().catch(() => {});
    this.#drop();
    this.#reader.close();
  }

  async #sendInOrder(partition: number, records: readonly Outgoing[]): Promise<number> {
    let first: number | null = null;
    for (const batch of inBatches(records)) {
      const offset = await this.#sendBatch(partition, batch);
      first ??= offset;
    }
    if (first === null)
      throw new LogError('unavailable', `${this.#options.topic}: expected a record, found none`);
    return first;
  }

  async #sendBatch(partition: number, records: readonly Outgoing[]): Promise<number> {
    const { topic } = this.#options;
    if (this.#closed) throw new LogError('unavailable', `${topic}: the producer is closed`);
    const connected = (this.#producer ??= this.#connect());
    try {
      const producer = await connected;
      const messages: Message[] = records.map(({ key, value, headers }) => ({
        key,
        value,
        headers: { ...headers },
        partition,
      }));
      const [answer] = await producer.send({ topic, messages });
      return Number(answer?.baseOffset);
    } catch (error) {
      // Another partition may have thrown the same one away already.
      if (this.#producer === connected) this.#drop();
      throw sendError(error, `${topic} partition ${partition}`);
    }
  }

  async #connect(): Promise<Producer> {
    const client = new KafkaClient(this.#options, RETRY);
    this.#client = client;
    const producer = client.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      retry: RETRY,
    });
    await producer.connect();
    return producer;
  }

  #drop(): void {
    this.#client?.close();
    this.#client = null;
    this.#producer = null;
  }
}

/** What is known to have had no effect keeps its name; the rest is unknown. */
function sendError(error: unknown, doing: string): LogError {
  const known = toLogError(error, doing, 'unavailable');
  if (['too-large', 'unauthorized', 'missing-topic'].includes(known.code)) return known;
  return new LogError('unavailable', known.message, { cause: error });
}

const bytesOf = ({ key, value }: Outgoing): number => key.length + value.length + RECORD_OVERHEAD_BYTES;

/** Runs of records that fit one request each; a record that is too large alone is left to the broker to refuse. */
function* inBatches(records: readonly Outgoing[]): Generator<readonly Outgoing[]> {
  let begin = 0;
  let bytes = 0;
  for (const [i, record] of records.entries()) {
    const more = bytesOf(record);
    if (i > begin && bytes + more > BATCH_BYTES) {
      yield records.slice(begin, i);
      begin = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (begin < records.length) yield records.slice(begin);
}
