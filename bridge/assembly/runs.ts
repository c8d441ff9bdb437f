/**
 * The runs that the bridge knows: their names, which of their files are published, and their run-wide sums.
 *
 * A run's name comes from the header or the configuration. When the sender starts again (a jump of the file number,
 * another log) the bridge goes on under `NAME~2`, so that nothing is dropped and nothing is mixed.
 */
import { addMoments, emptyMoments } from '../protocol/moments.ts';
import { NumberRanges } from './number-ranges.ts';
import { type Continuation, continueNumber, REORDER_FILES } from './numbering.ts';
import type { OpenFile } from './open-file.ts';
import { type Numbering, type Progress, type RunProgress, RUNS_WITH_SUMS } from './progress.ts';

export interface Placement {
  readonly run: string;
  readonly file: number;
  /** Set when the number jumped and a new run was begun for it. */
  readonly began: string | null;
}

export class Runs {
  readonly #bins: number;
  readonly #defaultName: string;
  /** In order of last publication. */
  readonly #runs = new Map<string, RunProgress>();
  readonly #generations = new Map<string, number>();
  readonly #highestFile = new Map<string, number>();

  constructor(bins: number, defaultName: string, progress: Progress | null) {
    this.#bins = bins;
    this.#defaultName = defaultName;
    for (const run of progress?.runs ?? []) this.#runs.set(run.name, run);
    for (const [name, generation] of Object.entries(progress?.numbering.generations ?? {})) {
      this.#generations.set(name, generation);
    }
    for (const [name, file] of Object.entries(progress?.numbering.highestFile ?? {}))
      this.#highestFile.set(name, file);
  }

  /** The run that publishes now: the last one published to, or the one that is waited for. */
  get current(): string {
    return [...this.#runs.keys()].at(-1) ?? this.nameOf(this.#defaultName);
  }

  names(): string[] {
    return [...this.#runs.keys()];
  }

  get(name: string): RunProgress | null {
    return this.#runs.get(name) ?? null;
  }

  isPublished(run: string, file: number): boolean {
    return this.#runs.get(run)?.published.has(file) ?? false;
  }

  /** Full name of a given one: itself, or its continuation. */
  nameOf(given: string): string {
    const generation = this.#generations.get(given) ?? 1;
    return generation === 1 ? given : `${given}~${generation}`;
  }

  /**
   * Run and full number of a record without headers. Right after a jump, partitions that lag still bring files of
   * the run before: a number close to where that run ended, and not close to the new one, belongs to the old.
   */
  placeHeaderless(file16: number): Placement {
    const given = this.#defaultName;
    const run = this.nameOf(given);
    const highest = this.#highestFile.get(run) ?? null;
    const next = continueNumber(file16, highest);
    const before = this.#nameBefore(given);
    if (before !== null && !isClose(next, highest)) {
      const end = this.#highestFile.get(before) ?? null;
      const earlier = continueNumber(file16, end);
      if (isClose(earlier, end)) return { run: before, file: earlier.file, began: null };
    }
    if (next.kind === 'continues') {
      this.#highestFile.set(run, Math.max(highest ?? 0, next.file));
      return { run, file: next.file, began: null };
    }
    const began = this.continueAs(given);
    this.#highestFile.set(began, next.file);
    return { run: began, file: next.file, began };
  }

  /** Begins the next continuation of a given name. */
  continueAs(given: string): string {
    this.#generations.set(given, (this.#generations.get(given) ?? 1) + 1);
    return this.nameOf(given);
  }

  /** Another log lies behind the same names: every known name continues under a new one. */
  continueAll(): void {
    const givens = new Set([...this.#runs.keys()].map((name) => name.split('~')[0] as string));
    for (const given of givens) this.continueAs(given);
  }

  /** Adds a complete file to its run. */
  publish(file: OpenFile): void {
    const run = this.#runs.get(file.run) ?? this.#newRun(file.run);
    run.sums ??= emptyMoments(this.#bins);
    addMoments(run.sums, file.moments);
    run.published.add(file.number);
    run.slices += file.moments.count;
    run.lastFile = Math.max(run.lastFile, file.number);
    run.firstUtcMs = minDefined(run.firstUtcMs, file.startUtcMs);
    run.lastUtcMs = -minDefined(-run.lastUtcMs, -file.newestUtcMs);
    this.#runs.delete(file.run);
    this.#runs.set(file.run, run);
    for (const old of [...this.#runs.values()].slice(0, -RUNS_WITH_SUMS)) old.sums = null;
  }

  toProgress(): Pick<Progress, 'bins' | 'runs'> {
    return { bins: this.#bins, runs: [...this.#runs.values()] };
  }

  /** How numbers are continued now; reading again from here gives every record the same number. */
  numbering(): Numbering {
    return {
      generations: Object.fromEntries(this.#generations),
      highestFile: Object.fromEntries(this.#highestFile),
    };
  }

  #nameBefore(given: string): string | null {
    const generation = this.#generations.get(given) ?? 1;
    if (generation === 1) return null;
    return generation === 2 ? given : `${given}~${generation - 1}`;
  }

  #newRun(name: string): RunProgress {
    const nan = Number.NaN;
    return {
      name,
      published: new NumberRanges(),
      slices: 0,
      firstUtcMs: nan,
      lastUtcMs: nan,
      lastFile: 0,
      sums: null,
    };
  }
}

const isClose = (next: Continuation, highest: number | null): boolean =>
  next.kind === 'continues' && highest !== null && Math.abs(next.file - highest) <= REORDER_FILES;

const minDefined = (a: number, b: number): number =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b);
