/**
 * Where the bridge stands in every partition of the input, and how it recognises the log when it comes back.
 *
 *   ───────────── watermark ────────────── read to ───────── next ─────────── end
 *          mark ┘   some files published       └ mark
 *
 * A watermark is the first offset of any file that is not yet published: reading again from there loses nothing.
 * Up to `readTo` every record has been seen and decided upon, so one of a published file is only being read again.
 * A mark is the record before either. When the bridge resumes it reads those records again; another record in the
 * place of one means that this is another log (topic recreated, cluster exchanged), and nothing may be skipped.
 */
import { givenRunName } from '../protocol/run-name.ts';
import type { AssignedPartition, InputRecord } from '../log/port.ts';
import { HEADER } from '../records.ts';
import { type FilePlace, REORDER_FILES } from './numbering.ts';

export interface RecordMark {
  readonly offset: number;
  readonly identity: string;
}

/** A file in a partition, in the order of sending. */
export interface SentPlace extends FilePlace {
  /** What the number lacks to that order: when numbers begin anew at 0 after 400, it is 401. */
  readonly shift: number;
}

/** Which continuation of each name a partition's records belong to. */
type RunsByName = Readonly<Record<string, string>>;

/** Only what was put there: `constructor` is a good name for a run, and every object has one. */
const runIn = (runs: RunsByName, given: string): string | undefined =>
  Object.hasOwn(runs, given) ? runs[given] : undefined;

/** Where in a partition a file began, and what came before. */
export interface FileStart {
  readonly offset: number;
  readonly before: RecordMark | null;
  readonly fileBefore: SentPlace | null;
  readonly runsBefore: RunsByName;
}

/** What was taken for files of one run are files of another one, whose numbers are lower by `shift`. */
export interface RunMove {
  readonly from: string;
  readonly to: string;
  readonly shift: number;
}

const movedFile = (file: SentPlace | null, { from, to, shift }: RunMove): SentPlace | null =>
  file?.run === from ? { run: to, file: Math.max(0, file.file - shift), shift: 0 } : file;

function movedRuns(runs: RunsByName, { from, to }: RunMove): RunsByName {
  const given = givenRunName(from);
  return runIn(runs, given) === from ? { ...runs, [given]: to } : runs;
}

/** A start behind the record with which its partition moved. */
export const movedStart = (start: FileStart, move: RunMove): FileStart => ({
  ...start,
  fileBefore: movedFile(start.fileBefore, move),
  runsBefore: movedRuns(start.runsBefore, move),
});

/** From this offset on the partition's records belong to another continuation of their run. */
export interface RunSwitch {
  readonly offset: number;
  readonly place: FilePlace;
}

export interface PartitionProgress {
  readonly partition: number;
  readonly watermark: number;
  readonly before: RecordMark | null;
  /** The file before the watermark: what the next record's number is continued from. */
  readonly fileBefore: SentPlace | null;
  /** Which continuation of each name the records before the watermark belonged to. */
  readonly runsBefore: RunsByName;
  /** First offset that was not yet read and decided upon; null in progress of version 1, which did not know it. */
  readonly readTo: number | null;
  /** The record before `readTo`. */
  readonly readBefore: RecordMark | null;
  /** Switches behind the watermark. */
  readonly switches: readonly RunSwitch[];
}

/** Where to begin in a partition, and what must be found there. */
export interface Beginning {
  readonly offset: number;
  readonly end: number;
  /** Records that were read before, in rising order of offsets. */
  readonly marks: readonly RecordMark[];
  /** What the first of them was: only recognised, since an earlier life has used it. */
  readonly before: RecordMark | null;
  readonly fileBefore: SentPlace | null;
  readonly runsBefore: RunsByName;
  readonly readTo: number;
  readonly switches: readonly RunSwitch[];
}

interface Position {
  /** First offset not yet handed over. */
  next: number;
  /** The record before `next`. */
  last: RecordMark | null;
  end: number;
  /** The file of the last record that belonged to one. */
  file: SentPlace | null;
  runs: RunsByName;
  /** Marks not yet come to. */
  marks: readonly RecordMark[];
  readonly before: RecordMark | null;
  /** First offset that no life of the bridge has read, and the record before it. */
  readTo: number;
  readBefore: RecordMark | null;
  switches: readonly RunSwitch[];
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

/**
 * Where to go on in a partition: at the mark before the watermark, where that is still there.
 * @param isGapless no record between others goes away, so a partition never gets shorter
 * @throws {NewLogError} when the partition ends before what was read of it
 */
export function beginningBehind(
  progress: PartitionProgress,
  { partition, lowOffset, endOffset }: AssignedPartition,
  isGapless: boolean,
): Beginning {
  const { watermark, fileBefore, runsBefore, readBefore, switches } = progress;
  const known = Math.max(watermark, isGapless ? (progress.readTo ?? 0) : 0);
  if (known > endOffset) {
    throw new NewLogError(`partition ${partition} ends at offset ${endOffset}, but was read up to ${known}`);
  }
  const isThere = (mark: RecordMark | null): mark is RecordMark => mark !== null && mark.offset >= lowOffset;
  const before = isThere(progress.before) ? progress.before : null;
  const marks = new Map([before, readBefore].filter(isThere).map((mark) => [mark.offset, mark]));
  return {
    offset: Math.max(lowOffset, before?.offset ?? watermark),
    end: endOffset,
    marks: [...marks.values()],
    before,
    fileBefore,
    runsBefore,
    // Version 1 did not say how far it had read: what is there now is taken for read, as it was then.
    readTo: progress.readTo ?? endOffset,
    switches,
  };
}

export class Positions {
  readonly #positions = new Map<number, Position>();

  begin(partition: number, beginning: Beginning): void {
    const { offset, end, marks, before, fileBefore, runsBefore, readTo, switches } = beginning;
    const readBefore = marks.at(-1) ?? null;
    const position = { next: offset, last: null, end, file: fileBefore, runs: runsBefore, marks, before };
    this.#positions.set(partition, { ...position, readTo, readBefore, switches });
  }

  /**
   * Takes note of a record. False when it is only the mark before the watermark, used in an earlier life.
   * @throws {NewLogError} when another record lies where a mark was
   */
  advance(record: InputRecord, endOffset: number): boolean {
    const position = this.#of(record.partition);
    const isMark = this.#recognise(position, record);
    position.end = Math.max(endOffset, record.offset + 1);
    position.next = record.offset + 1;
    if (isMark && position.before?.offset === record.offset) {
      position.last = position.before;
      return false;
    }
    const last = position.last?.offset ?? -1;
    for (const { offset, place } of position.switches) {
      if (offset > last && offset <= record.offset) this.#stand(position, { ...place, shift: 0 });
    }
    return true;
  }

  #recognise(position: Position, record: InputRecord): boolean {
    const expected = position.marks.find(({ offset }) => offset === record.offset);
    position.marks = position.marks.filter(({ offset }) => offset > record.offset);
    if (expected && recordIdentity(record) !== expected.identity) {
      throw new NewLogError(
        `partition ${record.partition}, offset ${record.offset}: expected the record ${expected.identity}, found ${recordIdentity(record)}`,
      );
    }
    return expected !== undefined;
  }

  /** Whether the record was decided upon before, in this life or an earlier one. */
  wasRead({ partition, offset }: InputRecord): boolean {
    return offset < this.#of(partition).readTo;
  }

  /** Called after the record was assigned to its file (or to none). */
  passed(record: InputRecord, file: FilePlace | null): void {
    const position = this.#of(record.partition);
    position.last = { offset: record.offset, identity: recordIdentity(record) };
    if (position.next > position.readTo) {
      position.readTo = position.next;
      position.readBefore = position.last;
    }
    if (file === null) return;
    const given = givenRunName(file.run);
    const before = runIn(position.runs, given);
    this.#stand(position, this.sentPlace(record.partition, file));
    if (before !== undefined && before !== file.run) this.#switch(position, record.offset, file);
  }

  /**
   * A file's place in the order of sending. A number that lies back by more than a few files is one that was sent
   * after them: what is sent now follows what was sent before, until numbers are beyond that again.
   */
  sentPlace(partition: number, { run, file }: FilePlace): SentPlace {
    const { file: last } = this.#of(partition);
    if (last?.run !== run) return { run, file, shift: 0 };
    if (file < last.file - REORDER_FILES) return { run, file, shift: last.file + last.shift + 1 - file };
    return { run, file, shift: file >= last.file + last.shift ? 0 : last.shift };
  }

  /** What was taken for one run from `offset` on belongs to a continuation of it; `file` is the record's there. */
  move(partition: number, offset: number, file: FilePlace, move: RunMove): void {
    const position = this.#of(partition);
    this.#switch(position, offset, file);
    position.file = movedFile(position.file, move);
    position.runs = movedRuns(position.runs, move);
  }

  #stand(position: Position, place: SentPlace): void {
    position.file = place;
    const given = givenRunName(place.run);
    if (runIn(position.runs, given) !== place.run) position.runs = { ...position.runs, [given]: place.run };
  }

  /** What was said of the same name for later offsets holds no more; other names keep their own. */
  #switch(position: Position, offset: number, { run, file }: FilePlace): void {
    const given = givenRunName(run);
    const before = position.switches.filter((each) => each.offset < offset);
    const others = position.switches.filter(
      (each) => each.offset > offset && givenRunName(each.place.run) !== given,
    );
    position.switches = [...before, { offset, place: { run, file } }, ...others];
  }

  /** The start of a file whose first record of this partition is the one at `offset`. */
  startAt(partition: number, offset: number): FileStart {
    const { last, file, runs } = this.#of(partition);
    return { offset, before: last, fileBefore: file, runsBefore: runs };
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

  /** The continuation of a name that the partition's records belong to; null where it has brought none. */
  runOf(partition: number, given: string): string | null {
    return runIn(this.#of(partition).runs, given) ?? null;
  }

  /** True when nothing of the file can come any more from this partition: read far past it, or to its end. */
  hasPassed(partition: number, file: SentPlace, margin: number): boolean {
    const distance = this.distance(partition, file);
    return this.behind(partition) === 0 || (distance !== null && distance >= margin);
  }

  /**
   * By how many files the last one read was sent after another one; infinite where a sender began anew in between, null
   * where it is of a run of another name.
   */
  distance(partition: number, { run, file, shift }: SentPlace): number | null {
    const { file: last } = this.#of(partition);
    if (last === null || givenRunName(last.run) !== givenRunName(run)) return null;
    if (last.run === run) return last.file + last.shift - file - shift;
    return generationOf(last.run) > generationOf(run) ? Infinity : -Infinity;
  }

  /**
   * Watermark of every partition.
   * @param startsIn where the files that are not yet published began in a partition
   * @param undecidedIn where files began of which it is not known yet whether they are published: they have to be read
   *   and decided upon again
   */
  progress(
    startsIn: (partition: number) => readonly FileStart[],
    undecidedIn: (partition: number) => readonly FileStart[],
  ): PartitionProgress[] {
    return [...this.#positions].map(([partition, position]) => {
      const first = earliest(startsIn(partition));
      const undecided = earliest(undecidedIn(partition));
      const watermark = first?.offset ?? position.next;
      const { last, before, file, runs, readTo, readBefore, switches } = position;
      const isUndecided = undecided !== null && undecided.offset < readTo;
      return {
        partition,
        watermark,
        before: first ? first.before : (last ?? before),
        fileBefore: first ? first.fileBefore : file,
        runsBefore: first ? first.runsBefore : runs,
        readTo: isUndecided ? undecided.offset : readTo,
        readBefore: isUndecided ? undecided.before : (readBefore ?? before),
        switches: switches.filter(({ offset }) => offset >= watermark),
      };
    });
  }

  #of(partition: number): Position {
    const position = this.#positions.get(partition);
    if (!position) throw new Error(`a record of partition ${partition}, which is not assigned`);
    return position;
  }
}

/** 1 for a name as given, 2 for `NAME~2`. */
const generationOf = (run: string): number => Number(run.slice(givenRunName(run).length + 1) || 1);

const earliest = (starts: readonly FileStart[]): FileStart | null =>
  starts.reduce<FileStart | null>(
    (least, start) => (least && least.offset <= start.offset ? least : start),
    null,
  );
