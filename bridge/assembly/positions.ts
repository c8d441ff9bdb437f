/**
 * Where the bridge stands in every partition of the input, and how it recognises the log when it comes back.
 *
 * A watermark is the first offset of any file that is not yet published: reading again from there loses nothing.
 * A mark is the record before the watermark. When the bridge resumes it reads that record again; another record in
 * its place means that this is another log (topic recreated, cluster exchanged), and nothing may be skipped.
 */
import type { InputRecord } from '../log/port.ts';
import { HEADER } from '../records.ts';
import type { FilePlace } from './numbering.ts';

export interface RecordMark {
  readonly offset: number;
  readonly identity: string;
}

/** Where in a partition a file began, and what came before. */
export interface FileStart {
  readonly offset: number;
  readonly before: RecordMark | null;
  readonly fileBefore: FilePlace | null;
}

export interface PartitionProgress {
  readonly partition: number;
  readonly watermark: number;
  readonly before: RecordMark | null;
  /** The file before the watermark: what the next record's number is continued from. */
  readonly fileBefore: FilePlace | null;
}

interface Position {
  /** First offset not yet handed over. */
  next: number;
  /** The record before `next`. */
  last: RecordMark | null;
  end: number;
  /** The file of the last record that belonged to one. */
  file: FilePlace | null;
  /** Mark to be checked against the first record. */
  unchecked: RecordMark | null;
}

/** What a record is, cheaply and the same at every reading. */
export function recordIdentity(record: InputRecord): string {
  const content = record.headers[HEADER.crc32] ?? record.timestampMs;
  return `${record.key?.toString('hex') ?? ''}:${record.value?.length ?? 0}:${content}`;
}

/** The log is not the one that the progress was written for. */
export class NewLogError extends Error {
  override readonly name = 'NewLogError';
}

export class Positions {
  readonly #positions = new Map<number, Position>();

  /**
   * Begins a partition at an offset.
   * @param mark the record that must lie there when it was read before
   * @param file the file before that offset
   */
  begin(
    partition: number,
    offset: number,
    end: number,
    mark: RecordMark | null,
    file: FilePlace | null,
  ): void {
    this.#positions.set(partition, { next: offset, last: null, end, file, unchecked: mark });
  }

  /**
   * Takes note of a record. False when it is only the mark, already used in an earlier life.
   * @throws {NewLogError} when another record lies where the mark was
   */
  advance(record: InputRecord, endOffset: number): boolean {
    const position = this.#of(record.partition);
    const expected = position.unchecked?.offset === record.offset ? position.unchecked : null;
    position.unchecked = null;
    if (expected && recordIdentity(record) !== expected.identity) {
      throw new NewLogError(
        `partition ${record.partition}, offset ${record.offset}: expected the record ${expected.identity}, found ${recordIdentity(record)}`,
      );
    }
    position.end = Math.max(endOffset, record.offset + 1);
    position.next = record.offset + 1;
    if (expected) {
      position.last = expected;
      return false;
    }
    return true;
  }

  /** Called after the record was assigned to its file (or to none). */
  passed(record: InputRecord, file: FilePlace | null): void {
    const position = this.#of(record.partition);
    position.last = { offset: record.offset, identity: recordIdentity(record) };
    if (file !== null) position.file = file;
  }

  /** The start of a file whose first record of this partition is the one at `offset`. */
  startAt(partition: number, offset: number): FileStart {
    const { last, file } = this.#of(partition);
    return { offset, before: last, fileBefore: file };
  }

  setEnd(partition: number, end: number): void {
    const position = this.#positions.get(partition);
    if (position) position.end = Math.max(position.end, end);
  }

  partitions(): number[] {
    return [...this.#positions.keys()];
  }

  next(partition: number): number {
    return this.#of(partition).next;
  }

  /** Records between what was handed over and the end of the partition. */
  behind(partition: number): number {
    const { next, end } = this.#of(partition);
    return Math.max(0, end - next);
  }

  end(partition: number): number {
    return this.#of(partition).end;
  }

  /** The file of the last record read; null before the first. */
  lastFile(partition: number): FilePlace | null {
    return this.#of(partition).file;
  }

  /** True when nothing of the file can come any more from this partition: read far past it, or to its end. */
  hasPassed(partition: number, { run, file }: FilePlace, margin: number): boolean {
    const last = this.lastFile(partition);
    return this.behind(partition) === 0 || (last?.run === run && last.file >= file + margin);
  }

  /** Watermark of every partition, given where the files that are not yet published began in it. */
  progress(startsIn: (partition: number) => readonly FileStart[]): PartitionProgress[] {
    return [...this.#positions].map(([partition, position]) => {
      const starts = startsIn(partition);
      const first = starts.reduce<FileStart | null>(
        (least, start) => (least && least.offset <= start.offset ? least : start),
        null,
      );
      return first
        ? { partition, watermark: first.offset, before: first.before, fileBefore: first.fileBefore }
        : {
            partition,
            watermark: position.next,
            before: position.last ?? position.unchecked,
            fileBefore: position.file,
          };
    });
  }

  #of(partition: number): Position {
    const position = this.#positions.get(partition);
    if (!position) throw new Error(`a record of partition ${partition}, which is not assigned`);
    return position;
  }
}
