/** Progress of a long command: a bar where somebody watches, else a line in the log now and then. */

import { SingleBar } from 'cli-progress';
import type { Logger } from './logger.ts';

const LINE_EVERY_MS = 10_000;
const BYTES_PER_MB = 1e6;

export interface ProgressDisplay {
  /** So many bytes more of a file that is not done yet. */
  bytes(bytes: number): void;
  /** One more file is done, of which so many bytes have not been told yet. */
  file(bytes: number): void;
  /** The number of files, and of bytes, is known, or has grown; null: without end, or not known. */
  total(files: number | null, bytes?: number | null): void;
  end(): void;
}

/** @param noun what the files are, in the plural */
export function createProgress(what: string, log: Logger, noun = 'pairs'): ProgressDisplay {
  return process.stderr.isTTY ? new Bar(what, noun) : new Lines(what, noun, log);
}

/** What has been done, and how fast. */
class Tally {
  readonly #begin = performance.now();
  bytes = 0;
  files = 0;
  totalFiles: number | null = null;
  totalBytes: number | null = null;

  get mbPerSecond(): string {
    return (this.bytes / BYTES_PER_MB / Math.max(0.001, this.#elapsedMs / 1000)).toFixed(1);
  }

  /** Seconds until the end at this pace; null while nobody can know. */
  get leftSeconds(): number | null {
    const [done, all] = this.share;
    return all === null || done === 0 ? null : ((all - done) * this.#elapsedMs) / done / 1000;
  }

  /** Done, and all: in bytes where these are known. */
  get share(): readonly [number, number | null] {
    return this.totalBytes === null ? [this.files, this.totalFiles] : [this.bytes, this.totalBytes];
  }

  get #elapsedMs(): number {
    return performance.now() - this.#begin;
  }
}

/** `mm:ss` or `h:mm:ss`. */
function clockText(seconds: number | null): string {
  if (seconds === null) return '–';
  const whole = Math.ceil(Math.max(0, seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${hours > 0 ? `${hours}:` : ''}${two(minutes)}:${two(whole % 60)}`;
}

class Bar implements ProgressDisplay {
  readonly #bar: SingleBar;
  readonly #tally = new Tally();

  constructor(what: string, noun: string) {
    this.#bar = new SingleBar({
      format: `${what} {bar} {files}/{ofFiles} ${noun}, {rate} MB/s, {left} left`,
      stream: process.stderr,
      hideCursor: true,
    });
    this.#bar.start(0, 0, { files: 0, ofFiles: '–', rate: '–', left: '–' });
  }

  bytes(bytes: number): void {
    this.#tally.bytes += bytes;
    this.#update();
  }

  file(bytes: number): void {
    this.#tally.files++;
    this.bytes(bytes);
  }

  total(files: number | null, bytes: number | null = null): void {
    this.#tally.totalFiles = files;
    this.#tally.totalBytes = bytes;
    const [done, all] = this.#tally.share;
    this.#bar.setTotal(all ?? done + 1);
    this.#update();
  }

  end(): void {
    this.#bar.stop();
  }

  #update(): void {
    const { share, files, totalFiles, mbPerSecond, leftSeconds } = this.#tally;
    const figures = { files, ofFiles: totalFiles ?? '–', rate: mbPerSecond, left: clockText(leftSeconds) };
    this.#bar.update(share[0], figures);
  }
}

class Lines implements ProgressDisplay {
  readonly #what: string;
  readonly #noun: string;
  readonly #log: Logger;
  readonly #tally = new Tally();
  #lastMs = performance.now();

  constructor(what: string, noun: string, log: Logger) {
    this.#what = what;
    this.#noun = noun;
    this.#log = log;
  }

  bytes(bytes: number): void {
    this.#tally.bytes += bytes;
    if (performance.now() - this.#lastMs < LINE_EVERY_MS) return;
    this.#lastMs = performance.now();
    this.#line();
  }

  file(bytes: number): void {
    this.#tally.files++;
    this.bytes(bytes);
  }

  total(files: number | null, bytes: number | null = null): void {
    this.#tally.totalFiles = files;
    this.#tally.totalBytes = bytes;
  }

  end(): void {
    if (this.#tally.files > 0) this.#line();
  }

  #line(): void {
    const { files, totalFiles, mbPerSecond, leftSeconds } = this.#tally;
    const of = totalFiles === null ? {} : { of: totalFiles, left: clockText(leftSeconds) };
    this.#log.info({ [this.#noun]: files, ...of, mbPerSecond: Number(mbPerSecond) }, this.#what);
  }
}
