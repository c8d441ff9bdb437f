/**
 * The worker of the offline page: owns files, engine and sums, so that the page's thread does nothing but draw. The
 * page talks to it through Comlink and pulls what is new.
 */
import { expose, transfer } from 'comlink';
import type { AnalysisSettings } from '../analysis/analysis.ts';
import { createEngine } from '../engine/choose.ts';
import { Keeper } from '../offline/browser/keeper.ts';
import { SessionStore } from '../offline/browser/kept-session.ts';
import type {
  ExportedFile,
  ExportFormat,
  Found,
  KeptRoots,
  KeptSummary,
  OfflineSettings,
  Pace,
  SurveyHead,
  SurveyPart,
} from '../offline/browser/types.ts';
import { buffersOf } from './buffers.ts';
import { Collector, OFFLINE_PAUSE_MS } from './collector.ts';
import { type EngineMeasurement, measureNth } from './engine-table.ts';
import { OfflineSession } from './offline/session.ts';
import { startOfflineWorker } from './offline-pool.ts';
import { type MonitorUpdate, Updates } from './updates.ts';

const updates = new Updates();
const collector = new Collector(updates, OFFLINE_PAUSE_MS);
const store = SessionStore.open();
const session = new OfflineSession({
  keeper: new Keeper(store),
  createEngine: (options) => createEngine({ ...options, startWorker: startOfflineWorker }),
  events: {
    status: (status) => {
      collector.geometry(status.geometry);
      updates.offline(status);
    },
    engine: (description, trouble) => updates.engine({ description, trouble }),
    problems: (problems) => updates.problems(problems),
    measured: (file) => updates.measured(file),
    look: (spectrum) => {
      collector.look(spectrum);
      // What goes to the page is transferred, and the session keeps its own.
      const own = { ...spectrum, mean: spectrum.mean.slice(), std: spectrum.std.slice() };
      updates.spectrum({ spectrum: own, arrivedMs: Date.now() });
    },
    file: (spectrum) => collector.file(spectrum),
  },
});

/** 10 ms each for the page's thread. */
const LINES_PER_PART = 1000;
let surveyed: SurveyPart = { rows: [], problems: [] };

const offline = {
  /** Files of a drop; to be called with some hundred of them at a time. */
  add: (found: Found): void => session.add(found),

  /** Everything that has been added, line by line, before anything is read at length. */
  async survey(settings: OfflineSettings): Promise<SurveyHead> {
    const { rows, problems, ...head } = await session.survey(settings);
    surveyed = { rows, problems };
    return { ...head, rowCount: rows.length, problemCount: problems.length };
  },

  /** Lines of the last survey, in parts that the page takes in without a halt. */
  surveyPart: (from: number): SurveyPart => ({
    rows: surveyed.rows.slice(from, from + LINES_PER_PART),
    problems: surveyed.problems.slice(from, from + LINES_PER_PART),
  }),

  /** Bytes per second that can be expected, from one of the recordings that are there. */
  pace: (settings: OfflineSettings): Promise<Pace> => session.pace(settings),

  /** Measures the rows with these paths, all with null; also while others are measured. Returns at once. */
  start: (
    paths: readonly string[] | null,
    settings: OfflineSettings,
    roots: KeptRoots | null,
  ): Promise<void> => session.start(paths, settings, roots),

  /** A session of an earlier visit; null where there is none, or another tab has it. */
  async kept(): Promise<KeptSummary | null> {
    const kept = await (await store)?.read();
    if (kept == null) return null;
    const { settings, run, files, roots, paths, savedMs, moments } = kept;
    return { settings, run, files, roots, paths, savedMs, slices: moments.count };
  },

  /** Goes on with it; its files have to be added again. */
  async resume(): Promise<void> {
    const opened = await store;
    const kept = await opened?.read();
    if (opened == null || kept == null) return;
    await session.restore(kept, (take) => opened.eachFile(take));
  },

  /** Begins anew. */
  forget: async (): Promise<void> => (await store)?.forget(),

  /** Ends after the recordings in hand, the second time at once. */
  cancel: (): void => session.cancel(),

  /** The spectrum of one recording as the latest one; null follows the measurement. */
  show: (path: string | null): Promise<void> => session.show(path),

  /** The run-wide sum with null, or one recording. */
  export: (format: ExportFormat, path: string | null): Promise<readonly ExportedFile[]> =>
    session.export(format, path),

  /** What has changed since the last call; waits while nothing has. */
  async next(): Promise<MonitorUpdate> {
    const update = await updates.next();
    return transfer(update, buffersOf(update));
  },

  /** Which spectrum to analyse, and how; what it gives comes with the updates. */
  analyse: (settings: AnalysisSettings): void => collector.analyse(settings),

  /** Peak and minimum hold begin anew. */
  resetHolds: (): void => collector.resetHolds(),

  /** How fast the n-th engine of this browser is for slices of `bins` samples; null behind the last one. */
  measureEngine: (index: number, bins: number): Promise<EngineMeasurement | null> => measureNth(index, bins),
};
export type OfflineWorker = typeof offline;

expose(offline);
