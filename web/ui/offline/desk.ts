/**
 * The page's side of an offline session: what has been found, what a person chooses, and what the worker is told.
 */
import { type Signal, signal } from '@preact/signals';
import { DEFAULT_BINS } from '../../../bridge/protocol/geometry.ts';
import type { HistoryRow } from '../../analysis/history.ts';
import type {
  ExportFormat,
  Found,
  MeasuredFile,
  OfflineSettings,
  Pace,
  PlainProblem,
  Survey,
} from '../../offline/browser/types.ts';
import type { OfflineWorker } from '../../worker/offline-worker.ts';
import type { MonitorUpdate } from '../../worker/updates.ts';
import type { Model } from '../model/model.ts';
import { save } from '../strip/save.ts';

/** The worker as Comlink gives it. */
export type RemoteWorker = {
  readonly [K in keyof OfflineWorker]: (
    ...args: Parameters<OfflineWorker[K]>
  ) => Promise<Awaited<ReturnType<OfflineWorker[K]>>>;
};

export const USUAL_SETTINGS: OfflineSettings = {
  run: '',
  bins: DEFAULT_BINS,
  sampleRateHz: null,
  loHz: null,
  window: 'none',
  engine: 'auto',
};

export interface Desk {
  readonly settings: Signal<OfflineSettings>;
  /** The table before the start; null before the first drop. */
  readonly survey: Signal<Survey | null>;
  /** Null while it is not known. */
  readonly pace: Signal<Pace | null>;
  /** Files are being looked at. */
  readonly isLooking: Signal<boolean>;
  /** In the order in which they were measured. */
  readonly measured: Signal<readonly MeasuredFile[]>;
  /** Met while files were read. */
  readonly problems: Signal<readonly PlainProblem[]>;
  /** Takes what a drop has brought, and looks at everything anew. */
  add(found: Found): Promise<void>;
  /** Looks at everything anew, as after other settings. */
  look(): Promise<void>;
  /** These rows of the survey, all with null. */
  start(paths: readonly string[] | null): Promise<void>;
  cancel(): void;
  /** Null follows the measurement. */
  show(path: string | null): Promise<void>;
  export(format: ExportFormat, path: string | null): Promise<void>;
  /** What the worker has to tell; the model's part is passed on. */
  take(update: MonitorUpdate): MonitorUpdate;
}

/** Files in one message to the worker: cloning them must not hold up the page. */
const FILES_PER_MESSAGE = 500;

export function createDesk(model: Model, worker: RemoteWorker): Desk {
  const settings = signal(USUAL_SETTINGS);
  const survey = signal<Survey | null>(null);
  const pace = signal<Pace | null>(null);
  const isLooking = signal(false);
  const measured = signal<readonly MeasuredFile[]>([]);
  const problems = signal<readonly PlainProblem[]>([]);

  /** What goes wrong is said, once. */
  const told = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      model.message.value = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  const look = (): Promise<void> =>
    told('These files cannot be looked at', async () => {
      isLooking.value = true;
      try {
        survey.value = await worker.survey(settings.peek());
      } finally {
        isLooking.value = false;
      }
      if (pace.peek() === null && survey.value.bytes > 0) pace.value = await worker.pace(settings.peek());
    });

  return {
    settings,
    survey,
    pace,
    isLooking,
    measured,
    problems,
    add: async ({ entries, problems: unseen }) => {
      for (let from = 0; from < entries.length || from === 0; from += FILES_PER_MESSAGE) {
        const part = entries.slice(from, from + FILES_PER_MESSAGE);
        await worker.add({ entries: part, problems: from === 0 ? unseen : [] });
      }
      await look();
    },
    look,
    start: (paths) =>
      told('It cannot be started', async () => {
        await worker.start(paths, settings.peek());
        survey.value = await worker.survey(settings.peek());
      }),
    cancel: () => void worker.cancel(),
    show: (path) => told('Its spectrum cannot be shown', () => worker.show(path)),
    export: (format, path) =>
      told(`No ${format.toUpperCase()}`, async () => {
        const files = await worker.export(format, path);
        for (const { name, content } of files) save(content, name);
        const names = files.map(({ name }) => name).join(', ');
        model.message.value = names === '' ? 'There is nothing to save.' : `Saved ${names}.`;
      }),
    take: (update) => {
      if (update.measured !== undefined) measured.value = [...measured.peek(), ...update.measured];
      if (update.problems !== undefined) problems.value = update.problems;
      return update;
    },
  };
}

/** Path of the file that the panels show as the latest one. */
export const shownPath = (model: Model, desk: Desk): string | null =>
  model.offline.peek()?.shown ?? desk.measured.peek().at(-1)?.path ?? null;

/** The file that a row of the waterfall is of; of a row of several, the first. */
export const fileOfRow = (desk: Desk, row: HistoryRow): MeasuredFile | undefined =>
  desk.measured.peek().find(({ startMs, endMs }) => startMs < row.endMs && row.startMs < endMs);

/** What keys, panels and the waterfall ask for. */
export function connectRequests(model: Model, desk: Desk, worker: RemoteWorker): void {
  model.requests.resetHolds = () => void worker.resetHolds();
  model.requests.download = (what, format) =>
    void desk.export(format, what === 'run' ? null : shownPath(model, desk));
  model.requests.sidecar = () => {
    const path = shownPath(model, desk);
    if (path !== null) void desk.export('sigmf', path);
  };
  model.requests.choose = (row) => {
    const file = fileOfRow(desk, row);
    if (file !== undefined) void desk.show(file.path);
  };
}
