/**
 * An input without a broker: one source of records that is one partition, number 0.
 *
 *   offset = file number · 65536 + message index
 *
 * so that it says by itself which file to open and where, and needs no index. Offsets rise but are not contiguous.
 * One record is handed over at a time, and the next is not before the handlers, and a pause, let it.
 */

import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { KEY_FILE_MODULUS } from '../../records.ts';
import {
  type InputHandlers,
  type InputPort,
  type InputRecord,
  LogError,
  type LogErrorCode,
  type StartFrom,
} from '../port.ts';
import { Pauses } from '../pauses.ts';

const PARTITION = 0;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;

/** As many messages as a key can number within a file. */
const MESSAGES_PER_FILE = KEY_FILE_MODULUS;

export const offsetOf = (file: number, message: number): number => file * MESSAGES_PER_FILE + message;
export const fileOfOffset = (offset: number): number => Math.floor(offset / MESSAGES_PER_FILE);
export const messageOfOffset = (offset: number): number => offset % MESSAGES_PER_FILE;

/** Where the records come from. */
export interface RecordSource {
  /** First offset that can be read, and the one behind the last. */
  range(): Promise<{ readonly lowOffset: number; readonly endOffset: number }>;
  /** Offset at which to begin. */
  resolve(from: StartFrom): Promise<number>;
  /** Records from an offset on, in order, until the signal aborts; waits for those that are not there yet. */
  read(offset: number, signal: AbortSignal): AsyncIterable<InputRecord>;
  /** End offset without asking anybody. */
  lastEnd(): number;
}

export class EmbeddedInput implements InputPort {
  readonly kind: 'folder' | 'simulator';
  readonly offsetsPerFile = MESSAGES_PER_FILE;
  readonly #source: RecordSource;
  readonly #from: StartFrom;
  readonly #pauses = new Pauses();
  #handlers: InputHandlers | null = null;
  #reading = new AbortController();
  #wake: () => void = () => {};
  #stopped = false;
  #troubled = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(kind: 'folder' | 'simulator', source: RecordSource, from: StartFrom) {
    this.kind = kind;
    this.#source = source;
    this.#from = from;
  }

  async start(handlers: InputHandlers): Promise<void> {
    if (this.#handlers !== null) throw new LogError('unavailable', `${this.kind}: started twice`);
    this.#handlers = handlers;
    this.#loop = this.#supervise(handlers);
  }

  async resolve(from: StartFrom): Promise<ReadonlyMap<number, number>> {
    return new Map([[PARTITION, await this.#source.resolve(from)]]);
  }

  pause(partitions?: readonly number[]): void {
    this.#pauses.pause(partitions);
  }

  resume(partitions?: readonly number[]): void {
    this.#pauses.resume(partitions);
    this.#wake();
  }

  reassign(): void {
    this.#reading.abort();
    this.#wake();
  }

  async endOffsets(): Promise<ReadonlyMap<number, number>> {
    const { endOffset } = await this.#source.range();
    return new Map([[PARTITION, Math.max(endOffset, this.#source.lastEnd())]]);
  }

  /** Nobody else looks at the position of an embedded input. */
  commit(): void {}

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#reading.abort();
    this.#wake();
    await this.#loop;
  }

  /** Called by the source as well: the folder cannot be read, or can again. */
  trouble(error: LogError | null): void {
    if (error === null && !this.#troubled) return;
    this.#troubled = error !== null;
    if (!this.#stopped) this.#handlers?.trouble(error);
  }

  /** One assignment after the other until stopped. */
  async #supervise(handlers: InputHandlers): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    // Whoever starts an input has it in hand before its handlers are called.
    await setImmediate();
    while (!this.#stopped) {
      this.#reading = new AbortController();
      const { signal } = this.#reading;
      let answered = false;
      try {
        const offset = await this.#begin(handlers);
        answered = true;
        this.trouble(null);
        backoffMs = FIRST_BACKOFF_MS;
        if (!signal.aborted) await this.#handOver(handlers, offset, signal);
      } catch (error) {
        this.trouble(asLogError(error, this.kind));
      }
      if (answered && !this.#stopped) handlers.revoked();
      this.#pauses.assignmentEnded();
      if (!signal.aborted) await sleep(backoffMs, undefined, { signal }).catch(() => {});
      backoffMs = Math.min(2 * backoffMs, LONGEST_BACKOFF_MS);
    }
  }

  async #begin(handlers: InputHandlers): Promise<number> {
    const range = await this.#source.range();
    const starts = await handlers.assigned([{ partition: PARTITION, ...range }]);
    return starts.get(PARTITION) ?? (await this.#source.resolve(this.#from));
  }

  async #handOver(handlers: InputHandlers, offset: number, signal: AbortSignal): Promise<void> {
    await this.#gate(signal);
    for await (const record of this.#source.read(offset, signal)) {
      await this.#gate(signal);
      if (signal.aborted) return;
      handlers.records(PARTITION, [record], Math.max(this.#source.lastEnd(), record.offset + 1));
    }
  }

  /** Resolves when not paused, or aborted. */
  async #gate(signal: AbortSignal): Promise<void> {
    while (this.#pauses.isPaused(PARTITION) && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export function asLogError(error: unknown, doing: string): LogError {
  if (error instanceof LogError) return error;
  const code: LogErrorCode =
    (error as NodeJS.ErrnoException).code === 'EACCES' ? 'unauthorized' : 'unreachable';
  return new LogError(code, `${doing}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
