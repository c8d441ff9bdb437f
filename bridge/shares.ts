/**
 * Shares: the parts of the input that this bridge reads now, and what is known of those that others read.
 *
 * Every run-wide figure is over all parts: this bridge's own as it has committed them, and the others' as they have,
 * which is read from the same topic in which the next owner of a partition finds where to go on.
 */
import { performance } from 'node:perf_hooks';
import type { Alarms } from './alarms.ts';
import type { Assembler } from './assembly/assembler.ts';
import type { OpenFile } from './assembly/open-file.ts';
import type { OperationsProgress, ReceivedCommand } from './assembly/operations.ts';
import { decodeProgress, type Progress } from './assembly/progress.ts';
import {
  type AssignedPartition,
  type InputPort,
  LogError,
  type OutputPort,
  type StartFrom,
} from './log/port.ts';
import type { Logger } from './logger.ts';
import type { BridgeMetrics } from './metrics.ts';
import type { Geometry } from './protocol/geometry.ts';
import type { CommandOutcome } from './protocol/operator.ts';
import type { IncompleteFile } from './protocol/state.ts';
import { RunWide } from './run-wide.ts';
import { Share, type ShareEvents } from './share.ts';

/** How often is looked what bridges beside this one have committed. */
const OTHERS_LOOK_MS = 500;
/** The only part of the input, where bridges do not scale out. */
const ALL = -1;

/** Bridges beside this one read other partitions; each partition has a writer and a progress of its own. */
export interface ScaleOut {
  /** Where results and progress of a partition go; the same object for the same partition. */
  output(partition: number): OutputPort;
  /** The newest committed progress of every partition. */
  others(): Promise<ReadonlyMap<number, Buffer>>;
  close(): void;
}

export interface SharesOptions {
  readonly input: InputPort;
  /** With `scaleOut` for reading only. */
  readonly output: OutputPort;
  /** Null: this bridge reads everything. */
  readonly scaleOut: ScaleOut | null;
  /** Topic or folder, for messages. */
  readonly inputName: string;
  readonly geometry: Geometry;
  readonly run: string;
  readonly slicesPerFile: number;
  readonly from: StartFrom;
  readonly incompleteAfterMs: number;
  readonly software: string;
  readonly metrics: BridgeMetrics;
  readonly logger: Logger;
}

/** Progress of a part that another bridge reads; the record tells whether it has changed. */
interface Other {
  readonly record: Buffer;
  readonly progress: Progress;
}

export class Shares {
  readonly runWide = new RunWide();
  readonly #options: SharesOptions;
  readonly #alarms: Alarms;
  readonly #events: ShareEvents;
  readonly #othersChanged: () => void;
  /** Those of single partitions that were ever used. */
  readonly #outputs = new Set<OutputPort>();
  #shares: readonly Share[] = [];
  /** Counts assignments: what an earlier one was about to open is dropped. */
  #assignment = 0;
  #others: ReadonlyMap<number, Other> = new Map();
  /** Of them, what the run-wide figures hold. */
  readonly #shown = new Map<number, Buffer>();
  #othersLookMs = -Infinity;
  #lastBlock = 0;

  constructor(options: SharesOptions, alarms: Alarms, events: ShareEvents, othersChanged: () => void) {
    this.#options = options;
    this.#alarms = alarms;
    this.#events = events;
    this.#othersChanged = othersChanged;
  }

  get isEmpty(): boolean {
    return this.#shares.length === 0;
  }

  get idle(): boolean {
    return this.#shares.every(({ idle }) => idle);
  }

  /** Of complete files that wait for the output. */
  get waitingBytes(): number {
    return this.#shares.reduce((sum, { publisher }) => sum + publisher.waitingBytes, 0);
  }

  get assemblers(): readonly Assembler[] {
    return this.#shares.map(({ assembler }) => assembler);
  }

  of(partition: number): Share | null {
    return this.#shares.find(({ partitions }) => partitions.includes(partition)) ?? null;
  }

  openFiles(): readonly OpenFile[] {
    return this.assemblers.flatMap((assembler) => assembler.openFiles());
  }

  /** Of all parts, whoever reads them, in order of time. */
  incomplete(): readonly IncompleteFile[] {
    const read = new Set(this.#partitions());
    const others = [...this.#others].filter(([partition]) => !read.has(partition));
    return [
      ...this.assemblers.flatMap((assembler) => assembler.incompleteFiles()),
      ...others.flatMap(([, { progress }]) => progress.incomplete),
    ].toSorted((a, b) => compare(a.atUtc, b.atUtc));
  }

  /** The run that is waited for, or has the newest data; null while nothing is known. */
  currentRun(): string | null {
    const [only] = this.#shares;
    const own = this.#options.scaleOut === null ? only?.assembler.runs.current : undefined;
    return own ?? this.runWide.newest();
  }

  /**
   * Becomes the only writer of these partitions and goes on from their progress. Null: meanwhile they were dropped.
   * @returns where to begin in each
   * @throws {LogError}
   */
  async open(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<number, number> | null> {
    this.drop();
    const assignment = this.#assignment;
    const startMs = performance.now();
    // Twice: whether this part is new, and what the others have committed while it was opened.
    await this.#readOthers();
    const opened = await this.#openAll(partitions);
    await this.#readOthers();
    if (assignment !== this.#assignment) return null;
    const starts = new Map(opened.flatMap((each) => [...each.starts]));
    this.#shares = opened.map(({ share }) => share);
    for (const { part, assembler } of this.#shares) {
      this.runWide.set(part, assembler.runs.toProgress().runs);
      this.#shown.delete(part);
    }
    const ms = Math.round(performance.now() - startMs);
    this.#options.logger.info({ offsets: Object.fromEntries(starts), ms }, 'input assigned');
    return starts;
  }

  /** Each part of the input has a progress of its own, and other bridges write to some of them. */
  get isSharing(): boolean {
    return this.#options.scaleOut !== null;
  }

  /** As committed, but for what is being committed now; null while nothing is assigned. */
  operations(): OperationsProgress | null {
    return this.#shares[0]?.assembler.operations.toProgress() ?? null;
  }

  /**
   * Decides what an operator wants, and commits it.
   * @throws {LogError} `unavailable`
   */
  async operate(command: ReceivedCommand): Promise<CommandOutcome> {
    const [share] = this.#shares;
    if (share === undefined) throw new LogError('unavailable', 'the bridge has no input now');
    return share.publisher.operate(command);
  }

  /** What is open is read again by its next owner. */
  drop(): void {
    this.#assignment++;
    for (const { publisher } of this.#shares) publisher.stop();
    this.#shares = [];
  }

  /** Looks what others have committed, not too often. */
  async tick(nowMs: number): Promise<void> {
    if (this.#options.scaleOut === null || nowMs - this.#othersLookMs < OTHERS_LOOK_MS) return;
    this.#othersLookMs = nowMs;
    try {
      if (await this.#readOthers()) this.#othersChanged();
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'what others have committed is not known');
    }
  }

  async release(): Promise<void> {
    this.drop();
    this.#options.scaleOut?.close();
    await Promise.all([this.#options.output, ...this.#outputs].map((output) => output.release()));
  }

  #partitions(): readonly number[] {
    return this.#shares.flatMap(({ partitions }) => partitions);
  }

  async #openAll(
    partitions: readonly AssignedPartition[],
  ): Promise<readonly { readonly share: Share; readonly starts: ReadonlyMap<number, number> }[]> {
    const { scaleOut, output } = this.#options;
    if (scaleOut === null) return [await this.#open(ALL, partitions, output)];
    return Promise.all(
      partitions.map((own) => {
        const ownOutput = scaleOut.output(own.partition);
        this.#outputs.add(ownOutput);
        return this.#open(own.partition, [own], ownOutput);
      }),
    );
  }

  #open(part: number, partitions: readonly AssignedPartition[], output: OutputPort) {
    const { geometry, run, slicesPerFile, incompleteAfterMs, scaleOut } = this.#options;
    return Share.open(part, partitions, {
      ...this.#options,
      output,
      bins: geometry.bins,
      isUnderWay: [...this.#others.values()].some(({ progress }) => progress.runs.length > 0),
      alarms: this.#alarms,
      assembly: {
        geometry,
        run,
        slicesPerFile,
        incompleteAfterMs,
        needsHeaders: scaleOut !== null,
        nextBlock: () => this.#nextBlock(),
      },
      events: this.#events,
    });
  }

  /** Numbers go round before they leave 32 bits: no block lives that long. */
  #nextBlock(): number {
    this.#lastBlock = (this.#lastBlock + 1) % 2 ** 31;
    return this.#lastBlock;
  }

  /** @returns whether a run-wide figure has changed by it */
  async #readOthers(): Promise<boolean> {
    const { scaleOut } = this.#options;
    if (scaleOut === null) return false;
    const records = await scaleOut.others();
    const before = this.#others;
    const known = [...records].map(([partition, record]): [number, Other] => {
      const same = before.get(partition);
      return [partition, same?.record === record ? same : { record, progress: decodeProgress(record) }];
    });
    this.#others = new Map(known);
    const own = new Set(this.#partitions());
    const changed = known.filter(
      ([partition, { record }]) => !own.has(partition) && this.#shown.get(partition) !== record,
    );
    for (const [partition, { record, progress }] of changed) {
      this.runWide.set(partition, progress.runs);
      this.#shown.set(partition, record);
    }
    return changed.length > 0;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
