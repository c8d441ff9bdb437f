/**
 * The progress of every partition as it is committed, whoever commits it: read once from the beginning, which compaction
 * keeps short, and then on.
 */
import type { KafkaClientOptions } from './client.ts';
import { isProgressKey, partitionOf } from './progress-key.ts';
import { TopicReader } from './reader.ts';
import { progressTopic } from './topics.ts';

export interface ProgressBoardOptions extends KafkaClientOptions {
  /** Topic of the results. */
  readonly topic: string;
}

export class KafkaProgressBoard {
  readonly #reader: TopicReader;
  readonly #newest = new Map<number, Buffer>();
  #next = 0;
  #reading: Promise<ReadonlyMap<number, Buffer>> | null = null;

  constructor(options: ProgressBoardOptions) {
    this.#reader = new TopicReader(options, progressTopic(options.topic), 'committed');
  }

  /**
   * The newest committed record of each partition that has one.
   * @throws {LogError} `unreachable`, `missing-topic`, `unauthorized`
   */
  read(): Promise<ReadonlyMap<number, Buffer>> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  close(): void {
    this.#reader.close();
  }

  async #readOn(): Promise<ReadonlyMap<number, Buffer>> {
    const { lowOffset, endOffset } = (await this.#reader.ranges()).get(0) ?? { lowOffset: 0, endOffset: 0 };
    // The topic was made anew.
    if (this.#next > endOffset) {
      this.#newest.clear();
      this.#next = 0;
    }
    for await (const { key, value, offset } of this.#reader.scan(
      0,
      Math.max(lowOffset, this.#next),
      endOffset,
    )) {
      const partition = isProgressKey(key) ? partitionOf(String(key)) : null;
      if (partition !== null && value !== null) this.#newest.set(partition, value);
      this.#next = offset + 1;
    }
    this.#next = Math.max(this.#next, endOffset);
    return this.#newest;
  }
}
