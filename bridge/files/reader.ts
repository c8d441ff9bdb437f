/**
 * Reads a file pair as messages of n slices: all I, then all Q, in one buffer that is the record's value as is.
 *
 * Each message gets a fresh buffer. The readers' readers keep buffers for as long as they like (a block in flight, a
 * batch not acknowledged), and a pool would have to be told by each of them; the page faults that it would save
 * cost 10 ms per pair of 67 MB. Small messages are read several at once, since a read of one slice costs as much as one
 * of forty. As much as one message may have is read ahead, so that disk and network overlap; no more is in memory.
 */

import { MAX_MESSAGE_VALUE_BYTES, sliceBytes } from '../protocol/geometry.ts';
import type { FilePair, OpenHalf } from './pairs.ts';
import { BYTES_PER_SAMPLE, FileProblem, pairFileName } from '../protocol/pairs.ts';

export interface SliceMessage {
  /** Index within the file, from 0. */
  readonly index: number;
  /** First slice. */
  readonly first: number;
  readonly slices: number;
  /** I then Q, `slices · bins · 4` bytes each. */
  readonly value: Buffer;
}

export const slicesOf = (pair: FilePair, bins: number): number => Math.floor(pair.samples / bins);

/** Samples at the end that make no whole slice, and are not transformed. */
export const remainderOf = (pair: FilePair, bins: number): number => pair.samples % bins;

export const messagesOf = (slices: number, slicesPerMessage: number): number =>
  Math.ceil(slices / slicesPerMessage);

/**
 * Messages of a pair from one on, in order.
 * @throws {FileProblem} `unreadable`, `changed`
 */
export async function* readMessages(
  pair: FilePair,
  bins: number,
  slicesPerMessage: number,
  fromMessage = 0,
): AsyncGenerator<SliceMessage, void, void> {
  const count = messagesOf(slicesOf(pair, bins), slicesPerMessage);
  const atOnce = Math.max(1, Math.floor(MAX_MESSAGE_VALUE_BYTES / (slicesPerMessage * sliceBytes(bins))));
  const reader = await PairReader.open(pair, bins);
  const readFrom = (index: number): Promise<SliceMessage[]> | null =>
    index < count ? reader.readGroup(index, Math.min(atOnce, count - index), slicesPerMessage) : null;
  try {
    let ahead = readFrom(fromMessage);
    for (let index = fromMessage; ahead !== null; index += atOnce) {
      const group: SliceMessage[] = await ahead;
      ahead = readFrom(index + atOnce);
      // The consumer may be done before this one is: its failure is then nobody's.
      ahead?.catch(() => {});
      yield* group;
      if (ahead === null) await reader.checkUnchanged();
    }
  } finally {
    await reader.close();
  }
}

/** A pair that is open. */
export class PairReader {
  readonly #pair: FilePair;
  readonly #bins: number;
  readonly #i: OpenHalf;
  readonly #q: OpenHalf;

  private constructor(pair: FilePair, bins: number, i: OpenHalf, q: OpenHalf) {
    this.#pair = pair;
    this.#bins = bins;
    this.#i = i;
    this.#q = q;
  }

  /** @throws {FileProblem} `unreadable` */
  static async open(pair: FilePair, bins: number): Promise<PairReader> {
    const i = await pair.folder.open('i', pair.file);
    try {
      return new PairReader(pair, bins, i, await pair.folder.open('q', pair.file));
    } catch (error) {
      await i.close();
      throw error;
    }
  }

  /** @throws {FileProblem} `unreadable`, `changed` */
  async read(index: number, slicesPerMessage: number): Promise<SliceMessage> {
    const [message] = await this.readGroup(index, 1, slicesPerMessage);
    return message as SliceMessage;
  }

  /** `count` messages in a row, the last of the file as long as it is. @throws {FileProblem} `unreadable`, `changed` */
  async readGroup(index: number, count: number, slicesPerMessage: number): Promise<SliceMessage[]> {
    const messages = Array.from({ length: count }, (_, k) => {
      const first = (index + k) * slicesPerMessage;
      return this.#empty(
        index + k,
        first,
        Math.min(slicesPerMessage, slicesOf(this.#pair, this.#bins) - first),
      );
    });
    await this.#fill(messages);
    return messages;
  }

  /** Any range of slices as the message `index`. @throws {FileProblem} `unreadable`, `changed` */
  async readRange(index: number, first: number, slices: number): Promise<SliceMessage> {
    const message = this.#empty(index, first, slices);
    await this.#fill([message]);
    return message;
  }

  #empty(index: number, first: number, slices: number): SliceMessage {
    return { index, first, slices, value: Buffer.allocUnsafeSlow(slices * sliceBytes(this.#bins)) };
  }

  /** Reads the values of messages whose slices follow each other. */
  async #fill(messages: readonly SliceMessage[]): Promise<void> {
    const position = (messages[0]?.first ?? 0) * this.#bins * BYTES_PER_SAMPLE;
    const half = ({ value }: SliceMessage): number => value.length / 2;
    await Promise.all([
      this.#i.read(
        messages.map((m) => m.value.subarray(0, half(m))),
        position,
      ),
      this.#q.read(
        messages.map((m) => m.value.subarray(half(m))),
        position,
      ),
    ]);
  }

  /** @throws {FileProblem} `changed` when size or modification time are not those of the pair any more */
  async checkUnchanged(): Promise<void> {
    const { file, samples, modifiedMs } = this.#pair;
    const [i, q] = await Promise.all([this.#i.state(), this.#q.state()]);
    const bytes = samples * BYTES_PER_SAMPLE;
    if (i.bytes === bytes && q.bytes === bytes && Math.max(i.modifiedMs, q.modifiedMs) === modifiedMs) return;
    const channel = i.bytes === bytes && i.modifiedMs <= modifiedMs ? 'q' : 'i';
    throw new FileProblem('changed', pairFileName(channel, file), 'changed while it was being read');
  }

  async close(): Promise<void> {
    await Promise.all([this.#i.close(), this.#q.close()]);
  }
}
