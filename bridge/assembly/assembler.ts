/**
 * From records of the log, in whatever order partitions give them, to blocks; and from counted blocks to files.
 *
 * Synchronous and without any input or output of its own: the monotonic clock is passed in, blocks and complaints go out through
 * `AssemblyEvents`, so every rule of it can be tested with plain calls.
 */
import type { Block } from '../dispatch/lease.ts';
import type { AssignedPartition, InputRecord } from '../log/port.ts';
import { type Geometry, slicesPerBlockLimit } from '../protocol/geometry.ts';
import type { BlockMoments } from '../protocol/moments.ts';
import type { IncompleteFile } from '../protocol/state.ts';
import { identify, type RecordIdentity, readSamples } from './decode.ts';
import { type FilePlace, REORDER_FILES } from './numbering.ts';
import { OpenFile } from './open-file.ts';
import { type FileStart, NewLogError, Positions } from './positions.ts';
import type { Progress } from './progress.ts';
import { Rejection, type RejectionReason } from './rejection.ts';
import { Runs } from './runs.ts';

/** Pending slices wait at most this long for more before they travel: four pictures and more per file at pace. */
export const LINGER_MS = 200;

/** Quiet time after which a file that nothing more can come for is given up; T of the delivery rules. */
export const INCOMPLETE_AFTER_MS = 60_000;

/** A partition further ahead of the oldest open file than this waits for the others; W of the delivery rules. */
export const AHEAD_FILES = 4;

/** Incomplete files kept for completion later, and remembered in the progress record. */
const INCOMPLETE_OPEN = 16;
const INCOMPLETE_LISTED = 1000;

export interface AssemblyEvents {
  /** A block is ready for a processor. */
  block(block: Block, file: OpenFile): void;
  /** A file has all its slices counted and waits for publication. */
  complete(file: OpenFile): void;
  rejected(reason: RejectionReason, message: string, record: InputRecord, slices: number): void;
  /** A file was given up, for missing slices or because its samples cannot be averaged. */
  incomplete(file: OpenFile, entry: IncompleteFile): void;
  /** Numbers jumped: a new run was begun. */
  runBegan(run: string, record: InputRecord): void;
}

export interface AssemblyOptions {
  readonly geometry: Geometry;
  readonly run: string;
  readonly slicesPerFile: number;
  readonly incompleteAfterMs: number;
}

const placeOf = ({ run, number }: OpenFile): FilePlace => ({ run, file: number });

const fileKey = (run: string, file: number): string => `${run}/${file}`;

export class Assembler {
  readonly runs: Runs;
  readonly positions = new Positions();
  readonly #options: AssemblyOptions;
  readonly #events: AssemblyEvents;
  /** In order of opening. Complete files stay until their publication is committed. */
  readonly #files = new Map<string, OpenFile>();
  readonly #blocks = new Map<number, OpenFile>();
  readonly #declined = new Map<number, FileStart>();
  #incomplete: IncompleteFile[];
  #nextBlock = 1;
  headerless = false;
  #messagesPerFile: number | null = null;
  /** While true, no new file is opened: the bridge finishes what it has and stops. */
  draining = false;

  constructor(options: AssemblyOptions, events: AssemblyEvents, progress: Progress | null) {
    this.#options = options;
    this.#events = events;
    this.runs = new Runs(options.geometry.bins, options.run, progress);
    this.#incomplete = [...(progress?.incomplete ?? [])];
  }

  /** Where to begin in each partition that the progress knows: at the mark, which is then recognised. */
  begin(partitions: readonly AssignedPartition[], known: Progress | null): Map<number, number> {
    const starts = new Map<number, number>();
    for (const { partition, lowOffset, endOffset } of partitions) {
      const progress = known?.partitions.find((each) => each.partition === partition);
      if (!progress) continue;
      if (progress.watermark > endOffset) {
        throw new NewLogError(
          `partition ${partition} ends at offset ${endOffset}, but was read up to ${progress.watermark}`,
        );
      }
      const mark = progress.before && progress.before.offset >= lowOffset ? progress.before : null;
      const start = Math.max(lowOffset, mark?.offset ?? progress.watermark);
      this.positions.begin(partition, start, endOffset, mark, progress.fileBefore);
      starts.set(partition, start);
    }
    return starts;
  }

  /** Begins a partition of which nothing is known. */
  beginAt(partition: number, offset: number, end: number): void {
    this.positions.begin(partition, offset, end, null, null);
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

  incompleteFiles(): readonly IncompleteFile[] {
    return this.#incomplete;
  }

  /** @throws {NewLogError} */
  accept(record: InputRecord, endOffset: number, nowMs: number): void {
    if (!this.positions.advance(record, endOffset)) return;
    let file: OpenFile | null = null;
    let place: FilePlace | null = null;
    try {
      const identity = identify(record, this.#options.geometry);
      place = this.#placeOf(identity, record);
      if (this.runs.isPublished(place.run, place.file)) {
        throw new Rejection(
          'already-published',
          `file ${place.file} of ${place.run} has its result`,
          identity.slices,
        );
      }
      file = this.#fileFor(place.run, place.file, record);
      if (file === null) this.#decline(record);
      else this.#addTo(file, record, identity, nowMs);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.#events.rejected(error.reason, error.message, record, error.slices);
      if (file && (error.reason === 'non-finite' || error.reason === 'content')) this.#reject(file, error);
    }
    this.positions.passed(record, place);
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
      const last = this.positions.lastFile(p);
      if (last?.run === oldest.run && last.file > oldest.number + AHEAD_FILES) ahead.add(p);
    }
    return ahead;
  }

  /** Moves a complete file into its run; after this `progress()` is the one to commit with its result. */
  publish(file: OpenFile): void {
    this.runs.publish(file);
    this.#messagesPerFile = file.messages;
    this.#files.delete(fileKey(file.run, file.number));
    this.#incomplete = this.#incomplete.filter((e) => e.run !== file.run || e.file !== file.number);
  }

  progress(): Progress {
    const open = this.openFiles();
    const startsIn = (partition: number): FileStart[] =>
      [this.#declined, ...open.map((file) => file.starts)].flatMap((starts) => starts.get(partition) ?? []);
    return {
      ...this.runs.toProgress(),
      partitions: this.positions.progress(startsIn),
      numbering: this.runs.numbering(),
      incomplete: this.#incomplete,
    };
  }

  #placeOf(identity: RecordIdentity, record: InputRecord): FilePlace {
    if (identity.stated) return { run: this.runs.nameOf(identity.stated.run), file: identity.stated.file };
    this.headerless = true;
    const place = this.runs.placeHeaderless(identity.file16, this.positions.lastFile(record.partition));
    if (place.began !== null) this.#events.runBegan(place.began, record);
    return { run: place.run, file: place.file };
  }

  /** The file that a record belongs to; null when it would be a new one and none may be opened. */
  #fileFor(run: string, number: number, record: InputRecord): OpenFile | null {
    const key = fileKey(run, number);
    let file = this.#files.get(key);
    if (!file) {
      if (this.draining) return null;
      file = new OpenFile(run, number, this.#options.geometry);
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

  #addTo(file: OpenFile, record: InputRecord, identity: RecordIdentity, nowMs: number): void {
    if (file.status === 'rejected') {
      throw new Rejection(
        'rejected-file',
        `file ${file.number} of ${file.run} was rejected`,
        identity.slices,
      );
    }
    const message = readSamples(record, identity);
    const { slicesPerFile, geometry } = this.#options;
    if (file.pending.slices + message.slices > slicesPerBlockLimit(geometry.bins)) this.#pack(file);
    file.add(message, slicesPerFile, nowMs);
    if (file.allReceived || file.pending.slices >= slicesPerBlockLimit(geometry.bins)) this.#pack(file);
  }

  #pack(file: OpenFile): void {
    const pending = file.takePending();
    if (pending.slices === 0) return;
    const block: Block = {
      id: this.#nextBlock++,
      file: file.number,
      bins: this.#options.geometry.bins,
      slices: pending.slices,
      segments: pending.segments,
      energy: pending.energy,
      clipLevel: this.#clipLevel(file.run),
    };
    file.blocksOut++;
    this.#blocks.set(block.id, file);
    this.#events.block(block, file);
  }

  /** The largest |x| that the run has shown so far: where a converter clips, many samples lie exactly there. */
  #clipLevel(run: string): number {
    const time = this.runs.get(run)?.sums?.time;
    if (!time || time.samples === 0) return Infinity;
    const peak = Math.max(-time.minI, time.maxI, -time.minQ, time.maxQ);
    // A run of nothing but zeros has shown no level.
    return peak > 0 ? peak : Infinity;
  }

  #reject(file: OpenFile, rejection: Rejection): void {
    file.takePending();
    this.#giveUp(file, 'rejected', `${rejection.reason}: ${rejection.message}`);
  }

  /** The watermark moves on. An incomplete file stays in memory for a while, in case it is completed after all. */
  #giveUp(file: OpenFile, status: 'incomplete' | 'rejected', missing: string): void {
    file.status = status;
    const entry = { run: file.run, file: file.number, missing, atUtc: new Date().toISOString() };
    this.#incomplete = [...this.#incomplete, entry].slice(-INCOMPLETE_LISTED);
    this.#events.incomplete(file, entry);
    const givenUp = [...this.#files].filter(([, each]) => each.status !== 'open');
    for (const [key] of givenUp.slice(0, -INCOMPLETE_OPEN)) this.#files.delete(key);
  }
}
