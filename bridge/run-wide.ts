/**
 * Run-wide figures as they are committed, over all parts of the input: those that this bridge reads and those that
 * others do. A part is what has one progress record.
 */
import type { RunProgress } from './assembly/progress.ts';
import { addMoments, emptyMoments, type SpectrumMoments } from './protocol/moments.ts';
import type { BridgeState } from './protocol/state.ts';
import { isoUtc } from './protocol/utc.ts';

export interface RunFigures {
  readonly name: string;
  /** In the average, as everything that follows. */
  readonly files: number;
  readonly slices: number;
  /** When an operator reset the average, Unix ms; NaN: never. */
  readonly resetUtcMs: number;
  /** Unix ms; NaN where no sender said. */
  readonly firstUtcMs: number;
  readonly lastUtcMs: number;
  /** Newest published file. */
  readonly lastFile: number;
  /** Null for a run that has left memory. */
  readonly sums: SpectrumMoments | null;
}

export class RunWide {
  /** Per part, runs in order of last publication. */
  readonly #parts = new Map<number, Map<string, RunFigures>>();

  /** Replaces all that is known of a part. */
  set(part: number, runs: readonly RunProgress[]): void {
    this.#parts.set(part, new Map(runs.map((run) => [run.name, figuresOf(run)])));
  }

  /** A file has been committed to this run. */
  committed(part: number, run: RunProgress): void {
    const runs = this.#parts.get(part) ?? new Map<string, RunFigures>();
    runs.delete(run.name);
    runs.set(run.name, figuresOf(run));
    this.#parts.set(part, runs);
  }

  /** Over all parts; null for a run of which no part knows anything. */
  get(name: string): RunFigures | null {
    const known = [...this.#parts.values()].flatMap((runs) => runs.get(name) ?? []);
    const [first, ...others] = known;
    if (first === undefined) return null;
    return others.length === 0 ? first : merged(known, first);
  }

  /** The run with the newest data; where senders tell no time, the one that a part published to last. Null: none. */
  newest(): string | null {
    const last = [...this.#parts.values()].flatMap((runs) => [...runs.values()].at(-1) ?? []);
    const age = ({ lastUtcMs }: RunFigures): number => (Number.isNaN(lastUtcMs) ? -Infinity : lastUtcMs);
    return (
      last.reduce<RunFigures | null>((a, b) => (a !== null && age(a) > age(b) ? a : b), null)?.name ?? null
    );
  }
}

/** A copy, because the assembler's own goes on to what is not yet committed. */
function figuresOf(run: RunProgress): RunFigures {
  const { name, averaged, slices, resetUtcMs, firstUtcMs, lastUtcMs, lastFile, sums } = run;
  return {
    name,
    files: averaged,
    slices,
    resetUtcMs,
    firstUtcMs,
    lastUtcMs,
    lastFile,
    sums: sums && copyOf(sums),
  };
}

const copyOf = ({ count, mean, m2, time }: SpectrumMoments): SpectrumMoments => ({
  count,
  mean: mean.slice(),
  m2: m2.slice(),
  time: { ...time },
});

function merged(parts: readonly RunFigures[], { name, sums }: RunFigures): RunFigures {
  const total = (of: (part: RunFigures) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const utcs = (of: (part: RunFigures) => number): number[] =>
    parts.map(of).filter((ms) => !Number.isNaN(ms));
  const first = utcs(({ firstUtcMs }) => firstUtcMs);
  const last = utcs(({ lastUtcMs }) => lastUtcMs);
  return {
    name,
    files: total(({ files }) => files),
    slices: total(({ slices }) => slices),
    firstUtcMs: first.length === 0 ? Number.NaN : Math.min(...first),
    lastUtcMs: last.length === 0 ? Number.NaN : Math.max(...last),
    // Bridges that share the work reset nothing.
    resetUtcMs: Number.NaN,
    lastFile: Math.max(...parts.map(({ lastFile }) => lastFile)),
    sums: parts.every((part) => part.sums !== null) ? sumsOf(parts, sums?.mean.length ?? 0) : null,
  };
}

function sumsOf(parts: readonly RunFigures[], bins: number): SpectrumMoments {
  const sums = emptyMoments(bins);
  for (const part of parts) if (part.sums !== null) addMoments(sums, part.sums);
  return sums;
}

/** The figures as every client sees them. */
export const emptyRunState = (name: string): BridgeState['run'] => ({
  name,
  filesDone: 0,
  slicesDone: 0,
  resetUtc: null,
  firstUtc: null,
  lastUtc: null,
});

export const runState = (run: RunFigures): BridgeState['run'] => ({
  name: run.name,
  filesDone: run.files,
  slicesDone: run.slices,
  resetUtc: isoUtc(run.resetUtcMs),
  firstUtc: isoUtc(run.firstUtcMs),
  lastUtc: isoUtc(run.lastUtcMs),
});
