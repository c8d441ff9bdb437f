/** Progress of a long command: a bar where somebody watches, else a line in the log now and then. */

import { SingleBar } from 'cli-progress';
import type { Logger } from './logger.ts';

const LINE_EVERY_MS = 10_000;
const BYTES_PER_MB = 1e6;

export interface ProgressDisplay {
  /** One more file is done. */
  file(bytes: number): void;
  /** The number of files is known, or has grown; null: without end. */
  total(files: number | null): void;
  end(): void;
}

export function createProgress(what: string, log: Logger): ProgressDisplay {
  return process.stderr.isTTY ? new Bar(what) : new Lines(what, log);
}

class Bar implements ProgressDisplay {
  readonly #bar: SingleBar;
  readonly #begin = performance.now();
  #bytes = 0;
  #files = 0;

  constructor(what: string) {
    this.#bar = new SingleBar({
      format: `${what} {bar} {value}/{total} pairs, {rate} MB/s`,
      stream: process.stderr,
      hideCursor: true,
    });
    this.#bar.start(0, 0, { rate: '–' });
  }

  file(bytes: number): void {
    this.#bytes += bytes;
    this.#files++;
    this.#bar.update(this.#files, { rate: rate(this.#bytes, this.#begin) });
  }

  total(files: number | null): void {
    this.#bar.setTotal(files ?? this.#files + 1);
  }

  end(): void {
    this.#bar.stop();
  }
}

class Lines implements ProgressDisplay {
  readonly #what: string;
  readonly #log: Logger;
  readonly #begin = performance.now();
  #bytes = 0;
  #files = 0;
  #total: number | null = null;
  #lastMs = performance.now();

  constructor(what: string, log: Logger) {
    this.#what = what;
    this.#log = log;
  }

  file(bytes: number): void {
    this.#bytes += bytes;
    this.#files++;
    if (performance.now() - this.#lastMs < LINE_EVERY_MS) return;
    this.#lastMs = performance.now();
    this.#line();
  }

  total(files: number | null): void {
    this.#total = files;
  }

  end(): void {
    if (this.#files > 0) this.#line();
  }

  #line(): void {
    const of = this.#total === null ? {} : { of: this.#total };
    this.#log.info(
      { pairs: this.#files, ...of, mbPerSecond: Number(rate(this.#bytes, this.#begin)) },
      this.#what,
    );
  }
}

const rate = (bytes: number, beginMs: number): string =>
  (bytes / BYTES_PER_MB / Math.max(0.001, (performance.now() - beginMs) / 1000)).toFixed(1);
