/**
 * What is left to send, given the last record of every partition.
 *
 * This producer sends a file to one partition, files of a partition in rising order, messages of a file in order: so
 * the last record says all. The existing producer spreads one file over partitions by the hash of the key, but its
 * order within each partition is the same: a message is sent exactly if it does not lie behind the last record of
 * its partition. What that producer has begun is finished in its own form, without headers, so that the file stays
 * one; files after it get headers.
 */

import { messagesOf, slicesOf } from '../files/reader.ts';
import { encodeKey } from '../records.ts';
import { findPair, type FolderRun, type LastRecord, type SentPoint } from './last-records.ts';
import { partitionOfKey } from './murmur2.ts';
import { ProduceError } from './problem.ts';

/** What one file still needs. */
export interface FileTask {
  readonly file: number;
  readonly partition: number;
  readonly fromMessage: number;
  readonly slicesPerMessage: number;
}

/** A message of the existing producer's form that is missing. */
export interface PlainTask {
  readonly file: number;
  readonly partition: number;
  readonly message: number;
  readonly slicesPerMessage: number;
}

export class Resume {
  readonly #lasts: readonly LastRecord[];
  readonly #slicesPerMessage: number;
  /** Files up to this one are the existing producer's; −1 where there are none. */
  readonly plainUpTo: number;

  /** @throws {ProduceError} `repartitioned` */
  constructor(lasts: readonly LastRecord[], slicesPerMessage: number) {
    this.#lasts = lasts;
    this.#slicesPerMessage = slicesPerMessage;
    this.plainUpTo = Math.max(-1, ...this.#points('plain').map(({ file }) => file));
    for (const [partition, last] of lasts.entries()) {
      if (last.kind !== 'headed' || last.point.file % lasts.length === partition) continue;
      throw new ProduceError(
        'repartitioned',
        `partition ${partition} of ${lasts.length} ends with file ${last.point.file} of this run: the topic got more partitions meanwhile; give another --run`,
      );
    }
  }

  /** First file number that can still need something. */
  get firstFile(): number {
    const next = this.#lasts.map((last) => (last.kind === 'headed' ? last.point.file : this.plainUpTo + 1));
    return Math.min(...next);
  }

  /** What this file still needs; null: it is in the topic already. */
  task(file: number): FileTask | null {
    const partition = file % this.#lasts.length;
    const fresh = { file, partition, fromMessage: 0, slicesPerMessage: this.#slicesPerMessage };
    if (file <= this.plainUpTo) return null;
    const last = this.#lasts[partition];
    if (last?.kind !== 'headed' || last.point.file < file) return fresh;
    const { point } = last;
    if (point.file > file || point.isLast) return null;
    return { file, partition, fromMessage: point.message + 1, slicesPerMessage: point.slicesPerMessage };
  }

  /** Messages of files that the existing producer has begun, and that are missing; in order. */
  async *plainTasks(our: FolderRun, files: readonly number[]): AsyncGenerator<PlainTask, void, void> {
    const points = this.#points('plain');
    if (points.length === 0) return;
    const slicesPerMessage = Math.max(...points.map((point) => point.slicesPerMessage));
    const from = this.#lasts.some(({ kind }) => kind === 'empty' || kind === 'foreign')
      ? 0
      : Math.min(...points.map(({ file }) => file));
    for (const file of files) {
      if (file < from || file > this.plainUpTo) continue;
      const pair = await findPair(our, file);
      if (pair === null) continue;
      const count = messagesOf(slicesOf(pair, our.bins), slicesPerMessage);
      for (let message = 0; message < count; message++) {
        const partition = partitionOfKey(encodeKey(file, message), this.#lasts.length);
        if (!this.#isSent(partition, file, message)) yield { file, partition, message, slicesPerMessage };
      }
    }
  }

  #isSent(partition: number, file: number, message: number): boolean {
    const last = this.#lasts[partition];
    // Headers come only after everything without them was sent.
    if (last?.kind === 'headed') return true;
    if (last?.kind !== 'plain') return false;
    const { point } = last;
    return file < point.file || (file === point.file && message <= point.message);
  }

  #points(kind: 'plain' | 'headed'): SentPoint[] {
    return this.#lasts.flatMap((last) => (last.kind === kind ? [last.point] : []));
  }
}
