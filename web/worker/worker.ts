/**
 * The page's worker: owns the session and the engine, so that slices never touch the main thread and a hidden tab
 * keeps its pace. The page talks to it through Comlink and pulls what is new.
 */
import { expose, transfer } from 'comlink';
import { SOFTWARE } from '../../bridge/protocol/software.ts';
import { type ClientRole, isAverageEnded } from '../../bridge/protocol/state.ts';
import type { AnalysisSettings } from '../analysis/analysis.ts';
import type { HistoryRow, RowFiles } from '../analysis/history.ts';
import { createEngine, type EnginePreference } from '../engine/choose.ts';
import type { CommandOutcome } from '../../bridge/protocol/operator.ts';
import { buffersOf } from './buffers.ts';
import { Collector } from './collector.ts';
import type { NewCommand } from './commands.ts';
import { type EngineMeasurement, measureNth } from './engine-table.ts';
import { GpuTimer } from './gpu-time.ts';
import { fetchFiles, fetchHistory } from './history.ts';
import { HoldStore } from './hold-store.ts';
import { Policy } from './policy.ts';
import { Session } from './session.ts';
import { type Connection, type MonitorUpdate, Updates } from './updates.ts';

export interface MonitorOptions {
  /** Address of the page; the bridge is where it came from. */
  readonly pageUrl: string;
  readonly token: string | null;
  readonly role: ClientRole | 'auto';
  readonly engine: EnginePreference;
}

const updates = new Updates();
let connection: Connection = { phase: 'connecting' };
let policy: Policy | null = null;
const holdStore = new HoldStore();
const collector = new Collector({
  row: (row) => updates.row(row),
  holds: (held) => {
    updates.holds(held);
    // Its own, because the page takes the arrays of the other.
    holdStore.keep(held === null ? null : { ...held, peak: held.peak.slice(), least: held.least.slice() });
  },
  analysis: (analysis) => updates.analysis(analysis),
});
/** Of which run the holds of before have been asked for. */
let heldRun: string | null = null;

function createSession(options: MonitorOptions): Session {
  const home = new URL('./', options.pageUrl);
  const isHome = (): boolean => connection.phase === 'open' && connection.bridge === home.href;
  const ownPolicy = new Policy(home, self, isHome);
  policy = ownPolicy;
  return new Session({
    url: home,
    open: (url) => new WebSocket(url),
    software: SOFTWARE,
    role: options.role,
    headless: false,
    token: options.token ?? undefined,
    createEngine: async (bins, onChange) => {
      const engine = await createEngine({ bins, window: 'none', prefer: options.engine, onChange });
      return new GpuTimer(engine, bins, (msPerFile) => updates.gpuTime(msPerFile));
    },
    handlers: {
      connection: (next) => {
        connection = next;
        updates.connection(next);
        if (next.phase !== 'open') return;
        collector.geometry(next.welcome.geometry);
        void remember(next.bridge, next.welcome.run);
        void holdAgain(next.welcome.run);
      },
      state: (state) => {
        if (isHome()) ownPolicy.look(state.group);
        updates.state({ state, arrivedMs: Date.now() });
        if (!isAverageEnded(state)) return;
        collector.endAverage();
        updates.endAverage();
      },
      spectrum: (spectrum) => {
        const arrivedMs = Date.now();
        collector.spectrum(spectrum, arrivedMs);
        updates.spectrum({ spectrum, arrivedMs });
      },
      engine: (description, trouble) => updates.engine({ description, trouble }),
    },
  });
}

/** Once per run: a connection that was lost has cost the holds nothing. */
async function holdAgain(run: string): Promise<void> {
  if (heldRun === run) return;
  heldRun = run;
  const held = await holdStore.read(run);
  if (held !== null) collector.holdAgain(held);
}

/** Rows of before this connection; those of a run that is over by the time they come are of no use. */
async function remember(bridge: string, run: string): Promise<void> {
  try {
    const rows = await fetchHistory(bridge, run);
    if (connection.phase !== 'open' || !collector.isRun(run)) return;
    for (const row of rows) updates.row(row);
    updates.historyTrouble(null);
  } catch (error) {
    updates.historyTrouble(error instanceof Error ? error.message : String(error));
  }
}

let session: Session | null = null;

const monitor = {
  /** Connects; called once. */
  start(options: MonitorOptions): void {
    if (session !== null) throw new Error('the session runs already');
    session = createSession(options);
    session.start();
    // The network is back: no need to wait out the pause.
    self.addEventListener('online', () => session?.reconnect());
  },

  /** Answered at once by a worker that lives. */
  ask: (): void => {},

  /** What has changed since the last call; waits while nothing has. */
  async next(): Promise<MonitorUpdate> {
    const update = await updates.next();
    return transfer(update, buffersOf(update));
  },

  /** Resolves when a bridge to which the page may have to move is outside its policy: the addresses of all of them. */
  blocked: (): Promise<string> => policy?.blocked ?? Promise.reject(new Error('no session')),

  /** Which spectrum to analyse, and how; what it gives comes with the updates. */
  analyse: (settings: AnalysisSettings): void => collector.analyse(settings),

  /** Peak and minimum hold begin anew. */
  resetHolds: (): void => collector.resetHolds(),

  /** What an operator wants, and what became of it. */
  operate: (command: NewCommand): Promise<CommandOutcome> =>
    session?.operate(command) ?? Promise.reject(new Error('no session')),

  /** The files of a row of the history, one by one where the bridge remembers them so. */
  async rows(files: RowFiles): Promise<readonly HistoryRow[]> {
    if (connection.phase !== 'open') throw new Error('there is no connection to the bridge');
    return fetchFiles(connection.bridge, files);
  },

  /** How fast the n-th engine of this browser is for slices of `bins` samples; null behind the last one. */
  measureEngine: (index: number, bins: number): Promise<EngineMeasurement | null> => measureNth(index, bins),
};
export type MonitorWorker = typeof monitor;

expose(monitor);
