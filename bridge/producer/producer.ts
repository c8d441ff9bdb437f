/**
 * Sends the pairs of a folder: each file to one partition, several partitions at a time, paced by the clock, going on
 * where the topic ends.
 *
 *   topic's last records ─▶ Resume ─▶ what is left ─┐
 *   folder ─▶ PairFollower ─▶ pair ─▶ Schedule ─────┴▶ one queue per partition ─▶ batches of about 1 MB ─▶ port
 *
 * When a send fails with unknown outcome, everything in flight is let run out, the topic is asked again, and sending
 * goes on from what it says: never from what this process believes.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ProduceOptions } from '../config/options.ts';
import { PairFollower } from '../files/follow.ts';
import type { FilePair, PairFolder } from '../files/pairs.ts';
import { FileProblem } from '../protocol/pairs.ts';
import { PairReader, readMessages, remainderOf, slicesOf } from '../files/reader.ts';
import { LogError, type ProducerPort } from '../log/port.ts';
import type { Logger } from '../logger.ts';
import { MAX_MESSAGE_VALUE_BYTES, sliceBytes } from '../protocol/geometry.ts';
import {
  buildPlainRecord,
  buildRecord,
  type ChunkRecord,
  type FileIdentity,
  type FileStart,
  startByModification,
} from '../records.ts';
import { findPair, understand } from './last-records.ts';
import { ProduceError } from './problem.ts';
import { type FileTask, type PlainTask, Resume } from './resume.ts';
import { Schedule } from './schedule.ts';

/** Partitions that are sent to at the same time; each has a batch on the way and a message read ahead. */
const LANES = 4;
const RECOVERY_FIRST_MS = 1_000;
const RECOVERY_LONGEST_MS = 15_000;
/** Without following, this long without an acknowledged batch is a failure. */
const RECOVERY_LIMIT_MS = 120_000;
/** A broker that never answered may have another name: that is said sooner. */
const BEGIN_LIMIT_MS = 5_000;

export interface ProduceEvents {
  /** What is wrong with a file; told once each. */
  problem(problem: FileProblem): void;
  /** A file is acknowledged as a whole. */
  sent(file: number, bytes: number): void;
  /** How many files there are to send, where the folder is not followed. */
  total(files: number): void;
}

export interface ProduceReport {
  /** Files that are in the topic now because of this call. */
  readonly files: number;
  /** Files that were there before. */
  readonly skipped: number;
  readonly messages: number;
  readonly bytes: number;
  /** Where the next call goes on, when this one was stopped in the middle of files. */
  readonly unfinished: readonly { readonly file: number; readonly slice: number }[];
}

type Settings = Omit<ProduceOptions, 'connection' | 'topic' | 'folder' | 'endpoint'> & {
  readonly folder: PairFolder;
  readonly pollMs?: number;
};

export class FolderProducer {
  readonly #settings: Settings;
  readonly #port: ProducerPort;
  readonly #events: ProduceEvents;
  readonly #log: Logger;
  readonly #schedule: Schedule;
  readonly #told = new Set<string>();
  readonly #unfinished = new Map<number, number>();
  #firstFile = 0;
  #files = 0;
  /** As found at the first attempt; later ones find our own, too. */
  #skipped: number | null = null;
  #messages = 0;
  #bytes = 0;
  #acknowledgedMs = performance.now();

  constructor(settings: Settings, port: ProducerPort, events: ProduceEvents, log: Logger) {
    this.#settings = settings;
    this.#port = port;
    this.#events = events;
    this.#log = log;
    this.#schedule = new Schedule(settings.pace);
  }

  /**
   * Sends until all is sent; following, until `stop` aborts. A stop lets the batches in hand be acknowledged.
   * @throws {LogError}
   * @throws {ProduceError}
   */
  async run(stop: AbortSignal): Promise<ProduceReport> {
    this.#acknowledgedMs = performance.now();
    let pauseMs = RECOVERY_FIRST_MS;
    while (!stop.aborted) {
      this.#unfinished.clear();
      try {
        await this.#attempt(stop);
        break;
      } catch (error) {
        if (!this.#mayTryAgain(error)) throw error;
        this.#log.warn({ err: error }, 'a send failed; asking the topic what has arrived');
        if (performance.now() - this.#acknowledgedMs < pauseMs) pauseMs = RECOVERY_FIRST_MS;
        await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
        pauseMs = Math.min(2 * pauseMs, RECOVERY_LONGEST_MS);
      }
    }
    return {
      files: this.#files,
      skipped: this.#skipped ?? 0,
      messages: this.#messages,
      bytes: this.#bytes,
      unfinished: [...this.#unfinished].map(([file, slice]) => ({ file, slice })),
    };
  }

  #mayTryAgain(error: unknown): boolean {
    if (!(error instanceof LogError) || !['unavailable', 'unreachable'].includes(error.code)) return false;
    const silentMs = performance.now() - this.#acknowledgedMs;
    const limitMs = this.#messages > 0 ? RECOVERY_LIMIT_MS : BEGIN_LIMIT_MS;
    return this.#settings.follow || silentMs < limitMs;
  }

  /** From what the topic says to the end of the folder. */
  async #attempt(stop: AbortSignal): Promise<void> {
    const { folder, files } = this.#settings;
    const numbers = await this.#numbers();
    this.#firstFile = numbers[0] ?? files?.first ?? 0;
    const partitions = await this.#port.partitions();
    const lasts = await Promise.all(Array.from({ length: partitions }, (_, p) => this.#last(p)));
    const resume = new Resume(lasts, this.#settings.slicesPerMessage);
    for await (const task of resume.plainTasks(this.#our(), numbers)) {
      if (stop.aborted) return;
      await this.#sendPlain(task);
    }
    const lanes = new Lanes(stop);
    try {
      this.#countWork(resume, numbers);
      for await (const pair of this.#follower(resume, files).pairs(lanes.signal)) {
        const task = resume.task(pair.file);
        if (task === null) continue;
        await this.#schedule.wait(this.#durationMs(pair), lanes.signal);
        if (lanes.signal.aborted) break;
        await lanes.run(task.partition, () => this.#sendFile(pair, task, lanes.signal));
      }
    } catch (error) {
      if (error instanceof ProduceError || error instanceof LogError || lanes.hasFailed) throw error;
      throw new ProduceError('no-folder', `${folder.name}: cannot be read (${reasonOf(error)})`, {
        cause: error,
      });
    } finally {
      await lanes.finished();
    }
    lanes.throwFailure();
  }

  async #last(partition: number): ReturnType<typeof understand> {
    return understand(await this.#port.last(partition), this.#our());
  }

  #our(): { readonly folder: PairFolder; readonly run: string; readonly bins: number } {
    const { folder, run, geometry } = this.#settings;
    return { folder, run, bins: geometry.bins };
  }

  /** File numbers in the folder and in the wanted range, rising. */
  async #numbers(): Promise<number[]> {
    const { folder, files, follow } = this.#settings;
    try {
      const { halves } = await folder.list();
      const wanted = [...halves.keys()].filter(
        (file) => file >= (files?.first ?? 0) && file <= (files?.last ?? Infinity),
      );
      if (wanted.length === 0 && !follow) {
        const range = files === null ? '' : ` with numbers ${files.first} to ${files.last}`;
        throw new ProduceError(
          'no-pairs',
          `${folder.name}: no duck_i_NNNNN.dat and duck_q_NNNNN.dat${range} there`,
        );
      }
      return wanted.toSorted((a, b) => a - b);
    } catch (error) {
      if (error instanceof ProduceError) throw error;
      throw new ProduceError('no-folder', `${folder.name}: cannot be read (${reasonOf(error)})`, {
        cause: error,
      });
    }
  }

  #countWork(resume: Resume, numbers: readonly number[]): void {
    const left = numbers.filter((file) => resume.task(file) !== null).length;
    this.#skipped ??= numbers.length - left;
    if (numbers.length > left) this.#log.info({ files: numbers.length - left }, 'in the topic already');
    if (!this.#settings.follow) this.#events.total(this.#files + left);
  }

  #follower(resume: Resume, files: Settings['files']): PairFollower {
    const { folder, geometry, follow, settleMs, pollMs } = this.#settings;
    return new PairFollower({
      folder,
      bins: geometry.bins,
      from: Math.max(files?.first ?? 0, resume.firstFile),
      ...(files === null ? {} : { to: files.last }),
      follow,
      settleMs,
      ...(pollMs === undefined ? {} : { pollMs }),
      problem: (problem) => this.#tell(problem),
      trouble: (error) => {
        if (error !== null) this.#log.warn({ err: error }, 'the folder cannot be read; trying again');
      },
    });
  }

  #tell(problem: FileProblem): void {
    const key = `${problem.code} ${problem.file}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#events.problem(problem);
  }

  #durationMs(pair: FilePair): number {
    return (1000 * pair.samples) / this.#settings.geometry.sampleRateHz;
  }

  #startOf(pair: FilePair): FileStart {
    const { utcMs } = this.#settings;
    const durationMs = this.#durationMs(pair);
    if (utcMs === null) {
      return startByModification(pair.modifiedMs, pair.samples, this.#settings.geometry.sampleRateHz);
    }
    return { utcMs: Math.round(utcMs + (pair.file - this.#firstFile) * durationMs), source: 'given' };
  }

  async #sendFile(pair: FilePair, task: FileTask, stop: AbortSignal): Promise<void> {
    const { geometry, run } = this.#settings;
    const slices = slicesOf(pair, geometry.bins);
    const id: FileIdentity = { run, file: pair.file, slices, geometry, start: this.#startOf(pair) };
    this.#sayRemainder(pair);
    let sentSlices = task.fromMessage * task.slicesPerMessage;
    const batch = new Batch(async (records) => {
      await this.#send(task.partition, records);
      for (const { value } of records) sentSlices += value.length / sliceBytes(geometry.bins);
    });
    try {
      for await (const message of readMessages(
        pair,
        geometry.bins,
        task.slicesPerMessage,
        task.fromMessage,
      )) {
        await batch.add(buildRecord(id, message.index, message.first, message.value));
        if (stop.aborted) break;
      }
      await batch.flush();
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      this.#tell(error);
      return;
    }
    if (sentSlices < slices) {
      this.#unfinished.set(pair.file, sentSlices);
      return;
    }
    this.#files++;
    this.#events.sent(pair.file, slices * sliceBytes(geometry.bins));
  }

  #sayRemainder(pair: FilePair): void {
    const rest = remainderOf(pair, this.#settings.geometry.bins);
    if (rest === 0) return;
    this.#log.info(
      { file: pair.file, samples: rest },
      'samples at the end make no whole slice and are not sent',
    );
  }

  /** One message in the existing producer's form. */
  async #sendPlain({ file, partition, message, slicesPerMessage }: PlainTask): Promise<void> {
    const { bins } = this.#settings.geometry;
    const pair = await findPair(this.#our(), file);
    if (pair === null) return;
    const reader = await PairReader.open(pair, bins);
    try {
      const { value } = await reader.read(message, slicesPerMessage);
      await this.#send(partition, [buildPlainRecord(file, message, value)]);
    } finally {
      await reader.close();
    }
  }

  async #send(partition: number, records: readonly ChunkRecord[]): Promise<void> {
    await this.#port.send(partition, records);
    this.#acknowledgedMs = performance.now();
    this.#messages += records.length;
    for (const { value } of records) this.#bytes += value.length;
  }
}

/** The system's code, `ENOENT`; of other errors, what they say. */
const reasonOf = (error: unknown): string => {
  const { errno, code } = error as NodeJS.ErrnoException;
  if (errno !== undefined && code !== undefined) return code;
  return error instanceof Error ? error.message : String(error);
};

/** Messages of one file that go in one request: as many as fit about 1 MB. */
class Batch {
  readonly #send: (records: readonly ChunkRecord[]) => Promise<void>;
  #records: ChunkRecord[] = [];
  #bytes = 0;

  constructor(send: (records: readonly ChunkRecord[]) => Promise<void>) {
    this.#send = send;
  }

  /** Sends when another one like this would not fit. */
  async add(record: ChunkRecord): Promise<void> {
    this.#records.push(record);
    this.#bytes += record.value.length;
    if (this.#bytes + record.value.length > MAX_MESSAGE_VALUE_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const records = this.#records;
    if (records.length === 0) return;
    this.#records = [];
    this.#bytes = 0;
    await this.#send(records);
  }
}

/** Work in parallel, but in order within each partition. The first failure stops the rest at its next message. */
class Lanes {
  readonly #running = new Map<number, Promise<void>>();
  readonly #controller = new AbortController();
  readonly #stop: AbortSignal;
  readonly #forward = (): void => this.#controller.abort();
  #failure: { readonly error: unknown } | null = null;

  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener('abort', this.#forward, { once: true });
    if (stop.aborted) this.#forward();
  }

  /** Aborts when nothing more shall be begun. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Starts the work when its partition and a lane are free; does not wait for its end. */
  async run(partition: number, work: () => Promise<void>): Promise<void> {
    await this.#running.get(partition);
    while (this.#running.size >= LANES) await Promise.race(this.#running.values());
    if (this.signal.aborted) return;
    const done = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#controller.abort();
      })
      .finally(() => this.#running.delete(partition));
    this.#running.set(partition, done);
  }

  async finished(): Promise<void> {
    await Promise.all(this.#running.values());
    this.#stop.removeEventListener('abort', this.#forward);
  }

  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
