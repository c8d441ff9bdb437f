/**
 * The progress record: all that the bridge must know to go on after a crash, written in the same atom as the
 * results it follows from.
 *
 *   ┌ 'HSPR' ┬ version u32 ┬ JSON bytes u32 ┬ reserved u32 ┬ JSON, padded to 8 ┬ per run with sums: mean, M2 ┐
 *   └ 4      ┴ 4           ┴ 4              ┴ 4            ┴ …                  ┴ 2 × f64[bins]             ┘
 *
 * The run-wide sums are in every record (48 KB at 3072 bins), so a restart reads one record and no results, and the
 * sums can never disagree with the files they contain.
 */
import type { IncompleteFile } from '../protocol/state.ts';
import type { SpectrumMoments, TimeSums } from '../protocol/moments.ts';
import { NumberRanges } from './number-ranges.ts';
import type { PartitionProgress } from './positions.ts';

export const PROGRESS_VERSION = 1;

/** Runs whose sums are kept; of older ones only which files they have. */
export const RUNS_WITH_SUMS = 2;

export interface RunProgress {
  readonly name: string;
  readonly published: NumberRanges;
  slices: number;
  /** Start of the first and end of the last published file, Unix ms; NaN where no sender said. */
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
}

/** The record cannot be read: damaged, or written by a later version. */
export class ProgressError extends Error {
  override readonly name = 'ProgressError';
}

const MAGIC = Buffer.from('HSPR');
const HEAD_BYTES = 16;
const pad8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

interface RunJson {
  readonly name: string;
  readonly published: readonly (readonly [number, number])[];
  readonly slices: number;
  readonly firstUtcMs: number | null;
  readonly lastUtcMs: number | null;
  readonly lastFile: number;
  /** Count and time sums where mean and M2 follow. */
  readonly sums: { readonly count: number; readonly time: Record<keyof TimeSums, number | null> } | null;
}

interface ProgressJson extends Omit<Progress, 'runs'> {
  readonly runs: readonly RunJson[];
}

export function encodeProgress(progress: Progress): Buffer {
  const json = Buffer.from(JSON.stringify({ ...progress, runs: progress.runs.map(runToJson) }));
  const arrays = progress.runs.flatMap(({ sums }) => (sums ? [sums.mean, sums.m2] : []));
  const start = HEAD_BYTES + pad8(json.length);
  const out = Buffer.alloc(start + arrays.length * progress.bins * 8);
  MAGIC.copy(out, 0);
  out.writeUInt32LE(PROGRESS_VERSION, 4);
  out.writeUInt32LE(json.length, 8);
  json.copy(out, HEAD_BYTES);
  let at = start;
  for (const array of arrays) {
    for (const value of array) at = out.writeDoubleLE(value, at);
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
  if (version !== PROGRESS_VERSION) {
    throw new ProgressError(
      `expected progress of version ${PROGRESS_VERSION}, found ${version}: run the version that wrote it, or newer`,
    );
  }
  const jsonBytes = record.readUInt32LE(8);
  const json = JSON.parse(record.toString('utf8', HEAD_BYTES, HEAD_BYTES + jsonBytes)) as ProgressJson;
  const arrays = json.runs.filter((run) => run.sums !== null).length * 2;
  const start = HEAD_BYTES + pad8(jsonBytes);
  if (record.length !== start + arrays * json.bins * 8) {
    throw new ProgressError(`a progress record of ${record.length} bytes is cut short or damaged`);
  }
  let at = start;
  const next = (): Float64Array => {
    const array = new Float64Array(json.bins);
    for (let k = 0; k < json.bins; k++, at += 8) array[k] = record.readDoubleLE(at);
    return array;
  };
  return { ...json, runs: json.runs.map((run) => runFromJson(run, next)) };
}

/** JSON knows neither NaN nor the infinities of empty sums; each field says which one null stands for. */
function runToJson(run: RunProgress): RunJson {
  return {
    name: run.name,
    published: run.published.toJSON(),
    slices: run.slices,
    firstUtcMs: run.firstUtcMs,
    lastUtcMs: run.lastUtcMs,
    lastFile: run.lastFile,
    sums: run.sums && { count: run.sums.count, time: { ...run.sums.time } },
  };
}

function runFromJson(run: RunJson, next: () => Float64Array): RunProgress {
  return {
    ...run,
    firstUtcMs: run.firstUtcMs ?? Number.NaN,
    lastUtcMs: run.lastUtcMs ?? Number.NaN,
    published: new NumberRanges(run.published),
    sums: run.sums && { count: run.sums.count, mean: next(), m2: next(), time: timeFromJson(run.sums.time) },
  };
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
