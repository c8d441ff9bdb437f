/**
 * From records of the log, in whatever order partitions give them, to blocks; and from counted blocks to files.
 *
 * Synchronous and without any input or output of its own: the monotonic clock is passed in, blocks and complaints go out through
 * `AssemblyEvents`, so every rule of it can be tested with plain calls.
 */
import type { Block } from '../dispatch/lease.ts';
import type { AssignedPartition, InputRecord } from '../log/port.ts';
import { clipLevelOf, peakOf } from '../protocol/clipping.ts';
import { type Geometry, slicesPerBlockLimit } from '../protocol/geometry.ts';
import type { BlockMoments } from '../protocol/moments.ts';
import type { CommandOutcome } from '../protocol/operator.ts';
import type { IncompleteFile } from '../protocol/state.ts';
import { KEY_FILE_MODULUS } from '../records.ts';
import { messageDigest } from './content.ts';
import { identify, type RecordIdentity, readSamples, type SliceMessage } from './decode.ts';
import { IncompleteFiles } from './incomplete-files.ts';
import { type FilePlace, REORDER_FILES } from './numbering.ts';
import { OpenFile } from './open-file.ts';
import { operate } from './operate.ts';
import { NO_OPERATIONS, Operations, type ReceivedCommand } from './operations.ts';
import { beginningBehind, type FileStart, movedStart, Positions, type SentPlace } from './positions.ts';
import type { Progress } from './progress.ts';
import { Rejection, type RejectionReason } from './rejection.ts';
import { Repeats } from './repeats.ts';
import { Runs } from './runs.ts';

/** Pending slices wait at most this long for more before they travel: four pictures and more per file at pace. */
export const LINGER_MS = 200;

/** Quiet time after which a file that nothing more can come for is given up; T of the delivery rules. */
export const INCOMPLETE_AFTER_MS = 60_000;

/** A partition further ahead of the oldest open file than this waits for the others; W of the delivery rules. */
export const AHEAD_FILES = 4;

/**
 * Files that may be open at once, and bytes of messages that may wait for their place. Senders that keep to their
 * order stay far below; two of them that write over each other without headers, or that leave holes everywhere,
 * would fill the memory.
 */
export const MAX_OPEN_FILES = 256;
export const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** Incomplete files kept for completion later. */
const INCOMPLETE_OPEN = 16;

export interface AssemblyEvents {
  /** A block is ready for a processor. */
  block(block: Block, file: OpenFile): void;
  /** A file has all its slices counted and waits for publication. */
  complete(file: OpenFile): void;
  rejected(reason: RejectionReason, message: string, record: InputRecord, slices: number): void;
  /** A file was given up, for missing slices or because its samples cannot be averaged. */
  incomplete(file: OpenFile, entry: IncompleteFile): void;
  /** A published file came again as a whole, with the same content, and was dropped. */
  replayed(place: FilePlace, record: InputRecord): void;
  /** A new run was begun, and why. */
  runBegan(run: string, why: string, record: InputRecord): void;
}

export interface AssemblyOptions {
  readonly geometry: Geometry;
  readonly run: string;
  readonly slicesPerFile: number;
  readonly incompleteAfterMs: number;
  /** Numbers for blocks, where several assemblers share the processors. */
  readonly nextBlock?: () => number;
  /** Only senders that say run and file in headers, which send a file to one partition. */
  readonly needsHeaders?: boolean;
}

/** A record without headers where there may be none. */
export class HeaderlessError extends Error {
  override readonly name = 'HeaderlessError';
}

const placeOf = ({ run, number, shift }: OpenFile): SentPlace => ({ run, file: number, shift });

/** A file that came again has a key beside the one that it would have if it were new. */
const fileKey = ({ run, number, again }: Pick<OpenFile, 'run' | 'number' | 'again'>): string =>
  `${run}/${number}${again ? '?' : ''}`;

/** Where a record belongs, and whether its number is published already and may be the same file again. */
interface Target extends FilePlace {
  readonly again: boolean;
  /** The samples, where they had to be looked at to know the place. */
  readonly message: SliceMessage | null;
}

export class Assembler {
  readonly runs: Runs;
  readonly positions = new Positions();
  readonly operations: Operations;
  readonly #options: AssemblyOptions;
  readonly #events: AssemblyEvents;
  /** In order of opening. Complete files stay until their publication is committed. */
  readonly #files = new Map<string, OpenFile>();
  readonly #blocks = new Map<number, OpenFile>();
  readonly #repeats = new Repeats();
  readonly #declined = new Map<number, FileStart>();
  readonly #incomplete: IncompleteFiles;
  #nextBlock = 1;
  headerless = false;
  #messagesPerFile: number | null = null;
  /** While true, no new file is opened: the bridge finishes what it has and stops. */
  draining = false;

  constructor(options: AssemblyOptions, events: AssemblyEvents, progress: Progress | null) {
    this.#options = options;
    this.#events = events;
    this.runs = new Runs(options.geometry.bins, options.run, progress);
    this.#incomplete = new IncompleteFiles(progress?.incomplete ?? [], (place) => this.runs.titleOf(place));
    this.operations = new Operations(progress?.operations ?? NO_OPERATIONS);
  }

  /**
   * Where to begin in each partition that the progress knows: at the mark, which is then recognised.
   * @param isGapless no record between others goes away, so a partition never gets shorter
   * @throws {NewLogError} when a partition ends before what was read of it
   */
  begin(
    partitions: readonly AssignedPartition[],
    known: Progress | null,
    isGapless = true,
  ): Map<number, number> {
    const starts = new Map<number, number>();
    for (const assigned of partitions) {
      const progress = known?.partitions.find((each) => each.partition === assigned.partition);
      if (!progress) continue;
      const beginning = beginningBehind(progress, assigned, isGapless);
      this.positions.begin(assigned.partition, beginning);
      starts.set(assigned.partition, beginning.offset);
    }
    return starts;
  }

  /** Begins a partition of which nothing is known. */
  beginAt(partition: number, offset: number, end: number): void {
    const nothing = { marks: [], before: null, fileBefore: null, runsBefore: {}, readTo: 0, switches: [] };
    this.positions.begin(partition, { offset, end, ...nothing });
  }

  openFiles(): readonly OpenFile[] {
    return [...this.#files.values()].filter((file) => file.status === 'open');
  }

  /** Messages of the last published file, or before the first what an open one will have; null while nobody knows. */
  get messagesPerFile(): number | null {
    if (this.#messagesPerFile !== null) return this.#messagesPerFile;
    const known = this.openFiles().find(({ slices, messages }) => slices !== null && messages > 0);
    if (!known?.slices) return null;
    return Math.ceil((known.slices * known.messages) / known.received.count);
  }

  /** Bytes of messages that wait for their place in files that are open. */
  get #waitingBytes(): number {
    let bytes = 0;
    for (const file of this.#files.values()) if (file.status === 'open') bytes += file.waitingBytes;
    return bytes;
  }

  incompleteFiles(): readonly IncompleteFile[] {
    return this.#incomplete.list();
  }

  /** @throws {NewLogError} */
  accept(record: InputRecord, endOffset: number, nowMs: number): void {
    if (!this.positions.advance(record, endOffset)) return;
    let file: OpenFile | null = null;
    let place: FilePlace | null = null;
    try {
      const identity = identify(record, this.#options.geometry);
      place = this.#placeOf(identity, record);
      const target = this.#targetOf(place, identity, record);
      place = target;
      file = this.#fileFor(target, record);
      if (file === null) this.#decline(record);
      else this.#addTo(file, record, identity, target.message, nowMs);
      this.#boundOpenFiles();
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.#events.rejected(error.reason, error.message, record, error.slices);
      if (file && (error.reason === 'non-finite' || error.reason === 'content')) this.#reject(file, error);
    }
    this.positions.passed(record, place);
    if (file?.again && file.allReceived) this.#decide(file, record);
  }

  /** A processor's verified answer. Null: the block is not of this assignment, or its file was rejected. */
  count(block: number, moments: BlockMoments, engine: string): OpenFile | null {
    const file = this.#blocks.get(block);
    this.#blocks.delete(block);
    if (!file || file.status === 'rejected') return null;
    file.count(moments);
    file.engines.add(engine);
    if (file.complete) this.#events.complete(file);
    return file;
  }

  /** No processor can do this block: its file is given up, the rest goes on. */
  abandon(block: number, reason: string): void {
    const file = this.#blocks.get(block);
    this.#blocks.delete(block);
    if (file && file.status !== 'rejected') this.#reject(file, new Rejection('rejected-file', reason));
  }

  /** Packs what has waited long enough. */
  flush(nowMs: number): void {
    for (const file of this.#files.values()) {
      if (file.pending.slices > 0 && nowMs - file.pending.sinceMs >= LINGER_MS) this.#pack(file);
    }
  }

  /**
   * Lets the clocks of quiet files run and gives up those that nothing more can come for.
   * @param canRead whether a partition is connected and not paused
   */
  tick(elapsedMs: number, canRead: (partition: number) => boolean): void {
    for (const file of this.openFiles()) {
      if (file.allReceived) continue;
      const passed = this.positions
        .partitions()
        .every((p) => canRead(p) && this.positions.hasPassed(p, placeOf(file), REORDER_FILES));
      if (passed) file.quietMs += elapsedMs;
      if (file.quietMs >= this.#options.incompleteAfterMs) this.#giveUp(file, 'incomplete', file.missing());
    }
  }

  /**
   * Partitions that must wait: read past the oldest open file by more than a few files, while another partition may
   * still hold its slices. One that may hold it is never among them, or it would starve.
   */
  partitionsAhead(): Set<number> {
    const ahead = new Set<number>();
    const oldest = this.openFiles().find((file) => !file.allReceived);
    if (!oldest) return ahead;
    const place = placeOf(oldest);
    const partitions = this.positions.partitions();
    if (partitions.every((p) => this.positions.hasPassed(p, place, 1))) return ahead;
    for (const p of partitions) {
      const distance = this.positions.distance(p, place);
      if (distance !== null && distance > AHEAD_FILES) ahead.add(p);
    }
    return ahead;
  }

  /** Moves a complete file into its run; after this `progress()` is the one to commit with its result. */
  publish(file: OpenFile): void {
    this.runs.publish(file);
    this.#messagesPerFile = file.messages;
    this.#files.delete(fileKey(file));
    this.#incomplete.remove(file);
  }

  progress(): Progress {
    const open = this.openFiles();
    const undecided = [this.#declined, ...open.filter((file) => file.again).map((file) => file.starts)];
    const unpublished = [this.#declined, ...open.map((file) => file.starts)];
    const startsIn =
      (all: readonly ReadonlyMap<number, FileStart>[]) =>
      (partition: number): FileStart[] =>
        all.flatMap((starts) => starts.get(partition) ?? []);
    return {
      ...this.runs.toProgress(),
      partitions: this.positions.progress(startsIn(unpublished), startsIn(undecided)),
      numbering: this.runs.numbering(),
      incomplete: this.#incomplete.list(),
      operations: this.operations.toProgress(),
    };
  }

  /** What an operator wants; what is done has to be committed by the next `progress()`. */
  operate(command: ReceivedCommand): CommandOutcome {
    const { runs, operations } = this;
    return operate(command, { runs, operations, nextFile: (run) => this.#nextFile(run) });
  }

  /** First number of a sender's run above those of all files that were read of it. */
  #nextFile(run: string): number {
    const open = [...this.#files.values()].filter((file) => file.run === run).map(({ number }) => number);
    const read = this.positions.partitions().map((partition) => this.positions.lastFile(partition));
    const last = read.filter((place) => place?.run === run).map((place) => place?.file ?? -1);
    return Math.max(this.runs.nextFile(run), ...[...open, ...last].map((number) => number + 1));
  }

  #placeOf({ stated, file16 }: RecordIdentity, record: InputRecord): FilePlace {
    const { partition } = record;
    if (stated) {
      const run = this.positions.runOf(partition, stated.run) ?? this.runs.firstOf(stated.run);
      return { run, file: stated.file };
    }
    if (this.#options.needsHeaders === true) {
      throw new HeaderlessError(`partition ${partition}, offset ${record.offset}: a message without headers`);
    }
    this.headerless = true;
    const place = this.runs.placeHeaderless(file16, this.positions.lastFile(partition), this.#receivedNumber);
    if (place.began !== null) this.#events.runBegan(this.runs.titleOf(place), 'file numbers jumped', record);
    return { run: place.run, file: place.file };
  }

  #replayed(place: FilePlace, record: InputRecord): void {
    this.#events.replayed({ run: this.runs.titleOf(place), file: place.file }, record);
  }

  /**
   * The file that a record belongs to, by its number and, where all of that file is there, by what it contains:
   *
   *   read before ─────────────────────▶ dropped: only read again
   *   a message of that file ──────────▶ dropped: the sender repeated it
   *   a newer run has room for it ─────▶ that run: another partition came earlier to where the sender began anew
   *   content of the file known ───────▶ the same number `again`, decided upon when all of it is there
   *   not known ───────────────────────▶ a new run
   *
   * @throws {Rejection}
   */
  #targetOf(place: FilePlace, identity: RecordIdentity, record: InputRecord): Target {
    const isPublished = this.runs.isPublished(place.run, place.file);
    const dropped = (why: string): Rejection =>
      new Rejection(isPublished ? 'already-published' : 'duplicate', why, identity.slices);
    if (isPublished && this.positions.wasRead(record)) {
      throw dropped(`file ${place.file} of ${place.run} has its result`);
    }
    const received = this.#received(place);
    if (!isPublished && !received) return { ...place, again: false, message: null };
    const message = readSamples(record, identity);
    const digest = messageDigest(message);
    const messages = this.runs.messagesWith(place, digest);
    if (messages && this.#repeats.add(`${place.run}/${place.file}`, digest, messages)) {
      this.#replayed(place, record);
    }
    if (messages || received?.messageDigests().includes(digest)) {
      throw dropped(`a message of file ${place.file} of ${place.run} came twice`);
    }
    const continuations = this.runs.continuationsOf(place.run).map((run) => ({ run, file: place.file }));
    const free = continuations.find(
      (each) => !this.runs.isPublished(each.run, each.file) && !this.#received(each),
    );
    if (free) return { ...free, again: false, message };
    const newest = continuations.at(-1) ?? place;
    if (this.runs.hasContent(newest) || this.#received(newest)) return { ...newest, again: true, message };
    const { run, file } = this.#beginAnew(newest, identity.stated === null, record);
    return { run, file, again: false, message };
  }

  /** The file of this place, where all of it is there and its result is not. */
  #received({ run, file: number }: FilePlace): OpenFile | null {
    const file = this.#files.get(fileKey({ run, number, again: false }));
    return file?.status === 'open' && file.allReceived ? file : null;
  }

  /** Number of the received file of a run that a sender without headers would call this. */
  readonly #receivedNumber = (run: string, file16: number): number | null => {
    for (const { number } of this.#files.values()) {
      if (number % KEY_FILE_MODULUS === file16 && this.#received({ run, file: number })) return number;
    }
    return null;
  };

  #beginAnew(place: FilePlace, isHeaderless: boolean, record: InputRecord): FilePlace {
    const anew = this.runs.placeAnew(place, isHeaderless);
    const why = `file ${place.file} of ${this.runs.titleOf(place)} came again with other content`;
    if (anew.began !== null) this.#events.runBegan(this.runs.titleOf(anew), why, record);
    return anew;
  }

  /** All of a file is there whose number is published: the same once more, or where the sender began anew. */
  #decide(file: OpenFile, record: InputRecord): void {
    const place = placeOf(file);
    const isPending = this.#received(place)?.content() === file.content();
    const same = isPending ? place.run : this.runs.withContent(place, file.content());
    if (same !== null) {
      this.#files.delete(fileKey(file));
      this.#incomplete.remove(file);
      file.status = 'rejected';
      const message = `file ${place.file} of ${same} has its result`;
      this.#events.rejected('already-published', message, record, file.received.count);
      this.#replayed({ run: same, file: place.file }, record);
      return;
    }
    const anew = this.#beginAnew(place, file.isHeaderless, record);
    const others = [...this.#files.values()].filter((each) => each.again && each.run === place.run);
    for (const each of others) this.#move(each, anew.run, place.file - anew.file);
  }

  /** From `again` to a run of its own, and with it the partitions that have brought it. */
  #move(file: OpenFile, run: string, shift: number): void {
    const move = { from: file.run, to: run, shift };
    this.#files.delete(fileKey(file));
    file.again = false;
    file.shift = 0;
    file.run = run;
    file.number -= shift;
    this.#files.set(fileKey(file), file);
    for (const [partition, { offset }] of file.starts) {
      this.positions.move(partition, offset, { run, file: file.number }, move);
      // What began behind it followed the run that was left.
      for (const starts of [this.#declined, ...[...this.#files.values()].map((each) => each.starts)]) {
        const start = starts.get(partition);
        if (start && start.offset > offset) starts.set(partition, movedStart(start, move));
      }
    }
  }

  /** The file that a record belongs to; null when it would be a new one and none may be opened. */
  #fileFor({ run, file: number, again }: Target, record: InputRecord): OpenFile | null {
    const key = fileKey({ run, number, again });
    let file = this.#files.get(key);
    if (!file) {
      if (this.draining) return null;
      file = new OpenFile(run, number, this.#options.geometry);
      file.again = again;
      file.shift = this.positions.sentPlace(record.partition, { run, file: number }).shift;
      this.#files.set(key, file);
    }
    if (!file.starts.has(record.partition)) {
      file.starts.set(record.partition, this.positions.startAt(record.partition, record.offset));
    }
    return file;
  }

  /** While draining: the next owner begins at the first record that was not taken. */
  #decline(record: InputRecord): void {
    if (this.#declined.has(record.partition)) return;
    this.#declined.set(record.partition, this.positions.startAt(record.partition, record.offset));
  }

  #addTo(
    file: OpenFile,
    record: InputRecord,
    identity: RecordIdentity,
    known: SliceMessage | null,
    nowMs: number,
  ): void {
    if (file.status === 'rejected') {
      throw new Rejection(
        'rejected-file',
        `file ${file.number} of ${file.run} was rejected`,
        identity.slices,
      );
    }
    const message = known ?? readSamples(record, identity);
    const { slicesPerFile, geometry } = this.#options;
    if (file.pending.slices + message.slices > slicesPerBlockLimit(geometry.bins)) this.#pack(file);
    file.add(message, slicesPerFile, nowMs);
    if (file.allReceived || file.pending.slices >= slicesPerBlockLimit(geometry.bins)) this.#pack(file);
    // What is complete after all waits for its publication like any other: a crash must find it again.
    if (file.allReceived && file.status === 'incomplete') file.status = 'open';
  }

  /** Gives up the files that were begun first, as long as there are too many. */
  #boundOpenFiles(): void {
    if (this.#files.size <= MAX_OPEN_FILES && this.#waitingBytes <= MAX_WAITING_BYTES) return;
    const unfinished = this.openFiles().filter((file) => !file.allReceived);
    let excess = unfinished.length - MAX_OPEN_FILES;
    for (const file of unfinished) {
      if (excess <= 0 && this.#waitingBytes <= MAX_WAITING_BYTES) return;
      excess--;
      this.#giveUp(file, 'incomplete', `${file.missing()} (too many files were open at once)`);
    }
  }

  #pack(file: OpenFile): void {
    const pending = file.takePending();
    if (pending.slices === 0) return;
    const block: Block = {
      id: this.#options.nextBlock?.() ?? this.#nextBlock++,
      file: file.number,
      bins: this.#options.geometry.bins,
      slices: pending.slices,
      segments: pending.segments,
      energy: pending.energy,
      clipLevel: this.#clipLevel(file),
    };
    file.blocksOut++;
    this.#blocks.set(block.id, file);
    this.#events.block(block, file);
  }

  /** By the largest |x| that the run has shown up to this block. */
  #clipLevel({ run, number, peak }: OpenFile): number {
    const time = this.runs.get(this.runs.titleOf({ run, file: number }))?.sums?.time;
    return clipLevelOf(Math.max(peak, time ? peakOf(time) : 0));
  }

  #reject(file: OpenFile, rejection: Rejection): void {
    file.takePending();
    this.#giveUp(file, 'rejected', `${rejection.reason}: ${rejection.message}`);
  }

  /** The watermark moves on. An incomplete file stays in memory for a while, in case it is completed after all. */
  #giveUp(file: OpenFile, status: 'incomplete' | 'rejected', missing: string): void {
    file.status = status;
    const entry = this.#incomplete.add(file, missing);
    this.#events.incomplete(file, entry);
    const givenUp = [...this.#files].filter(([, each]) => each.status !== 'open');
    for (const [key] of givenUp.slice(0, -INCOMPLETE_OPEN)) this.#files.delete(key);
  }
}
