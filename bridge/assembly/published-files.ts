/**
 * Which files of a run are published, and what the newest of them contained: by that a number that comes again is
 * told from other data under the same number.
 *
 *   all files       number                       ranges, whatever the length of the run
 *   newest files    32 bits of content           for a file that comes again as a whole, cut in any way
 *   last files      32 bits of each message      for a message that a sender repeats
 */
import { KEY_FILE_MODULUS } from '../records.ts';
import { NumberRanges } from './number-ranges.ts';

/**
 * Files of all runs whose content is known: 19 hours at 4.19 s a file, 128 KiB of the progress record. A file older
 * than that, come again, cannot be compared and is published in a run of its own.
 */
export const CONTENTS_KEPT = 16_384;

/** Messages of all runs whose digest is known: 118 files of 69 messages; one file whatever its messages. */
export const MESSAGES_KEPT = 8_192;

/** Ranges of all runs together: two bytes each as a rule, ten at most. */
export const RANGES_KEPT = 32_768;

export class PublishedFiles {
  readonly ranges: NumberRanges;
  /** Content of the newest files, in order of publication. */
  readonly contents: Map<number, number>;
  /** Digests of the messages of the last files, in order of publication. */
  readonly messages: Map<number, readonly number[]>;
  constructor(
    ranges = new NumberRanges(),
    contents = new Map<number, number>(),
    messages = new Map<number, readonly number[]>(),
  ) {
    this.ranges = ranges;
    this.contents = contents;
    this.messages = messages;
  }

  has(file: number): boolean {
    return this.ranges.has(file);
  }

  add(file: number, content: number, messages: readonly number[]): void {
    this.ranges.add(file);
    this.contents.set(file, content);
    this.messages.set(file, messages);
  }

  /** The newest file of known content whose number ends in these sixteen bits. */
  withLowBits(file16: number): number | null {
    const files = [...this.contents.keys()].filter((file) => file % KEY_FILE_MODULUS === file16);
    return files.at(-1) ?? null;
  }
}

/**
 * Keeps what is known within its bounds; the oldest go first.
 * @param runs least recently published first
 */
export function trimPublished(runs: readonly PublishedFiles[]): void {
  const total = (of: (files: PublishedFiles) => number): number =>
    runs.reduce((sum, files) => sum + of(files), 0);
  let contents = total((files) => files.contents.size) - CONTENTS_KEPT;
  let messages =
    total((files) => sum([...files.messages.values()].map((each) => each.length))) - MESSAGES_KEPT;
  let ranges = total((files) => files.ranges.length) - RANGES_KEPT;
  for (const files of runs) {
    for (const file of files.contents.keys()) {
      if (contents-- <= 0) break;
      files.contents.delete(file);
    }
    for (const [file, each] of files.messages) {
      if (messages <= 0 || (files === runs.at(-1) && files.messages.size === 1)) break;
      files.messages.delete(file);
      messages -= each.length;
    }
    if (ranges <= 0) continue;
    const before = files.ranges.length;
    files.ranges.closeLowestGaps(Math.max(1, before - ranges));
    ranges -= before - files.ranges.length;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
