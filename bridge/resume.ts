/**
 * Where an assignment begins: at the committed progress, at the beginning of what nobody has read, or where the
 * user said when there is no progress at all.
 */
import type { Alarms } from './alarms.ts';
import type { Assembler } from './assembly/assembler.ts';
import { NO_OPERATIONS } from './assembly/operations.ts';
import { NewLogError } from './assembly/positions.ts';
import { decodeProgress, encodeProgress, type Progress } from './assembly/progress.ts';
import { Runs } from './assembly/runs.ts';
import {
  type AssignedPartition,
  type InputPort,
  LogError,
  type OutputPort,
  type StartFrom,
} from './log/port.ts';

export interface ResumeOptions {
  readonly input: InputPort;
  readonly output: OutputPort;
  readonly inputName: string;
  readonly bins: number;
  readonly run: string;
  readonly from: StartFrom;
  /** Others have published from this input already, so a part of it without progress is new, and not just unknown. */
  readonly isUnderWay: boolean;
  readonly alarms: Alarms;
}

export interface Resumed {
  readonly assembler: Assembler;
  readonly starts: ReadonlyMap<number, number>;
}

export class Resumption {
  readonly #options: ResumeOptions;

  constructor(options: ResumeOptions) {
    this.#options = options;
  }

  /**
   * Becomes the only writer, reads the progress and begins every partition.
   * @param newAssembler an assembler that goes on from a progress
   * @throws {LogError}
   */
  async resume(
    partitions: readonly AssignedPartition[],
    newAssembler: (progress: Progress | null) => Assembler,
  ): Promise<Resumed> {
    let progress = await this.#acquire();
    let assembler = newAssembler(progress);
    let starts: Map<number, number>;
    try {
      starts = assembler.begin(partitions, progress, this.#options.input.offsetsPerFile === undefined);
    } catch (error) {
      if (!(error instanceof NewLogError)) throw error;
      progress = await this.commitNewLog(error, progress);
      assembler = newAssembler(progress);
      starts = new Map();
    }
    await this.#beginUnknown(assembler, partitions, starts, progress !== null || this.#options.isUnderWay);
    this.#alarmLost(partitions, progress, starts);
    return { assembler, starts };
  }

  /** Another log lies where the known one was: known names go on as `NAME~2`, offsets begin anew. */
  async commitNewLog(error: NewLogError, progress: Progress | null): Promise<Progress> {
    const { alarms, inputName, bins, run, output } = this.#options;
    alarms.raise('new-log', `${inputName} is another log than before (${error.message}): a new run begins`);
    const runs = new Runs(bins, run, progress);
    runs.continueAll();
    const renewed = {
      ...runs.toProgress(),
      partitions: [],
      numbering: runs.numbering(),
      incomplete: progress?.incomplete ?? [],
      operations: progress?.operations ?? NO_OPERATIONS,
    };
    await output.publish([], encodeProgress(renewed));
    return renewed;
  }

  async #acquire(): Promise<Progress | null> {
    const { output, bins } = this.#options;
    const record = await output.acquire();
    const progress = record && decodeProgress(record);
    if (progress && progress.bins !== bins) {
      throw new LogError(
        'unavailable',
        `the progress in the output is of ${progress.bins} bins, the bridge runs with ${bins}: start it with --bins ${progress.bins}, or with another --topic-out or --data`,
      );
    }
    return progress;
  }

  /** A partition that appears where others are known, or in another log, holds only data that nobody has read. */
  async #beginUnknown(
    assembler: Assembler,
    partitions: readonly AssignedPartition[],
    starts: Map<number, number>,
    hasProgress: boolean,
  ): Promise<void> {
    const unknown = partitions.filter(({ partition }) => !starts.has(partition));
    if (unknown.length === 0) return;
    const resolved = await this.#options.input.resolve(hasProgress ? 'earliest' : this.#options.from);
    for (const { partition, lowOffset, endOffset } of unknown) {
      const start = resolved.get(partition) ?? lowOffset;
      assembler.beginAt(partition, start, endOffset);
      starts.set(partition, start);
    }
    // Decided once: asked again before the first result, `latest` would leave out what has come since.
    if (!hasProgress && this.#options.from !== 'earliest') {
      await this.#options.output.publish([], encodeProgress(assembler.progress()));
    }
  }

  /** Retention has deleted what was not yet read. */
  #alarmLost(
    partitions: readonly AssignedPartition[],
    progress: Progress | null,
    starts: ReadonlyMap<number, number>,
  ): void {
    for (const { partition, lowOffset } of partitions) {
      const known = progress?.partitions.find((each) => each.partition === partition);
      if (!known || known.watermark >= lowOffset || starts.get(partition) !== lowOffset) continue;
      this.#options.alarms.raise(
        'offset-lost',
        `${this.#options.inputName}, partition ${partition}: offsets ${known.watermark}–${lowOffset - 1} were deleted before they were processed; give the topic more retention`,
      );
    }
  }
}
