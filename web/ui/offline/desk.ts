/**
 * The page's side of an offline session: what has been found, what a person chooses, and what the worker is told.
 */
import { type Signal, signal } from '@preact/signals';
import type { EnginePreference } from '../../engine/choose.ts';
import type { ExportFormat, MeasuredFile, PlainProblem } from '../../offline/browser/types.ts';
import type { OfflineWorker } from '../../worker/offline-worker.ts';
import type { MonitorUpdate } from '../../worker/updates.ts';
import type { Model } from '../model/model.ts';
import { save } from '../strip/save.ts';
import { Intake } from './intake.ts';

/** The worker as Comlink gives it. */
export type RemoteWorker = {
  readonly [K in keyof OfflineWorker]: (
    ...args: Parameters<OfflineWorker[K]>
  ) => Promise<Awaited<ReturnType<OfflineWorker[K]>>>;
};

export interface Desk {
  /** How files get in. */
  readonly intake: Intake;
  /** In the order in which they were measured. */
  readonly measured: Signal<readonly MeasuredFile[]>;
  /** Met while files were read. */
  readonly problems: Signal<readonly PlainProblem[]>;
  cancel(): void;
  /** Null follows the measurement. */
  show(path: string | null): Promise<void>;
  export(format: ExportFormat, path: string | null): Promise<void>;
  /** What the worker has to tell; the model's part is passed on. */
  take(update: MonitorUpdate): MonitorUpdate;
}

export function createDesk(model: Model, worker: RemoteWorker, engine: EnginePreference): Desk {
  const intake = new Intake(worker, engine);
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

  return {
    intake,
    measured,
    problems,
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

/** The file that was recorded at this moment; where two touch the later one, and the last includes its end. */
export const fileAt = (files: readonly MeasuredFile[], ms: number): MeasuredFile | undefined =>
  files.findLast(({ startMs, endMs }) => startMs <= ms && ms <= endMs);

/** What keys, panels and the waterfall ask for. */
export function connectRequests(model: Model, desk: Desk, worker: RemoteWorker): void {
  model.requests.resetHolds = () => void worker.resetHolds();
  model.requests.download = (what, format) =>
    void desk.export(format, what === 'run' ? null : shownPath(model, desk));
  model.requests.sidecar = () => {
    const path = shownPath(model, desk);
    if (path !== null) void desk.export('sigmf', path);
  };
  model.requests.choose = (_, ms) => {
    const file = fileAt(desk.measured.peek(), ms);
    if (file !== undefined) void desk.show(file.path);
  };
}
