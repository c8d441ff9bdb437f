/**
 * The runs that the bridge knows: their names, which of their files are published, and their run-wide sums.
 *
 * A run's name comes from the header or the configuration. When the sender starts again (a jump of the file number,
 * another log) the bridge goes on under `NAME~2`, so that nothing is dropped and nothing is mixed.
 */
import { addMoments, emptyMoments } from '../protocol/moments.ts';
import { givenRunName } from '../protocol/run-name.ts';
import { NumberRanges } from './number-ranges.ts';
import { continueNumber, type FilePlace, nearNumber } from './numbering.ts';
import type { OpenFile } from './open-file.ts';
import { type Numbering, type Progress, type RunProgress, RUNS_WITH_SUMS } from './progress.ts';

export interface Placement extends FilePlace {
  /** Set when the number jumped and a new run was begun for it. */
  readonly began: string | null;
}

export class Runs {
  readonly #bins: number;
  readonly #defaultName: string;
  /** In order of last publication. */
  readonly #runs = new Map<string, RunProgress>();
  readonly #generations = new Map<string, number>();
  readonly #newestFile = new Map<string, number>();

  constructor(bins: number, defaultName: string, progress: Progress | null) {
    this.#bins = bins;
    this.#defaultName = defaultName;
    for (const run of progress?.runs ?? []) this.#runs.set(run.name, run);
    for (const [name, generation] of Object.entries(progress?.numbering.generations ?? {})) {
      this.#generations.set(name, generation);
    }
    for (const [name, file] of Object.entries(progress?.numbering.newestFile ?? {}))
      this.#newestFile.set(name, file);
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
   * Run and full number of a record without headers.
   * @param last the file before it in its partition; null where nothing has been read
   */
  placeHeaderless(file16: number, last: FilePlace | null): Placement {
    const next = last && continueNumber(file16, last.file);
    if (last && next !== null) return this.#placed(last.run, next);
    const run = this.nameOf(this.#defaultName);
    const newest = this.#newestFile.get(run);
    // A partition that had not yet come to a jump joins the run that another one has begun.
    if (last?.run !== run) {
      const near = newest === undefined ? file16 : nearNumber(file16, newest);
      if (near !== null) return this.#placed(run, near);
    }
    const began = this.continueAs(this.#defaultName);
    return { ...this.#placed(began, file16), began };
  }

  #placed(run: string, file: number): Placement {
    this.#newestFile.set(run, Math.max(this.#newestFile.get(run) ?? 0, file));
    return { run, file, began: null };
  }

  /** Begins the next continuation of a given name. */
  continueAs(given: string): string {
    this.#generations.set(given, (this.#generations.get(given) ?? 1) + 1);
    return this.nameOf(given);
  }

  /** Another log lies behind the same names: every known name continues under a new one. */
  continueAll(): void {
    const givens = new Set([...this.#runs.keys()].map(givenRunName));
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

  numbering(): Numbering {
    return {
      generations: Object.fromEntries(this.#generations),
      newestFile: Object.fromEntries(this.#newestFile),
    };
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

const minDefined = (a: number, b: number): number =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b);
