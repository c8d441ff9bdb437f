/**
 * Offline session: what has been dropped goes through the engine into one sum.
 *
 *   drop ─▶ intake ─▶ survey ─▶ a person chooses ─▶ queue ─▶ engine ─▶ sum, row, spectrum of each file
 *
 * More may be dropped and started at any time. A file counts once: by path, length and time of modification.
 */
import type { SpectrumFrame } from '../../../bridge/protocol/frames.ts';
import { peakOf } from '../../../bridge/protocol/clipping.ts';
import type { FileProblem } from '../../../bridge/protocol/pairs.ts';
import { DoneFiles } from '../../offline/browser/done-files.ts';
import { Keeper } from '../../offline/browser/keeper.ts';
import type { CountedFile, KeptFile, KeptSession } from '../../offline/browser/kept-session.ts';
import type { EnginePreference } from '../../engine/choose.ts';
import { type EngineDescription, EngineError, type SpectrumEngine } from '../../engine/engine.ts';
import { analyze, type Measured, RunSum } from '../../offline/analysis.ts';
import type {
  ExportedFile,
  ExportFormat,
  Found,
  KeptRoots,
  MeasuredFile,
  OfflinePhase,
  OfflineSettings,
  OfflineStatus,
  Pace,
  PlainProblem,
  Survey,
} from '../../offline/browser/types.ts';
import { missingText } from '../../offline/missing.ts';
import { describer } from '../../offline/output.ts';
import { type Recording, slicesOf } from '../../offline/recording.ts';
import { measureAlone, paceOf } from './alone.ts';
import { type CreateEngine, EngineSlot } from './engine-slot.ts';
import { sidecarsOf, spectrumFile } from './exported.ts';
import { asPlain, type Common, identityOf, Intake, type Looked, type SavedFile } from './intake.ts';
import { Progress } from './progress.ts';
import { Shelf, spectrumOf } from './spectra.ts';
import { type StatusOf, surveyOf } from './survey.ts';
import { Timeline } from './timeline.ts';

export interface OfflineEvents {
  status(status: OfflineStatus): void;
  engine(description: EngineDescription | null, trouble: string | null): void;
  /** All that were met while files were read. */
  problems(problems: readonly PlainProblem[]): void;
  measured(file: MeasuredFile): void;
  /** A spectrum to look at. */
  look(spectrum: SpectrumFrame): void;
  /** A file for the history. */
  file(spectrum: SpectrumFrame): void;
}

export interface OfflineOptions {
  readonly createEngine: CreateEngine;
  readonly events: OfflineEvents;
  /** Writes down what has to outlive a reload; nothing does unless given. */
  readonly keeper?: Keeper;
}

/** What there is once something has been started: the axis does not change any more. */
interface Started {
  readonly common: Common;
  readonly prefer: EnginePreference;
  readonly verify: boolean;
  readonly sum: RunSum;
}

/** 100 MB at 3072 bins; an hour has 858 files. */
const MOST_KEPT_SPECTRA = 4096;

const NOWHERE = Promise.resolve(null);

export class OfflineSession {
  readonly #events: OfflineEvents;
  readonly #keeper: Keeper;
  readonly #intake = new Intake();
  readonly #engines: EngineSlot;
  readonly #progress = new Progress();
  readonly #timeline = new Timeline();
  readonly #shelf = new Shelf();
  readonly #done = new DoneFiles();
  readonly #measured = new Map<string, CountedFile>();
  /** Largest |x| so far: where the digitiser's range ends. */
  #peak = 0;
  readonly #failed = new Map<string, FileProblem>();
  /** By path, in the order in which they are measured; one that is in hand is still there. */
  readonly #queue = new Map<string, Recording>();
  #newest: MeasuredFile | null = null;
  #looked: Looked | null = null;
  /** Paths that were asked for; all with null. */
  #asked: readonly string[] | null = [];
  #started: Started | null = null;
  #phase: OfflinePhase = 'empty';
  #trouble: string | null = null;
  #shown: string | null = null;
  #missing = '';
  #stop = new AbortController();
  #giveUp = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor({ createEngine, events, keeper = new Keeper(NOWHERE) }: OfflineOptions) {
    this.#events = events;
    this.#keeper = keeper;
    this.#engines = new EngineSlot(createEngine, (description) => events.engine(description, null));
  }

  /** To be called in parts of some hundred files: each part is one message to the worker. */
  add(found: Found): void {
    this.#intake.add(found);
    const paths = new Set(found.entries.map(({ path }) => path));
    const before = this.#failed.size;
    // What could not be read may have become readable since.
    for (const [identity, { file }] of this.#failed) if (paths.has(file)) this.#failed.delete(identity);
    if (this.#failed.size < before) this.#tellProblems();
  }

  /** Everything that has been added, as far as names, sizes and sidecars tell. */
  async survey(settings: OfflineSettings): Promise<Survey> {
    const looked = await this.#look(settings);
    return surveyOf(looked, this.#started !== null, this.#statusOf);
  }

  /** How fast recordings are read and computed here: of one that is there, without counting it. */
  async pace(settings: OfflineSettings): Promise<Pace> {
    const looked = this.#looked ?? (await this.#look(settings));
    const { common, recordings } = looked;
    // An engine that is at work is asked, never replaced.
    const engine = await this.#engine(common, this.#started?.prefer ?? settings.engine);
    const { name } = engine.description;
    if (this.#isBusy()) return { engine: name, bytesPerSecond: this.#progress.figures().bytesPerSecond };
    const recording = recordings.find((each) => this.#statusOf(each) === 'new');
    if (recording === undefined) return { engine: name, bytesPerSecond: null };
    return { engine: name, bytesPerSecond: await paceOf(engine, common.geometry, recording) };
  }

  /**
   * Recordings and saved results with these paths, all with null; what is done or waits already is passed over.
   * Returns when they are in the queue.
   */
  async start(
    paths: readonly string[] | null,
    settings: OfflineSettings,
    roots: KeptRoots | null = null,
  ): Promise<void> {
    const looked = await this.#look(settings);
    const wanted = paths === null ? null : new Set(paths);
    const isNew = (what: Recording | SavedFile): boolean =>
      (wanted?.has(what.path) ?? true) && this.#statusOf(what) === 'new';
    const recordings = looked.recordings.filter(isNew);
    const saved = looked.saved.filter(isNew);
    if (recordings.length + saved.length === 0) return;
    const started = this.#begin(looked.common, settings);
    this.#ask(paths, roots);
    for (const file of saved) this.#merge(started, file);
    const isAtRest = !this.#isBusy();
    if (isAtRest) this.#progress.begin(performance.now());
    for (const recording of recordings) this.#queue.set(recording.path, recording);
    this.#progress.ask(recordings);
    if (isAtRest) this.#work = this.#measureAll(started);
    this.#tell();
  }

  /** Ends after the recordings in hand; the second time at once. What is done stays. */
  cancel(): void {
    if (this.#phase === 'measuring') {
      this.#phase = 'stopping';
      this.#stop.abort();
    } else if (this.#phase === 'stopping') {
      this.#giveUp.abort();
    }
    this.#tell();
  }

  /** Nothing is measured any more. */
  rest(): Promise<void> {
    return this.#work;
  }

  /**
   * Shows the spectrum of this recording as the latest one; null follows the measurement again. One whose spectrum
   * is not kept any more is measured again.
   * @throws {FileProblem} @throws {EngineError} it cannot be read again
   */
  async show(path: string | null): Promise<void> {
    const wanted = path ?? this.#newest?.path;
    if (wanted === undefined) return;
    const spectrum = this.#shelf.get(wanted) ?? (await this.#again(wanted));
    if (spectrum === null) return;
    this.#shown = path;
    this.#events.look(spectrum);
    this.#tell();
  }

  /**
   * The run-wide sum, or one recording, as files.
   * @throws {FileProblem} @throws {EngineError} the recording cannot be read again
   */
  async export(format: ExportFormat, path: string | null): Promise<readonly ExportedFile[]> {
    const started = this.#started;
    if (started === null) return [];
    const { run, window, geometry } = started.common;
    if (format === 'sigmf') return path === null ? [] : sidecarsOf(this.#recording(path), geometry);
    const describe = describer(run, window, geometry);
    if (path === null) return [spectrumFile(describe.run(started.sum, this.#missingNow()), format)];
    const measured = await this.#measureAgain(path);
    return measured === null ? [] : [spectrumFile(describe.recording(measured), format)];
  }

  async #look(settings: OfflineSettings): Promise<Looked> {
    this.#looked = await this.#intake.look(settings, this.#started?.common ?? null);
    return this.#looked;
  }

  readonly #statusOf: StatusOf = (what) => {
    if (this.#done.has(what)) return 'done';
    const failed = this.#failed.get(identityOf(what));
    if (failed !== undefined) return asPlain(failed);
    return this.#queue.has(what.path) ? 'queued' : 'new';
  };

  #begin(common: Common, settings: OfflineSettings): Started {
    if (this.#started === null) {
      const { engine: prefer, verify } = settings;
      this.#started = { common, prefer, verify, sum: new RunSum(common.geometry.bins) };
      this.#keeper.begin({ settings, ...common });
      this.#tell();
    }
    return this.#started;
  }

  /** Of several starts, what any of them asked for. */
  #ask(paths: readonly string[] | null, roots: KeptRoots | null): void {
    const before = this.#asked;
    this.#asked = paths === null || before === null ? null : [...before, ...paths];
    this.#keeper.ask({ paths: this.#asked, roots });
  }

  /**
   * Goes on with a session of an earlier visit: its sum is there at once, its files as they come again.
   * @param eachFile gives every file that is in its sum
   */
  async restore(
    kept: KeptSession,
    eachFile: (take: (file: KeptFile) => void) => Promise<void>,
  ): Promise<void> {
    if (this.#started !== null) return;
    const { settings, run, geometry, window } = kept;
    const sum = RunSum.of(kept);
    const { engine: prefer, verify } = settings;
    const started = { common: { run, geometry, window }, prefer, verify, sum };
    this.#started = started;
    this.#asked = kept.paths;
    this.#peak = peakOf(sum.moments.time);
    this.#phase = 'stopped';
    await eachFile((file) => this.#recall(file));
    const newest = this.#newest === null ? undefined : this.#shelf.get(this.#newest.path);
    if (newest !== undefined) this.#events.look(newest);
    this.#showRun(started);
    this.#tell();
  }

  #recall({ identity, file, spectrum }: KeptFile): void {
    this.#done.add(identity);
    if (file === null) return;
    this.#remember(file);
    if (spectrum === null) return;
    this.#shelf.put(file.path, spectrum);
    this.#events.file(spectrum);
  }

  #remember({ time, ...file }: CountedFile): void {
    this.#measured.set(file.path, { ...file, time });
    this.#newest = file;
    this.#events.measured(file);
  }

  #merge({ sum }: Started, file: SavedFile): void {
    for (const { moments, files, startMs, endMs } of file.spectra) sum.add(moments, files, startMs, endMs);
    this.#done.add(file);
    const { path, bytes, modifiedMs } = file;
    this.#keeper.took({ identity: { path, bytes, modifiedMs }, file: null, spectrum: null }, () => sum);
  }

  async #measureAll(started: Started): Promise<void> {
    this.#phase = 'measuring';
    this.#trouble = null;
    this.#stop = new AbortController();
    this.#giveUp = new AbortController();
    try {
      this.#showRun(started);
      // More may be asked for while these are measured.
      while (this.#queue.size > 0 && !this.#stop.signal.aborted)
        await this.#measureBatch(started, [...this.#queue.values()]);
      this.#phase = this.#queue.size > 0 ? 'stopped' : 'done';
    } catch (error) {
      this.#fail(error);
    }
    this.#keeper.flush();
    this.#progress.drop([...this.#queue.values()]);
    this.#queue.clear();
    this.#missing = this.#missingNow();
    this.#tell();
  }

  /** @throws {EngineError} */
  async #measureBatch(started: Started, batch: readonly Recording[]): Promise<void> {
    const { common, prefer } = started;
    const { bins } = common.geometry;
    const engine = await this.#engine(common, prefer);
    const signals = { stop: this.#stop.signal, giveUp: this.#giveUp.signal };
    await analyze(
      batch,
      { engine, geometry: common.geometry, verify: started.verify, ...signals, peak: this.#peak },
      {
        measured: (measured) => this.#take(started, measured),
        problem: (problem, recording) => this.#refuse(recording, problem),
        read: (bytes, recording) => {
          this.#progress.read(recording, bytes, bins, performance.now());
          this.#tell();
        },
      },
    );
  }

  #fail(error: unknown): void {
    this.#engines.drop();
    this.#phase = 'failed';
    this.#trouble = error instanceof Error ? error.message : String(error);
    if (error instanceof EngineError) this.#events.engine(null, this.#trouble);
  }

  #finish(recording: Recording): void {
    this.#queue.delete(recording.path);
    this.#progress.finish(recording, performance.now());
  }

  #take(started: Started, measured: Measured): void {
    const { recording, moments } = measured;
    started.sum.add(moments, 1, measured.startMs, measured.endMs);
    this.#done.add(recording);
    this.#finish(recording);
    const placed = this.#timeline.place(recording, measured);
    const file: MeasuredFile = {
      path: recording.path,
      file: recording.file ?? this.#measured.size,
      slices: moments.count,
      ...placed,
    };
    this.#peak = Math.max(this.#peak, peakOf(moments.time));
    const spectrum = this.#spectrum(started.common, file, recording, measured);
    this.#shelf.put(recording.path, spectrum);
    const counted: CountedFile = { ...file, time: moments.time };
    this.#remember(counted);
    this.#events.file(spectrum);
    this.#keep(recording, counted, spectrum, started);
    if (this.#shown === null) this.#events.look(spectrum);
    this.#showRun(started);
    this.#tell();
  }

  #keep(
    { path, bytes, modifiedMs }: Recording,
    file: CountedFile,
    spectrum: SpectrumFrame,
    { sum }: Started,
  ): void {
    const isAmongFirst = this.#measured.size <= MOST_KEPT_SPECTRA;
    const identity = { path, bytes, modifiedMs };
    this.#keeper.took({ identity, file, spectrum: isAmongFirst ? spectrum : null }, () => sum);
  }

  #spectrum(common: Common, file: MeasuredFile, recording: Recording, { moments }: Measured): SpectrumFrame {
    return spectrumOf(moments, common, {
      trace: 'latest',
      file: file.file,
      files: 1,
      slicesExpected: slicesOf(recording, common.geometry.bins),
      newestUtcMs: file.endMs,
    });
  }

  #showRun({ common, sum }: Started): void {
    if (sum.moments.count === 0) return;
    const what = {
      trace: 'run',
      file: this.#newest?.file ?? 0,
      files: sum.files,
      slicesExpected: 0,
    } as const;
    this.#events.look(spectrumOf(sum.moments, common, { ...what, newestUtcMs: sum.lastMs }));
  }

  #refuse(recording: Recording, problem: FileProblem): void {
    this.#failed.set(identityOf(recording), problem);
    this.#finish(recording);
    this.#tellProblems();
    this.#tell();
  }

  #tellProblems(): void {
    this.#events.problems([...this.#failed.values()].map(asPlain));
  }

  #recording(path: string): Recording | null {
    return this.#looked?.recordings.find((recording) => recording.path === path) ?? null;
  }

  /** The spectrum of a file that is in the sum already. @throws {FileProblem} @throws {EngineError} */
  async #again(path: string): Promise<SpectrumFrame | null> {
    const measured = await this.#measureAgain(path);
    const file = this.#measured.get(path);
    if (measured === null || file === undefined || this.#started === null) return null;
    const spectrum = this.#spectrum(this.#started.common, file, measured.recording, measured);
    this.#shelf.put(path, spectrum);
    return spectrum;
  }

  /** All digits of one recording. @throws {FileProblem} @throws {EngineError} */
  async #measureAgain(path: string): Promise<Measured | null> {
    const recording = this.#recording(path);
    if (recording === null || this.#started === null) return null;
    const { common, prefer } = this.#started;
    const engine = await this.#engine(common, prefer);
    const again = await measureAlone(engine, common.geometry, recording);
    if (again === null) return null;
    // How many were clipped follows from what came before it.
    const time = this.#measured.get(path)?.time ?? again.moments.time;
    return { ...again, moments: { ...again.moments, time } };
  }

  #engine({ geometry, window }: Common, prefer: EnginePreference): Promise<SpectrumEngine> {
    return this.#engines.get({ bins: geometry.bins, window, prefer });
  }

  #isBusy(): boolean {
    return this.#phase === 'measuring' || this.#phase === 'stopping';
  }

  #missingNow(): string {
    const { all, problems } = this.#looked ?? { all: [], problems: [] };
    const used = new Set(all.filter((recording) => this.#done.has(recording)));
    return missingText(all, used, [...problems, ...this.#failed.values()]);
  }

  #tell(): void {
    const started = this.#started;
    if (started === null) return;
    const { common, sum } = started;
    this.#events.status({
      ...this.#progress.figures(),
      ...common,
      phase: this.#phase,
      isFixed: true,
      files: sum.files,
      slices: sum.moments.count,
      firstMs: sum.firstMs,
      lastMs: sum.lastMs,
      missing: this.#missing,
      shown: this.#shown,
      displaced: this.#timeline.displaced,
      trouble: this.#trouble,
    });
  }
}
