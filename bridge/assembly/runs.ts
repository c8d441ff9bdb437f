/**
 * The runs that the bridge knows: their names, which of their files are published, and their run-wide sums.
 *
 * A run's name comes from the header or the configuration. When the sender starts again (a jump of the file number,
 * other content under a published number, another log) the bridge goes on under `NAME~2`, so that nothing is dropped
 * and nothing is mixed. All continuations of a name are its generations. Under which name results are published is
 * another matter, where an operator has begun a run: `titles.ts`.
 */
import { addMoments, emptyMoments } from '../protocol/moments.ts';
import { givenRunName, MAX_GENERATION } from '../protocol/run-name.ts';
import { KEY_FILE_MODULUS } from '../records.ts';
import { continueNumber, type FilePlace, nearNumber } from './numbering.ts';
import type { OpenFile } from './open-file.ts';
import { type Numbering, type Progress, type RunProgress, RUNS_KEPT, RUNS_WITH_SUMS } from './progress.ts';
import { PublishedFiles, trimPublished } from './published-files.ts';
import { Titles } from './titles.ts';

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
  readonly #titles: Titles;

  constructor(bins: number, defaultName: string, progress: Progress | null) {
    this.#bins = bins;
    this.#defaultName = defaultName;
    this.#titles = new Titles(progress?.titles ?? []);
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

  /** Name under which results are published now: of the last one, or of the run that is waited for. */
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

  /**
   * Begins the next continuation of a given name; the last that has a name stays. What an operator has called a run
   * goes on under the next continuation of that name.
   */
  continueAs(given: string): string {
    const title = this.#titles.lastOf(this.nameOf(given));
    this.#generations.set(given, Math.min((this.#generations.get(given) ?? 1) + 1, MAX_GENERATION));
    const run = this.nameOf(given);
    if (title !== null)
      this.#titles.begin({ run, from: 0, name: this.#titles.freeBehind(title, this.isTaken) });
    return run;
  }

  /** Another log lies behind the same names: every known name continues under a new one. */
  continueAll(): void {
    const givens = new Set([...this.#runs.keys()].map(givenRunName));
    for (const given of givens) {
      this.continueAs(given);
      this.#firstGenerations.set(given, this.#generations.get(given) as number);
    }
  }

  /** Name under which the result of a file is published. */
  titleOf(place: FilePlace): string {
    return this.#titles.of(place, this.isTaken);
  }

  /** Whether a run is called so, or was. */
  readonly isTaken = (name: string): boolean => {
    const generations = this.#generations.get(givenRunName(name));
    const isGeneration = generations !== undefined && this.#namesOf(name).includes(name);
    return this.#runs.has(name) || isGeneration || this.#titles.isTitle(name);
  };

  /** The sender's run whose data come now: the newest continuation of the one with the current name. */
  get source(): string {
    return this.nameOf(givenRunName(this.#titles.runOf(this.current)));
  }

  /** First file number of a sender's run above all that were published or, without headers, came. */
  nextFile(run: string): number {
    return 1 + Math.max(this.#runs.get(run)?.files.ranges.last ?? -1, this.#newestFile.get(run) ?? -1);
  }

  /** What the sender of the current run sends from this file on is published under a name that is not taken. */
  beginTitle(name: string, from: number): void {
    this.#titles.begin({ run: this.source, from, name });
    this.#runs.set(name, newRun(name));
  }

  /** The average of a run begins anew. Which files are published stays known. */
  resetAverage(run: RunProgress, utcMs: number): void {
    Object.assign(run, { ...noAverage(), resetUtcMs: utcMs });
  }

  /** Adds a complete file to its run. */
  publish(file: OpenFile): void {
    const title = this.titleOf({ run: file.run, file: file.number });
    this.#know(file, title);
    const run = this.#runs.get(title) ?? newRun(title);
    run.sums ??= emptyMoments(this.#bins);
    addMoments(run.sums, file.moments);
    run.averaged++;
    run.slices += file.moments.count;
    run.lastFile = Math.max(run.lastFile, file.number);
    run.firstUtcMs = minDefined(run.firstUtcMs, file.startUtcMs);
    run.lastUtcMs = -minDefined(-run.lastUtcMs, -file.newestUtcMs);
    this.#toTheEnd(run, file.run);
    this.#trim();
  }

  /** Published, under whatever name: what comes again is told by the sender's run. */
  #know(file: OpenFile, title: string): void {
    const run = this.#runs.get(file.run) ?? newRun(file.run);
    run.files.add(file.number, file.content(), file.messageDigests());
    this.#runs.set(file.run, run);
    // Its own name is that of another run: the title that was found for it stays.
    if (title !== file.run && this.#titles.lastOf(file.run) === null)
      this.#titles.begin({ run: file.run, from: 0, name: title });
  }

  /** The current one, but for a run that an operator has begun and whose first file is still to come. */
  #toTheEnd(run: RunProgress, source: string): void {
    const last = [...this.#runs.values()].at(-1);
    this.#runs.delete(run.name);
    this.#runs.set(run.name, run);
    if (last === undefined || last === run || !isUnused(last) || this.#titles.runOf(last.name) !== source)
      return;
    this.#runs.delete(last.name);
    this.#runs.set(last.name, last);
  }

  toProgress(): Pick<Progress, 'bins' | 'runs' | 'titles'> {
    return { bins: this.#bins, runs: [...this.#runs.values()], titles: this.#titles.list() };
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
    for (const old of runs.filter(({ sums }) => sums !== null).slice(0, -RUNS_WITH_SUMS)) old.sums = null;
    const { source } = this;
    for (const { name } of runs.slice(0, -RUNS_KEPT)) {
      // However long ago results were published under its own name: its files come now.
      if (name === source) continue;
      this.#runs.delete(name);
      this.#newestFile.delete(name);
    }
    trimPublished([...this.#runs.values()].map(({ files }) => files));
  }
}

const generationName = (given: string, generation: number): string =>
  generation === 1 ? given : `${given}~${generation}`;

const noAverage = () => ({
  averaged: 0,
  slices: 0,
  firstUtcMs: Number.NaN,
  lastUtcMs: Number.NaN,
  sums: null,
});

const newRun = (name: string): RunProgress => ({
  name,
  files: new PublishedFiles(),
  lastFile: 0,
  resetUtcMs: Number.NaN,
  ...noAverage(),
});

/** Nothing was ever published under its name. */
const isUnused = ({ averaged, resetUtcMs, files }: RunProgress): boolean =>
  averaged === 0 && Number.isNaN(resetUtcMs) && files.ranges.size === 0;

const minDefined = (a: number, b: number): number =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b);
