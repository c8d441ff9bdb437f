/**
 * The progress record: all that the bridge must know to go on after a crash, written in the same atom as the
 * results it follows from.
 *
 *   ┌ 'HSPR' ┬ version u32 ┬ JSON bytes u32 ┬ reserved u32 ┬ JSON ┬ per run: sections, each padded to 8 ┐
 *   └ 4      ┴ 4           ┴ 4              ┴ 4            ┴ …    ┴ …                                   ┘
 *   sections of a run   mean f64[bins] · M2 f64[bins], where it has sums
 *                       published files u8[]           ranges
 *                       contents u32[]                 file, content, …
 *                       messages u32[]                 file, number of digests, the digests, …
 *
 * Version 1 had the published files in the JSON, and no other section but mean and M2. Version 2 knew no operators:
 * every result had the name of its sender's run, and every average went back to the run's beginning.
 *
 * The run-wide sums are in every record (48 KB at 3072 bins), so a restart reads one record and no results, and the
 * sums can never disagree with the files they contain. Whatever else grows with the run is bounded (`trimPublished`,
 * `RUNS_KEPT`, `INCOMPLETE_LISTED`), so that the record stays below the megabyte that brokers take by default.
 */
import * as v from 'valibot';
import type { IncompleteFile } from '../protocol/state.ts';
import type { SpectrumMoments, TimeSums } from '../protocol/moments.ts';
import { givenRunName } from '../protocol/run-name.ts';
import { NumberRanges } from './number-ranges.ts';
import { NO_OPERATIONS, type OperationsProgress } from './operations.ts';
import type { PartitionProgress } from './positions.ts';
import {
  firstProgressSchema,
  type ProgressJson,
  progressSchema,
  type SecondProgressJson,
  secondProgressSchema,
} from './progress-schema.ts';
import { PublishedFiles } from './published-files.ts';
import type { Title } from './titles.ts';

export const PROGRESS_VERSION = 3;

/** Runs whose sums are kept; of older ones only which files they have. */
export const RUNS_WITH_SUMS = 2;

/** Runs of which it is known which files they have: about 250 bytes each. */
export const RUNS_KEPT = 500;

/** Incomplete files that are listed, and characters of what one of them misses. */
export const INCOMPLETE_LISTED = 500;
export const MISSING_CHARACTERS = 200;

export interface RunProgress {
  readonly name: string;
  /** What this run of a sender has brought, under whatever name it was published. */
  readonly files: PublishedFiles;
  /** Files in the average. */
  averaged: number;
  /** When an operator reset the average, Unix ms; NaN: never. */
  resetUtcMs: number;
  /** In the average. */
  slices: number;
  /** Start of the first and end of the last file in the average, Unix ms; NaN where no sender said. */
  firstUtcMs: number;
  lastUtcMs: number;
  /** Newest published file. */
  lastFile: number;
  /** Run-wide moments; null for a run that has left memory. */
  sums: SpectrumMoments | null;
}

/** How runs are continued; where each partition stands in them is in its own progress. */
export interface Numbering {
  /** Continuations of a run's name: run404 → 2 stands for `run404~2`. */
  readonly generations: Readonly<Record<string, number>>;
  /** Continuation of a name with which the log began: others were found in it, or began with it. */
  readonly firstGenerations: Readonly<Record<string, number>>;
  /** Newest file number of senders without headers, by run. */
  readonly newestFile: Readonly<Record<string, number>>;
}

export interface Progress {
  readonly bins: number;
  readonly partitions: readonly PartitionProgress[];
  /** Most recently published last. */
  readonly runs: readonly RunProgress[];
  readonly numbering: Numbering;
  readonly incomplete: readonly IncompleteFile[];
  readonly titles: readonly Title[];
  readonly operations: OperationsProgress;
}

/** The record cannot be read: damaged, or written by a later version. */
export class ProgressError extends Error {
  override readonly name = 'ProgressError';
}

const MAGIC = Buffer.from('HSPR');
const HEAD_BYTES = 16;
const pad8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

type RunJson = ProgressJson['runs'][number];

type Section = Float64Array | Uint32Array | Uint8Array;

export function encodeProgress(progress: Progress): Buffer {
  const runs = progress.runs.map(runToSections);
  const json = Buffer.from(JSON.stringify({ ...progress, runs: runs.map((run) => run.json) }));
  const sections = runs.flatMap((run) => run.sections);
  const start = HEAD_BYTES + pad8(json.length);
  const bytes = sections.reduce((sum, { byteLength }) => sum + pad8(byteLength), start);
  const out = Buffer.alloc(bytes);
  MAGIC.copy(out, 0);
  out.writeUInt32LE(PROGRESS_VERSION, 4);
  out.writeUInt32LE(json.length, 8);
  json.copy(out, HEAD_BYTES);
  let at = start;
  for (const { buffer, byteOffset, byteLength } of sections) {
    out.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += pad8(byteLength);
  }
  return out;
}

/** @throws {ProgressError} */
export function decodeProgress(record: Buffer): Progress {
  if (record.length < HEAD_BYTES || !record.subarray(0, 4).equals(MAGIC)) {
    throw new ProgressError(
      'this is no progress record: another program writes to the progress topic or store',
    );
  }
  const version = record.readUInt32LE(4);
  if (version < 1 || version > PROGRESS_VERSION) {
    throw new ProgressError(
      `expected progress of version 1 to ${PROGRESS_VERSION}, found ${version}: run the version that wrote it, or newer`,
    );
  }
  try {
    if (version === 1) return decodeFirst(record);
    return decodeLater(
      record,
      version === 2 ? asThird(jsonOf(record, secondProgressSchema)) : jsonOf(record, progressSchema),
    );
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new ProgressError(
      `a progress record of ${record.length} bytes is cut short or damaged (${error.message}): restore it, or delete it and the bridge begins anew`,
      { cause: error },
    );
  }
}

function asThird(json: SecondProgressJson): ProgressJson {
  const runs = json.runs.map((run) => ({ ...run, averaged: run.files.count, resetUtcMs: null }));
  return { ...json, runs, titles: [], operations: { log: [], annotations: [] } };
}

function decodeLater(record: Buffer, json: ProgressJson): Progress {
  const sections = new SectionReader(record);
  const runs = json.runs.map((run): RunProgress => {
    const sums = sumsFromJson(run.sums, json.bins, sections);
    const { ranges, contents, messages } = run.files;
    const files = new PublishedFiles(
      soundRanges(NumberRanges.fromBytes(sections.bytes(ranges))),
      contentsOf(sections.words(contents)),
      messagesOf(sections.words(messages)),
    );
    return runFromJson(run, files, sums);
  });
  sections.end();
  return { ...json, runs };
}

/** What that version did not know is null or empty; the reader says what follows from it. */
function decodeFirst(record: Buffer): Progress {
  const json = jsonOf(record, firstProgressSchema);
  const sections = new SectionReader(record);
  const runs = json.runs.map((run): RunProgress => {
    const sums = sumsFromJson(run.sums, json.bins, sections);
    const files = new PublishedFiles(soundRanges(new NumberRanges(run.published)));
    return runFromJson({ ...run, averaged: files.ranges.size, resetUtcMs: null }, files, sums);
  });
  sections.end();
  const partitions = json.partitions.map((each) => ({
    ...each,
    fileBefore: each.fileBefore && { ...each.fileBefore, shift: 0 },
    runsBefore: each.fileBefore ? { [givenRunName(each.fileBefore.run)]: each.fileBefore.run } : {},
    readTo: null,
    readBefore: null,
    switches: [],
  }));
  // All partitions followed the newest one.
  const numbering = { ...json.numbering, firstGenerations: json.numbering.generations };
  return { ...json, runs, numbering, partitions, titles: [], operations: NO_OPERATIONS };
}

/** @throws {SyntaxError | RangeError} */
function jsonOf<T>(record: Buffer, schema: v.GenericSchema<unknown, T>): T {
  const bytes = record.readUInt32LE(8);
  if (HEAD_BYTES + bytes > record.length) throw new RangeError('it ends within its JSON');
  const json: unknown = JSON.parse(record.toString('utf8', HEAD_BYTES, HEAD_BYTES + bytes));
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new RangeError(`${v.getDotPath(issue) ?? 'all of it'}: ${issue.message.slice(0, 100)}`);
}

/** @throws {RangeError} */
function soundRanges(ranges: NumberRanges): NumberRanges {
  if (!ranges.isSound) throw new RangeError('its published files are not in order');
  return ranges;
}

/** Reads the sections in their order; each as a copy, aligned. */
class SectionReader {
  readonly #record: Buffer;
  #at: number;

  constructor(record: Buffer) {
    this.#record = record;
    this.#at = HEAD_BYTES + pad8(record.readUInt32LE(8));
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (!(length >= 0) || end > this.#record.length) throw new RangeError('the record ends in a section');
    const section = Uint8Array.from(this.#record.subarray(this.#at, end));
    this.#at += pad8(length);
    return section;
  }

  words(length: number): Uint32Array {
    return new Uint32Array(this.bytes(4 * length).buffer);
  }

  doubles(length: number): Float64Array {
    return new Float64Array(this.bytes(8 * length).buffer);
  }

  end(): void {
    if (this.#at !== this.#record.length) throw new RangeError('the record has more than its sections');
  }
}

/** JSON knows neither NaN nor the infinities of empty sums; each field says which one null stands for. */
function runToSections(run: RunProgress): { readonly json: RunJson; readonly sections: readonly Section[] } {
  const ranges = run.files.ranges.toBytes();
  const contents = pairsOf(run.files.contents);
  const messages = Uint32Array.from(
    [...run.files.messages].flatMap(([file, digests]) => [file, digests.length, ...digests]),
  );
  const json = {
    name: run.name,
    files: {
      ranges: ranges.length,
      contents: contents.length,
      messages: messages.length,
    },
    averaged: run.averaged,
    resetUtcMs: run.resetUtcMs,
    slices: run.slices,
    firstUtcMs: run.firstUtcMs,
    lastUtcMs: run.lastUtcMs,
    lastFile: run.lastFile,
    sums: run.sums && { count: run.sums.count, time: { ...run.sums.time } },
  };
  return { json, sections: [...(run.sums ? [run.sums.mean, run.sums.m2] : []), ranges, contents, messages] };
}

/** Written with every result, so without an array for each of them. */
function pairsOf(contents: ReadonlyMap<number, number>): Uint32Array {
  const words = new Uint32Array(2 * contents.size);
  let at = 0;
  for (const [file, content] of contents) {
    words[at++] = file;
    words[at++] = content;
  }
  return words;
}

function runFromJson(
  run: Omit<RunJson, 'files'>,
  files: PublishedFiles,
  sums: SpectrumMoments | null,
): RunProgress {
  return {
    name: run.name,
    files,
    averaged: run.averaged,
    resetUtcMs: run.resetUtcMs ?? Number.NaN,
    slices: run.slices,
    firstUtcMs: run.firstUtcMs ?? Number.NaN,
    lastUtcMs: run.lastUtcMs ?? Number.NaN,
    lastFile: run.lastFile,
    sums,
  };
}

function sumsFromJson(sums: RunJson['sums'], bins: number, sections: SectionReader): SpectrumMoments | null {
  if (sums === null) return null;
  const [mean, m2] = [sections.doubles(bins), sections.doubles(bins)];
  const isSum = (value: number): boolean => value >= 0 && value < Infinity;
  if (!mean.every(isSum) || !m2.every(isSum)) throw new RangeError('its sums are no sums of powers');
  return { count: sums.count, mean, m2, time: timeFromJson(sums.time) };
}

function contentsOf(words: Uint32Array): Map<number, number> {
  if (words.length % 2 !== 0) throw new RangeError('a file has no content');
  const contents = new Map<number, number>();
  for (let at = 0; at < words.length; at += 2) contents.set(words[at] as number, words[at + 1] as number);
  return contents;
}

function messagesOf(words: Uint32Array): Map<number, readonly number[]> {
  const messages = new Map<number, readonly number[]>();
  for (let at = 0; at < words.length; ) {
    const [file, count] = [words[at] as number, words[at + 1] as number];
    if (!(at + 2 + count <= words.length)) throw new RangeError('it ends within the digests of a file');
    messages.set(file, [...words.subarray(at + 2, at + 2 + count)]);
    at += 2 + count;
  }
  return messages;
}

function timeFromJson(time: Record<keyof TimeSums, number | null>): TimeSums {
  return {
    samples: time.samples ?? 0,
    minI: time.minI ?? Infinity,
    maxI: time.maxI ?? -Infinity,
    minQ: time.minQ ?? Infinity,
    maxQ: time.maxQ ?? -Infinity,
    clipped: time.clipped ?? 0,
    sumI: time.sumI ?? 0,
    sumQ: time.sumQ ?? 0,
    sumII: time.sumII ?? 0,
    sumQQ: time.sumQQ ?? 0,
    sumIQ: time.sumIQ ?? 0,
  };
}
