/**
 * Publishes complete files one after another, each with the progress it implies in one atom. What operators want is
 * decided between two files, and answered when the progress that holds it is committed.
 *
 * On any error the outcome may be unknown, so nothing is tried again here: the owner drops its state and acquires
 * the output anew, which tells whether the write took effect.
 */
import { performance } from 'node:perf_hooks';
import type { Assembler } from './assembly/assembler.ts';
import type { OpenFile } from './assembly/open-file.ts';
import { encodeProgress } from './assembly/progress.ts';
import { LogError, type OutputPort, type ResultRecord } from './log/port.ts';
import type { BridgeMetrics } from './metrics.ts';
import type { ReceivedCommand } from './assembly/operations.ts';
import type { Geometry } from './protocol/geometry.ts';
import type { CommandOutcome } from './protocol/operator.ts';
import { encodeResult, encodeResultHeaders } from './protocol/result.ts';
import { isoUtc } from './protocol/utc.ts';

export interface PublisherOptions {
  readonly output: OutputPort;
  readonly assembler: Assembler;
  readonly geometry: Geometry;
  readonly software: string;
  readonly metrics: BridgeMetrics;
  published(file: OpenFile): void;
  /** What operators wanted is committed. */
  operated(): void;
  failed(error: LogError): void;
}

/** What a waiting file costs: its moments, and soon its JSON and the copies of it on their way out. */
const WAITING_FILE_BYTES = 1024 * 1024;

interface WaitingCommand {
  readonly command: ReceivedCommand;
  readonly resolve: (outcome: CommandOutcome) => void;
  readonly reject: (error: LogError) => void;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #queue: OpenFile[] = [];
  #commands: WaitingCommand[] = [];
  #progressDue = false;
  #running = false;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return !this.#running && !this.#isDue;
  }

  get #isDue(): boolean {
    return this.#queue.length > 0 || this.#progressDue || this.#commands.length > 0;
  }

  /** Bytes of the files that wait for their turn. */
  get waitingBytes(): number {
    return this.#queue.length * WAITING_FILE_BYTES;
  }

  add(file: OpenFile): void {
    this.#queue.push(file);
    void this.#run();
  }

  /** Progress has changed without a result: a file was given up. */
  publishProgress(): void {
    this.#progressDue = true;
    void this.#run();
  }

  /**
   * Decides what an operator wants; resolves when that is committed.
   * @throws {LogError} whether it took effect is not known: it is to be asked again of the next owner
   */
  operate(command: ReceivedCommand): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      this.#commands.push({ command, resolve, reject });
      if (this.#stopped) this.#giveUp(this.#commands.splice(0));
      else void this.#run();
    });
  }

  /** The assignment has ended; what is queued will be read again. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#progressDue = false;
    this.#giveUp(this.#commands.splice(0));
  }

  #giveUp(commands: readonly WaitingCommand[]): void {
    const error = new LogError('unavailable', 'the output was lost before it was committed');
    for (const { reject } of commands) reject(error);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#stopped && this.#isDue) await this.#publishNext();
    } catch (error) {
      const known =
        error instanceof LogError ? error : new LogError('unavailable', String(error), { cause: error });
      if (!this.#stopped) this.#options.failed(known);
      this.stop();
    } finally {
      this.#running = false;
    }
  }

  async #publishNext(): Promise<void> {
    const { assembler } = this.#options;
    const commands = this.#commands.splice(0);
    // A file that was complete when they came is of the run and the average that they end.
    const file = this.#queue.shift();
    const results = file ? [this.#resultOf(file)] : [];
    if (file) assembler.publish(file);
    const decided = commands.map(({ command }) => assembler.operate(command));
    const isChanged = file !== undefined || this.#progressDue || decided.some(isDone);
    this.#progressDue = false;
    try {
      if (isChanged) await this.#commit(results, file);
    } catch (error) {
      this.#giveUp(commands);
      throw error;
    }
    if (!this.#stopped && decided.some(isDone)) this.#options.operated();
    commands.forEach(({ resolve }, i) => resolve(decided[i] as CommandOutcome));
  }

  async #commit(results: readonly ResultRecord[], file: OpenFile | undefined): Promise<void> {
    const { assembler, output, metrics } = this.#options;
    const startMs = performance.now();
    await output.publish(results, encodeProgress(assembler.progress()));
    const endMs = performance.now();
    metrics.published((endMs - startMs) / 1e3);
    if (!file || this.#stopped) return;
    metrics.filePublished((endMs - file.lastSliceMs) / 1e3);
    this.#options.published(file);
  }

  #resultOf(file: OpenFile): ResultRecord {
    const { geometry, software, assembler } = this.#options;
    const run = assembler.runs.titleOf({ run: file.run, file: file.number });
    return {
      run,
      file: file.number,
      value: Buffer.from(encodeResult(file.moments, geometry, file.number)),
      headers: encodeResultHeaders({
        run,
        file: file.number,
        slices: file.moments.count,
        geometry,
        startUtc: isoUtc(file.startUtcMs),
        endUtc: isoUtc(file.newestUtcMs),
        software,
        engine: [...file.engines].sort().join('+'),
      }),
    };
  }
}

const isDone = ({ outcome }: CommandOutcome): boolean => outcome === 'done';
