/**
 * Where results lie: `run/file` → offset, of those that this process has published or come across while searching.
 *
 *   low               reached              met                end
 *    │  not yet known  │  searched, indexed │  not yet searched │
 *
 * A search first catches up from `met` to the end, then goes down from `reached`. It indexes every key that it
 * passes, so that no record is read twice for its key.
 */

import { type InputRecord, LogError } from '../port.ts';
import type { TopicReader } from './reader.ts';

/** At 500 MB/s about 7000 results. */
const SEARCH_LIMIT_MS = 5_000;
/** About 100 bytes each; five days of one cavity's files per partition of four, after which it begins anew. */
const MAX_KEYS = 100_000;
/** Offsets per step: a result and its transaction's marker are two. */
const STEP = 64;

interface PartitionIndex {
  readonly offsets: Map<string, number>;
  /** [reached, met) has been searched. */
  reached: number;
  met: number;
}

export class ResultIndex {
  readonly #reader: TopicReader;
  readonly #partitions = new Map<number, PartitionIndex>();

  constructor(reader: TopicReader) {
    this.#reader = reader;
  }

  published(places: ReadonlyMap<string, { readonly partition: number; readonly offset: number }>): void {
    for (const [key, { partition, offset }] of places) this.#of(partition, offset).offsets.set(key, offset);
  }

  /** The committed record with this key; null where there is none. */
  async find(key: string, partition: number): Promise<InputRecord | null> {
    const known = await this.#known(key, partition);
    if (known !== null) return known;
    const range = (await this.#reader.ranges()).get(partition);
    if (range === undefined) return null;
    const index = this.#of(partition, range.endOffset);
    const search = { key, partition, index, deadline: performance.now() + SEARCH_LIMIT_MS };
    return (await this.#catchUp(search, range.endOffset)) ?? (await this.#goDown(search, range.lowOffset));
  }

  async #known(key: string, partition: number): Promise<InputRecord | null> {
    const offset = this.#partitions.get(partition)?.offsets.get(key);
    if (offset === undefined) return null;
    const record = await this.#reader.at(partition, offset);
    if (record?.key?.toString() === key) return record;
    // Deleted by retention, or the topic was made anew: what was known is worth nothing.
    this.#partitions.delete(partition);
    return null;
  }

  async #catchUp(search: Search, end: number): Promise<InputRecord | null> {
    const { index } = search;
    for (let from = index.met; from < end; ) {
      const to = Math.min(end, from + STEP);
      const found = await this.#scan(search, from, to);
      index.met = Math.max(index.met, to);
      if (found !== null) return found;
      from = to;
    }
    return null;
  }

  async #goDown(search: Search, low: number): Promise<InputRecord | null> {
    const { index } = search;
    for (let to = index.reached; to > low; ) {
      const from = Math.max(low, to - STEP);
      const found = await this.#scan(search, from, to);
      index.reached = Math.min(index.reached, from);
      if (found !== null) return found;
      to = from;
    }
    return null;
  }

  async #scan(
    { key, partition, index, deadline }: Search,
    from: number,
    to: number,
  ): Promise<InputRecord | null> {
    if (performance.now() > deadline) throw tooLong(this.#reader.topic, partition, key);
    let found: InputRecord | null = null;
    for await (const record of this.#reader.scan(partition, from, to)) {
      const name = record.key?.toString() ?? '';
      if ((index.offsets.get(name) ?? -1) < record.offset) index.offsets.set(name, record.offset);
      if (name === key) found = record;
    }
    return found;
  }

  #of(partition: number, from: number): PartitionIndex {
    let index = this.#partitions.get(partition);
    if (index === undefined || index.offsets.size >= MAX_KEYS) {
      index = { offsets: new Map(), reached: from, met: from };
      this.#partitions.set(partition, index);
    }
    return index;
  }
}

interface Search {
  readonly key: string;
  readonly partition: number;
  readonly index: PartitionIndex;
  /** In milliseconds of `performance.now()`. */
  readonly deadline: number;
}

function tooLong(topic: string, partition: number, key: string): LogError {
  return new LogError(
    'unavailable',
    `${topic}: no ${key} within ${SEARCH_LIMIT_MS} ms of searching partition ${partition}; ask again to search on`,
  );
}
