/**
 * Keeps the history up to date from the committed results, of whichever bridge they are, and answers what pages ask.
 *
 * It reads behind the publisher and never holds it up: a failure of the history is said once and tried again, and
 * costs nobody a result.
 */
import type { OutputPort, ResultRecord } from '../log/port.ts';
import type { Logger } from '../logger.ts';
import { binWidthHz } from '../protocol/geometry.ts';
import { decimate, type HistoryQuery, type HistoryRow } from '../protocol/history.ts';
import { decodeResult, decodeResultHeaders, ResultError } from '../protocol/result.ts';
import { HistoryStore } from './history-store.ts';

/** A picture of hours can be this much behind; the page adds the newest files itself. */
const POLL_MS = 1_000;
const RETRY_MS = 10_000;
/** Where nothing is known, so much of the past is read: a day is 7 GB of results, a few minutes of reading. */
const FIRST_MS = 24 * 3_600_000;
/** Of the time that reading the past takes, this share: the rest belongs to the present. */
const DUTY = 0.3;

export interface HistoryOptions {
  readonly output: OutputPort;
  readonly directory: string;
  readonly bins: number;
  readonly logger: Logger;
}

export class HistoryKeeper {
  readonly #options: HistoryOptions;
  #store: HistoryStore | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> = Promise.resolve();
  #stopped = false;
  #trouble: string | null = null;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#next(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#reading;
    await this.#store?.close();
    this.#store = null;
  }

  /** The rows of a run, encoded (`protocol/history.ts`); null where nothing is known of it. */
  query(run: string, query: HistoryQuery): Uint8Array<ArrayBuffer> | null {
    return this.#store?.query(run, query) ?? null;
  }

  #next(afterMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#reading = this.#read().then(
        (pauseMs) => this.#next(pauseMs),
        (error: unknown) => this.#failed(error),
      );
    }, afterMs);
    this.#timer.unref();
  }

  /** Takes in what has been committed since; answers how long to wait before looking again. */
  async #read(): Promise<number> {
    const { output, directory, bins } = this.#options;
    this.#store ??= new HistoryStore(directory, bins);
    const sinceMs = performance.now();
    const { results, cursor } = await output.committed(this.#store.cursor(), Date.now() - FIRST_MS);
    this.#store.put(this.#rowsOf(results), cursor);
    this.#trouble = null;
    if (results.length === 0) return POLL_MS;
    return (performance.now() - sinceMs) * (1 / DUTY - 1);
  }

  #rowsOf(results: readonly ResultRecord[]): { run: string; row: HistoryRow }[] {
    return results.flatMap((result) => {
      const row = this.#rowOf(result);
      return row === null ? [] : [{ run: result.run, row }];
    });
  }

  /** Null for what somebody else has written into the topic, and for files of another length. */
  #rowOf({ file, value, headers }: ResultRecord): HistoryRow | null {
    try {
      const { geometry, startUtc, endUtc } = decodeResultHeaders(headers);
      const { mean, count } = decodeResult(value.toString('latin1'));
      if (geometry.bins !== this.#options.bins) return null;
      return {
        firstFile: file,
        files: 1,
        slices: count,
        startUtcMs: Date.parse(startUtc ?? ''),
        endUtcMs: Date.parse(endUtc ?? ''),
        power: mean.reduce((sum, each) => sum + each, 0) * binWidthHz(geometry),
        ...decimate(mean),
      };
    } catch (error) {
      if (error instanceof ResultError) return null;
      throw error;
    }
  }

  #failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== this.#trouble) this.#options.logger.warn({ reason: message }, 'history not up to date');
    this.#trouble = message;
    this.#next(RETRY_MS);
  }
}
