/**
 * A folder of file pairs as the input log: one partition, pairs in rising order, new ones as they become whole.
 *
 * What is wrong with a file is reported by name and never stops the rest; a pair that turns up below one that was
 * used already is reported as late. Records are those that `produce` would have sent.
 */

import { DiskFolder } from '../../files/disk-folder.ts';
import type { FilePair } from '../../files/pairs.ts';
import { BYTES_PER_SAMPLE, FileProblem, judge } from '../../protocol/pairs.ts';
import { PairFollower } from '../../files/follow.ts';
import { messagesOf, readMessages, slicesOf } from '../../files/reader.ts';
import { DEFAULT_SETTLE_MS, Settling } from '../../files/settling.ts';
import { type Geometry, slicesPerMessageLimit } from '../../protocol/geometry.ts';
import { buildRecord, type FileIdentity, startByModification } from '../../records.ts';
import type { InputRecord, LogError, StartFrom } from '../port.ts';
import {
  asLogError,
  EmbeddedInput,
  fileOfOffset,
  messageOfOffset,
  offsetOf,
  type RecordSource,
} from './embedded-input.ts';

export interface FolderInputOptions {
  readonly folder: string;
  readonly geometry: Geometry;
  /** Name that the records' headers give their run. */
  readonly run: string;
  /** Where to begin without known progress. */
  readonly from: StartFrom;
  /** Each bad file once: its name and what is wrong with it. */
  readonly problem: (name: string, reason: string) => void;
  readonly slicesPerMessage?: number;
  readonly settleMs?: number;
  readonly pollMs?: number;
}

export class FolderInput extends EmbeddedInput {
  constructor(options: FolderInputOptions) {
    const source = new FolderSource(options, (error) => this.trouble(error));
    super('folder', source, options.from);
  }
}

class FolderSource implements RecordSource {
  readonly #options: FolderInputOptions;
  readonly #folder: DiskFolder;
  readonly #slicesPerMessage: number;
  readonly #trouble: (error: LogError | null) => void;
  #lastEnd = 0;

  constructor(options: FolderInputOptions, trouble: (error: LogError | null) => void) {
    this.#options = options;
    this.#folder = new DiskFolder(options.folder);
    this.#slicesPerMessage = options.slicesPerMessage ?? slicesPerMessageLimit(options.geometry.bins);
    this.#trouble = trouble;
  }

  async range(): Promise<{ readonly lowOffset: number; readonly endOffset: number }> {
    const numbers = await this.#numbers();
    const first = numbers[0];
    if (first === undefined) return { lowOffset: 0, endOffset: this.#lastEnd };
    const lowOffset = offsetOf(first, 0);
    this.#lastEnd = Math.max(this.#lastEnd, lowOffset, await this.#endOf(numbers));
    return { lowOffset, endOffset: this.#lastEnd };
  }

  async resolve(from: StartFrom): Promise<number> {
    const { lowOffset, endOffset } = await this.range();
    if (from === 'earliest') return lowOffset;
    return from === 'latest' ? endOffset : this.#offsetAt(from.timeMs, endOffset);
  }

  /** First pair that was finished at this time or later. */
  async #offsetAt(timeMs: number, endOffset: number): Promise<number> {
    let found = endOffset;
    for (const file of (await this.#numbers()).toReversed()) {
      const half = await this.#folder.look('i', file);
      if (half === null) continue;
      if (half.modifiedMs < timeMs) break;
      found = offsetOf(file, 0);
    }
    return found;
  }

  lastEnd(): number {
    return this.#lastEnd;
  }

  async *read(offset: number, signal: AbortSignal): AsyncIterable<InputRecord> {
    const { folder, geometry, problem, settleMs, pollMs } = this.#options;
    const firstFile = fileOfOffset(offset);
    const follower = new PairFollower({
      folder: this.#folder,
      bins: geometry.bins,
      from: firstFile,
      follow: true,
      ...(settleMs === undefined ? {} : { settleMs }),
      ...(pollMs === undefined ? {} : { pollMs }),
      problem: ({ file, message }) => problem(file, message),
      trouble: (error) => this.#trouble(error === null ? null : asLogError(error, folder)),
    });
    for await (const pair of follower.pairs(signal)) {
      await this.range().catch(() => {});
      yield* this.#recordsOf(pair, pair.file === firstFile ? messageOfOffset(offset) : 0);
    }
  }

  async *#recordsOf(pair: FilePair, fromMessage: number): AsyncIterable<InputRecord> {
    const { geometry, run, problem } = this.#options;
    const slices = slicesOf(pair, geometry.bins);
    const start = startByModification(pair.modifiedMs, pair.samples, geometry.sampleRateHz);
    const id: FileIdentity = { run, file: pair.file, slices, geometry, start };
    try {
      for await (const message of readMessages(pair, geometry.bins, this.#slicesPerMessage, fromMessage)) {
        yield {
          partition: 0,
          offset: offsetOf(pair.file, message.index),
          ...buildRecord(id, message.index, message.first, message.value),
          timestampMs: Math.round(pair.modifiedMs),
        };
      }
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      problem(error.file, error.message);
    }
  }

  async #numbers(): Promise<number[]> {
    const { halves } = await this.#folder.list();
    return [...halves.keys()].toSorted((a, b) => a - b);
  }

  /** Behind the last pair that is whole and does not change any more. */
  async #endOf(numbers: readonly number[]): Promise<number> {
    const { geometry, settleMs } = this.#options;
    const folder = this.#folder;
    for (const file of numbers.toReversed()) {
      if (offsetOf(file + 1, 0) <= this.#lastEnd) break;
      const halves = await Promise.all([folder.look('i', file), folder.look('q', file)]).catch(() => null);
      if (halves === null) continue;
      const [i, q] = halves;
      const settled = new Settling(settleMs ?? DEFAULT_SETTLE_MS).look(i, q, 0, Date.now());
      if (!settled || i === null || judge(file, i, q, geometry.bins) !== null) continue;
      const slices = Math.floor(i.bytes / BYTES_PER_SAMPLE / geometry.bins);
      return offsetOf(file, messagesOf(slices, this.#slicesPerMessage));
    }
    return 0;
  }
}
