/**
 * Reads a file pair as messages of n slices: all I, then all Q, in one buffer that is the record's value as is.
 *
 * Each message gets a fresh buffer. The readers' readers keep buffers for as long as they like (a block in flight, a
 * batch not acknowledged), and a pool would have to be told by each of them; the page faults that it would save
 * cost 10 ms per pair of 67 MB. One message is read ahead, so that disk and network overlap; no more is in memory.
 */

import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { sliceBytes } from '../protocol/geometry.ts';
import { type FilePair, unreadable } from './pairs.ts';
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
  const reader = await PairReader.open(pair, bins);
  try {
    let ahead = fromMessage < count ? reader.read(fromMessage, slicesPerMessage) : null;
    for (let index = fromMessage; ahead !== null; index++) {
      const message = await ahead;
      ahead = index + 1 < count ? reader.read(index + 1, slicesPerMessage) : null;
      // The consumer may be done before this one is: its failure is then nobody's.
      ahead?.catch(() => {});
      yield message;
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
  readonly #i: FileHandle;
  readonly #q: FileHandle;

  private constructor(pair: FilePair, bins: number, i: FileHandle, q: FileHandle) {
    this.#pair = pair;
    this.#bins = bins;
    this.#i = i;
    this.#q = q;
  }

  /** @throws {FileProblem} `unreadable` */
  static async open(pair: FilePair, bins: number): Promise<PairReader> {
    const i = await openHalf(pair, 'i');
    try {
      return new PairReader(pair, bins, i, await openHalf(pair, 'q'));
    } catch (error) {
      await i.close();
      throw error;
    }
  }

  /** @throws {FileProblem} `unreadable`, `changed` */
  async read(index: number, slicesPerMessage: number): Promise<SliceMessage> {
    const first = index * slicesPerMessage;
    return this.readRange(index, first, Math.min(slicesPerMessage, slicesOf(this.#pair, this.#bins) - first));
  }

  /** Any range of slices as the message `index`. @throws {FileProblem} `unreadable`, `changed` */
  async readRange(index: number, first: number, slices: number): Promise<SliceMessage> {
    const value = Buffer.allocUnsafeSlow(slices * sliceBytes(this.#bins));
    const half = value.length / 2;
    const position = first * this.#bins * BYTES_PER_SAMPLE;
    await Promise.all([
      this.#readHalf('i', value.subarray(0, half), position),
      this.#readHalf('q', value.subarray(half), position),
    ]);
    return { index, first, slices, value };
  }

  /** @throws {FileProblem} `changed` when size or modification time are not those of the pair any more */
  async checkUnchanged(): Promise<void> {
    const { file, samples, modifiedMs } = this.#pair;
    const [i, q] = await Promise.all([this.#i.stat(), this.#q.stat()]);
    const bytes = samples * BYTES_PER_SAMPLE;
    if (i.size === bytes && q.size === bytes && Math.max(i.mtimeMs, q.mtimeMs) === modifiedMs) return;
    const channel = i.size === bytes && i.mtimeMs <= modifiedMs ? 'q' : 'i';
    throw new FileProblem('changed', pairFileName(channel, file), 'changed while it was being read');
  }

  async close(): Promise<void> {
    await Promise.all([this.#i.close(), this.#q.close()]);
  }

  async #readHalf(channel: 'i' | 'q', into: Buffer, position: number): Promise<void> {
    const handle = channel === 'i' ? this.#i : this.#q;
    const name = pairFileName(channel, this.#pair.file);
    for (let done = 0; done < into.length; ) {
      const { bytesRead } = await handle
        .read(into, done, into.length - done, position + done)
        .catch((error) => {
          throw unreadable(name, error);
        });
      if (bytesRead === 0) throw new FileProblem('changed', name, 'became shorter while it was being read');
      done += bytesRead;
    }
  }
}

async function openHalf(pair: FilePair, channel: 'i' | 'q'): Promise<FileHandle> {
  const name = pairFileName(channel, pair.file);
  try {
    return await open(join(pair.folder, name), 'r');
  } catch (error) {
    throw unreadable(name, error);
  }
}
