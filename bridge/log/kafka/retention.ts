/**
 * How long Kafka will keep what is not yet processed.
 *
 * Brokers delete whole segments: by time when the newest record of one is older than `retention.ms`, by size while what
 * stays behind is at least `retention.bytes`. So a record is safe until it is that old itself, or that many bytes lie
 * behind it. Brokers do not tell kafkajs how many bytes a partition has; its records are counted, and measured on a
 * sample of those that wait.
 */

import type { ConfigResourceTypes } from 'kafkajs';
import type { PartitionRetention, RetentionPort } from '../port.ts';
import { KafkaClient, type KafkaClientOptions } from './client.ts';
import { toLogError } from './errors.ts';
import { type PartitionRange, type RawMessage, TopicReader } from './reader.ts';

/** The rate at which records come is the greater of those over these times: a DAQ that has just begun, or pauses. */
const RATE_WINDOWS_MS = [60_000, 600_000];
const HOUR_MS = 3_600_000;
/** Lengths, offset and timestamp of a record, and its part of the batch's head. */
const RECORD_OVERHEAD_BYTES = 32;
/** `ConfigResourceTypes.TOPIC`, which kafkajs does not export in a way that an ES module can import. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const TOPIC_RESOURCE = 2 as ConfigResourceTypes;

/** What a topic keeps of each partition; Infinity: without limit. */
export interface RetentionLimits {
  readonly ms: number;
  readonly bytes: number;
}

/** What waits in a partition, and how fast more comes. */
export interface Waiting {
  readonly records: number;
  readonly bytesPerRecord: number;
  readonly recordsPerMs: number;
  /** Age of the first of them; 0 where none waits. */
  readonly ageMs: number;
}

/** Hours until the first record that waits may be deleted; 0: at any time. */
export function hoursLeft(limits: RetentionLimits, waiting: Waiting): number {
  const { records, bytesPerRecord, recordsPerMs, ageMs } = waiting;
  const bytesPerMs = recordsPerMs * bytesPerRecord;
  const freeBytes = limits.bytes - records * bytesPerRecord;
  const bySizeMs = freeBytes <= 0 ? 0 : bytesPerMs === 0 ? Infinity : freeBytes / bytesPerMs;
  return Math.max(0, Math.min(limits.ms - ageMs, bySizeMs)) / HOUR_MS;
}

export class KafkaRetention implements RetentionPort {
  readonly #options: KafkaClientOptions;
  readonly #topic: string;
  readonly #reader: TopicReader;

  constructor(options: KafkaClientOptions, topic: string) {
    this.#options = options;
    this.#topic = topic;
    this.#reader = new TopicReader(options, topic, 'committed');
  }

  /** @throws {LogError} `missing-topic`, `unreachable`, `unauthorized` */
  async measure(watermarks: ReadonlyMap<number, number>): Promise<readonly PartitionRetention[]> {
    const limits = await this.#limits();
    const ranges = await this.#reader.ranges();
    const rates = await this.#recordsPerMs(ranges);
    const known = [...watermarks].flatMap(([partition, watermark]) => {
      const range = ranges.get(partition);
      return range ? [{ partition, watermark, range }] : [];
    });
    return Promise.all(
      known.map(async ({ partition, watermark, range }) => {
        const waiting = await this.#waiting(partition, watermark, range);
        const recordsPerMs = rates.get(partition) ?? 0;
        const nothing = { ...waiting, recordsPerMs, records: 0, ageMs: 0 };
        return {
          partition,
          hoursLeft: hoursLeft(limits, { ...waiting, recordsPerMs }),
          hoursKept: hoursLeft(limits, nothing),
        };
      }),
    );
  }

  close(): void {
    this.#reader.close();
  }

  async #limits(): Promise<RetentionLimits> {
    const client = new KafkaClient(this.#options);
    const admin = client.kafka.admin();
    try {
      await admin.connect();
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: TOPIC_RESOURCE, name: this.#topic }],
      });
      const entries = resources[0]?.configEntries ?? [];
      const setting = (name: string): string =>
        entries.find(({ configName }) => configName === name)?.configValue ?? '';
      // A topic that is only compacted deletes nothing for its age or size.
      const deletes = setting('cleanup.policy').includes('delete');
      const limit = (name: string): number => (deletes ? limitOf(setting(name)) : Infinity);
      return { ms: limit('retention.ms'), bytes: limit('retention.bytes') };
    } catch (error) {
      throw toLogError(error, this.#topic, 'unreachable');
    } finally {
      await admin.disconnect().catch(() => {});
      client.close();
    }
  }

  async #recordsPerMs(ranges: ReadonlyMap<number, PartitionRange>): Promise<Map<number, number>> {
    const rates = new Map<number, number>();
    for (const windowMs of RATE_WINDOWS_MS) {
      const since = await this.#reader.resolve({ timeMs: Date.now() - windowMs });
      for (const [partition, { endOffset }] of ranges) {
        const rate = (endOffset - (since.get(partition) ?? endOffset)) / windowMs;
        rates.set(partition, Math.max(rate, rates.get(partition) ?? 0));
      }
    }
    return rates;
  }

  /** Looks at the first records that wait; where none does, at the last one that came. */
  async #waiting(
    partition: number,
    watermark: number,
    { lowOffset, endOffset }: PartitionRange,
  ): Promise<Omit<Waiting, 'recordsPerMs'>> {
    const records = Math.max(0, endOffset - Math.max(lowOffset, watermark));
    if (endOffset === lowOffset) return { records, bytesPerRecord: 0, ageMs: 0 };
    const from = records > 0 ? Math.max(lowOffset, watermark) : endOffset - 1;
    const { messages } = await this.#reader.raw(partition, from);
    const sample = messages.filter((message) => !message.isControlRecord);
    const bytes = sample.reduce((sum, message) => sum + bytesOf(message), 0);
    const first = sample[0];
    return {
      records,
      bytesPerRecord: sample.length === 0 ? 0 : bytes / sample.length,
      ageMs: records > 0 && first ? Math.max(0, Date.now() - Number(first.timestamp)) : 0,
    };
  }
}

/** −1 stands for no limit. */
function limitOf(text: string): number {
  const limit = text === '' ? -1 : Number(text);
  return limit < 0 ? Infinity : limit;
}

function bytesOf({ key, value, headers }: RawMessage): number {
  const headerBytes = Object.entries(headers ?? {}).reduce(
    (sum, [name, header]) => sum + name.length + (header?.length ?? 0),
    0,
  );
  return (key?.length ?? 0) + (value?.length ?? 0) + headerBytes + RECORD_OVERHEAD_BYTES;
}
