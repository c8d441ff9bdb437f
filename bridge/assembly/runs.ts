/**
 * The runs that the bridge knows: their names, which of their files are published, and their run-wide sums.
 *
 * A run's name comes from the header or the configuration. When the sender starts again (a jump of the file number,
 * other content under a published number, another log) the bridge goes on under `NAME~2`, so that nothing is dropped
 * and nothing is mixed. All continuations of a name are its generations.
 */
import { addMoments, emptyMoments } from '../protocol/moments.ts';
import { givenRunName, MAX_GENERATION } from '../protocol/run-name.ts';
import { KEY_FILE_MODULUS } from '../records.ts';
import { continueNumber, type FilePlace, nearNumber } from './numbering.ts';
import type { OpenFile } from './open-file.ts';
import { type Numbering, type Progress, type RunProgress, RUNS_KEPT, RUNS_WITH_SUMS } from './progress.ts';
import { PublishedFiles, trimPublished } from './published-files.ts';

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
  readonly #firstGenerations = new Map<string, number>();
  readonly #newestFile = new Map<string, number>();

  constructor(bins: number, defaultName: string, progress: Progress | null) {
    this.#bins = bins;
    this.#defaultName = defaultName;
    for (const run of progress?.runs ?? []) this.#runs.set(run.name, run);
    for (const [name, generation] of Object.entries(progress?.numbering.generations ?? {})) {
      this.#generations.set(name, generation);
    }
    for (const [name, generation] of Object.entries(progress?.numbering.firstGenerations ?? {})) {
      this.#firstGenerations.set(name, generation);
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
    return this.#runs.get(run)?.files.has(file) ?? false;
  }

  /** Full name of a given one: itself, or its newest continuation. */
  nameOf(given: string): string {
    return generationName(given, this.#generations.get(given) ?? 1);
  }

  /** Runs that continue this one, oldest first. */
  continuationsOf(run: string): string[] {
    const names = this.#namesOf(run);
    return names.slice(names.indexOf(run) + 1);
  }

  /** A run and all that continue its name, or that it continues; oldest first. */
  #namesOf(run: string): string[] {
    const given = givenRunName(run);
    const count = this.#generations.get(given) ?? 1;
    return Array.from({ length: count }, (_, k) => generationName(given, k + 1));
  }

  /**
   * Run of a record that says its own, in a partition that has brought none of it yet: it is not known whether it has
   * come to where a sender began anew, so the content will tell.
   */
  firstOf(given: string): string {
    return generationName(given, this.#firstGenerations.get(given) ?? 1);
  }

  /**
   * Run and full number of a record without headers.
   * @param last the file before it in its partition; null where nothing has been read
   * @param received of the files of a run that are there as a whole and not yet published, the one with these low bits
   */
  placeHeaderless(
    file16: number,
    last: FilePlace | null,
    received: (run: string, file16: number) => number | null,
  ): Placement {
    const next = last && continueNumber(file16, last.file);
    if (last && next !== null) return this.#placed(this.#runAfter(last.run, next), next);
    const isOurs = last !== null && givenRunName(last.run) === this.#defaultName;
    const run = (isOurs ? this.continuationsOf(last.run)[0] : null) ?? this.nameOf(this.#defaultName);
    const newest = this.#newestFile.get(run);
    // A partition that had not yet come to a jump joins the run that another one has begun there.
    if (last?.run !== run) {
      const near = newest === undefined ? file16 : nearNumber(file16, newest);
      if (near !== null) return this.#placed(run, near);
    }
    // A sender that begins anew may be sending the very same files again: that is for their content to tell.
    const again = this.#runs.get(run)?.files.withLowBits(file16) ?? received(run, file16);
    if (again !== null) return this.#placed(run, again);
    const began = this.continueAs(this.#defaultName);
    return { ...this.#placed(began, file16), began };
  }

  /**
   * The run of a file that continues another one. Where somebody has given the bridge another name since, what the old run
   * has begun stays there, and what comes after it goes to the new one.
   */
  #runAfter(run: string, file: number): string {
    const isRenamed = givenRunName(run) !== this.#defaultName;
    return isRenamed && file > (this.#newestFile.get(run) ?? -1) ? this.nameOf(this.#defaultName) : run;
  }

  #placed(run: string, file: number): Placement {
    this.#newestFile.set(run, Math.max(this.#newestFile.get(run) ?? 0, file));
    return { run, file, began: null };
  }

  /** All messages of that file, as it is published under the run's name, if such a one is among them. */
  messagesWith({ run, file }: FilePlace, digest: number): readonly number[] | null {
    const messages = this.#generationsOf(run).map(({ files }) => files.messages.get(file) ?? []);
    return messages.find((each) => each.includes(digest)) ?? null;
  }

  /** Whether a file that comes again can be compared with what was published. */
  hasContent({ run, file }: FilePlace): boolean {
    return this.#generationsOf(run).some(({ files }) => files.contents.has(file));
  }

  /** The run that has published the same number with the same content; null where none has. */
  withContent({ run, file }: FilePlace, content: number): string | null {
    const isSame = ({ files }: RunProgress): boolean => files.contents.get(file) === content;
    return this.#generationsOf(run).find(isSame)?.name ?? null;
  }

  /** Where a file goes that has a published number and other content: into the next continuation of its run. */
  placeAnew(place: FilePlace, isHeaderless: boolean): Placement {
    const file = isHeaderless ? place.file % KEY_FILE_MODULUS : place.file;
    const began = this.continueAs(givenRunName(place.run));
    return { ...this.#placed(began, file), began };
  }

  /** Begins the next continuation of a given name; the last that has a name stays. */
  continueAs(given: string): string {
    this.#generations.set(given, Math.min((this.#generations.get(given) ?? 1) + 1, MAX_GENERATION));
    return this.nameOf(given);
  }

  /** Another log lies behind the same names: every known name continues under a new one. */
  continueAll(): void {
    const givens = new Set([...this.#runs.keys()].map(givenRunName));
    for (const given of givens) {
      this.continueAs(given);
      this.#firstGenerations.set(given, this.#generations.get(given) as number);
    }
  }

  /** Adds a complete file to its run. */
  publish(file: OpenFile): void {
    const run = this.#runs.get(file.run) ?? newRun(file.run);
    run.sums ??= emptyMoments(this.#bins);
    addMoments(run.sums, file.moments);
    run.files.add(file.number, file.content(), file.messageDigests());
    run.slices += file.moments.count;
    run.lastFile = Math.max(run.lastFile, file.number);
    run.firstUtcMs = minDefined(run.firstUtcMs, file.startUtcMs);
    run.lastUtcMs = -minDefined(-run.lastUtcMs, -file.newestUtcMs);
    this.#runs.delete(file.run);
    this.#runs.set(file.run, run);
    this.#trim();
  }

  toProgress(): Pick<Progress, 'bins' | 'runs'> {
    return { bins: this.#bins, runs: [...this.#runs.values()] };
  }

  numbering(): Numbering {
    return {
      generations: Object.fromEntries(this.#generations),
      firstGenerations: Object.fromEntries(this.#firstGenerations),
      newestFile: Object.fromEntries(this.#newestFile),
    };
  }

  #generationsOf(run: string): RunProgress[] {
    return this.#namesOf(run).flatMap((name) => this.#runs.get(name) ?? []);
  }

  /** What is kept of runs has bounds, so that the progress record has one. */
  #trim(): void {
    const runs = [...this.#runs.values()];
    for (const old of runs.slice(0, -RUNS_WITH_SUMS)) old.sums = null;
    for (const { name } of runs.slice(0, -RUNS_KEPT)) {
      this.#runs.delete(name);
      this.#newestFile.delete(name);
    }
    trimPublished([...this.#runs.values()].map(({ files }) => files));
  }
}

const generationName = (given: string, generation: number): string =>
  generation === 1 ? given : `${given}~${generation}`;

function newRun(name: string): RunProgress {
  const nan = Number.NaN;
  return {
    name,
    files: new PublishedFiles(),
    slices: 0,
    firstUtcMs: nan,
    lastUtcMs: nan,
    lastFile: 0,
    sums: null,
  };
}

const minDefined = (a: number, b: number): number =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b);
