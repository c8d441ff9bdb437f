/**
 * Everything that the panels show, as signals: what came from the worker, what a person chose, and what follows.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  type Freshness,
  judgeFreshness,
  type NewestDatum,
  offlineFreshness,
} from '../../analysis/freshness.ts';
import type { Analysis } from '../../analysis/analysis.ts';
import { integrationSeconds } from '../../analysis/exposure.ts';
import { History, type HistoryRow, type RowFiles } from '../../analysis/history.ts';
import type { HeldSpectrum } from '../../analysis/hold.ts';
import type { Reference, ReferenceMode } from '../../analysis/reference.ts';
import type { SpectrumFrame, Trace } from '../../../bridge/protocol/frames.ts';
import {
  DEFAULT_BINS,
  DEFAULT_LO_HZ,
  DEFAULT_SAMPLE_RATE_HZ,
  type Geometry,
  nominalSlicesPerFile,
} from '../../../bridge/protocol/geometry.ts';
import type { Annotation, CommandOutcome, OperatorCommand } from '../../../bridge/protocol/operator.ts';
import { type BridgeState, type ClientRole, isAverageEnded } from '../../../bridge/protocol/state.ts';
import { type WindowFigures, windowFigures } from '../../../bridge/protocol/window.ts';
import type { EngineDescription } from '../../engine/engine.ts';
import type { OfflineStatus } from '../../offline/browser/types.ts';
import type { Connection, EngineReport, MonitorUpdate, ReceivedSpectrum } from '../../worker/updates.ts';
import type { WakeLock } from '../kiosk/wake-lock.ts';
import { type ChainSummary, summarise, summariseOffline } from './chain.ts';
import { type Adc, adcOf } from './adc.ts';
import { createEngineTable, type EngineTable } from './engine-table.ts';
import { type Failover, type Notice, noticesOf } from './notices.ts';
import { createView, type View, type ViewValues } from './view.ts';

/** What has come of each trace in the time domain. */
type Sums = Readonly<Record<Trace, Signal<Pick<SpectrumFrame, 'run' | 'time'> | null>>>;
type Spectra = Readonly<Record<Trace, Signal<SpectrumFrame | null>>>;
export type DrawerName = 'chain' | 'engines' | 'keys' | 'view' | 'export' | 'table' | 'run';

const DAY_MS = 86_400_000;
/** Rows of the history that the page keeps: 25 MB at 3072 bins, a day at 0.3 % of its age per row. */
const HISTORY_ROWS = 2048;

export interface ModelOptions {
  readonly isKiosk: boolean;
  readonly isSecure: boolean;
  /** A token was given: to be only a viewer then is worth a word. */
  readonly hasToken: boolean;
  /** There is no bridge: files are dropped into the page. */
  readonly isOffline?: boolean;
}

export interface Model {
  readonly view: View;
  readonly isKiosk: boolean;
  readonly isOffline: boolean;
  /** Of files that were dropped into the page; null before the first start, and with a bridge. */
  readonly offline: Signal<OfflineStatus | null>;
  readonly connection: Signal<Connection>;
  readonly state: Signal<BridgeState | null>;
  readonly engine: Signal<EngineDescription | null>;
  /** Why this page has no engine, where it should have one. */
  readonly engineTrouble: Signal<string | null>;
  /** Milliseconds for a file by the GPU's own timestamps. */
  readonly gpuMsPerFile: Signal<number | null>;
  readonly engineTable: EngineTable;
  readonly failover: Signal<Failover | null>;
  readonly spectra: Spectra;
  readonly sums: Sums;
  /** Newest datum that has come, shown or not. */
  readonly newest: Signal<NewestDatum | null>;
  readonly analysis: Signal<Analysis | null>;
  readonly holds: Signal<HeldSpectrum | null>;
  /** Why what was before this visit is not among the rows. */
  readonly historyTrouble: Signal<string | null>;
  /** Rows shown, oldest first. */
  readonly rows: Signal<readonly HistoryRow[]>;
  /** All rows, also those that have come during a pause. */
  readonly history: History;
  /** The view stands still since then, by this machine's clock; null while it follows the data. */
  readonly pausedMs: Signal<number | null>;
  /** What has come during a pause, only the newest of each. */
  readonly waiting: Waiting;
  readonly reference: Signal<Reference | null>;
  readonly referenceMode: Signal<ReferenceMode>;
  /** This machine's clock, several times a second while the page is visible. */
  readonly nowMs: Signal<number>;
  /** Beginning of the day, UTC: what a time has to be told with its date from. */
  readonly todayMs: ReadonlySignal<number>;
  readonly clockOffsetMs: Signal<number>;
  /** Bin under the cursor; shared by all panels with this frequency axis. */
  readonly cursorBin: Signal<number | null>;
  /** UTC in milliseconds under the cursor, where the panel has a time axis. */
  readonly cursorMs: Signal<number | null>;
  /** What the page is drawn in now. */
  readonly colours: Signal<'dark' | 'light'>;
  readonly openPanel: Signal<DrawerName | null>;
  /** What was under the cursor when a person asked to annotate it. */
  readonly pointed: Signal<Pointed>;
  /** Of the run, oldest first. */
  readonly annotations: ReadonlySignal<readonly Annotation[]>;
  /** Why this page may not do what operators may; empty where it may. */
  readonly operatorReason: ReadonlySignal<string>;
  /** What the page asks of its worker; does nothing before there is one. */
  readonly requests: Requests;
  /** The bridge serves another build of this page than the one that runs here. */
  readonly isOutdated: Signal<boolean>;
  /** Whether the screen is kept awake; null where that is nobody's wish. */
  readonly wakeLock: Signal<WakeLock | null>;
  /** Something that just happened and is said once: a download that failed, a link that was copied. */
  readonly message: Signal<string>;
  readonly geometry: ReadonlySignal<Geometry>;
  /** With which the slices were multiplied. */
  readonly window: ReadonlySignal<WindowFigures>;
  readonly run: ReadonlySignal<string | null>;
  readonly role: ReadonlySignal<ClientRole | null>;
  readonly freshness: ReadonlySignal<Freshness>;
  /** What the digitiser did in each of the spectra shown. */
  readonly adc: ReadonlySignal<Adc>;
  /** The same of what has come, shown or not: a pause hides no alarm. */
  readonly adcNow: ReadonlySignal<Adc>;
  readonly chain: ReadonlySignal<ChainSummary>;
  readonly notices: ReadonlySignal<readonly Notice[]>;
}

/** A bin and a moment in Unix milliseconds; null where the panel has none. */
export interface Pointed {
  readonly bin: number | null;
  readonly utcMs: number | null;
}

interface Waiting {
  readonly spectra: Map<Trace, ReceivedSpectrum>;
  /** The average that is shown was ended by an operator. */
  isEnded: boolean;
  analysis: Analysis | null;
  /** Undefined: nothing has come. */
  holds: HeldSpectrum | null | undefined;
}

/** Formats of a spectrum; of a single file a bridge has only CSV and JSON. */
export const FORMATS = ['csv', 'ecsv', 'npz', 'json'] as const;
export type Format = (typeof FORMATS)[number];
export type Downloaded = 'run' | 'file';

interface Requests {
  resetHolds: () => void;
  /** Saves the run-wide average, or the latest file. */
  download: (what: Downloaded, format: Format) => void;
  /** Asks the bridge for what an operator wants; null: there is nobody to ask now. */
  operate: (command: Omit<OperatorCommand, 'id'>) => Promise<CommandOutcome> | null;
  /** Saves SigMF metadata for the latest file; where there is none, the way to make it is not known. */
  sidecar: (() => void) | null;
  /** The files of a row one by one, as far as they are remembered. */
  rows: (of: RowFiles) => Promise<readonly HistoryRow[]>;
  /** A row of the waterfall was chosen, at a moment in UTC milliseconds, which tells files of one row apart. */
  choose: ((row: HistoryRow, ms: number) => void) | null;
}

const USUAL_GEOMETRY: Geometry = {
  bins: DEFAULT_BINS,
  sampleRateHz: DEFAULT_SAMPLE_RATE_HZ,
  loHz: DEFAULT_LO_HZ,
};

const sameGeometry = (a: Geometry, b: Geometry): boolean =>
  a.bins === b.bins && a.sampleRateHz === b.sampleRateHz && a.loHz === b.loHz;

const NO_ANNOTATIONS: readonly Annotation[] = [];
/** The same array while there are none, and while nothing has changed: states come twice a second, plots follow. */
function sameUntilChanged(): (state: BridgeState | null) => readonly Annotation[] {
  let known = NO_ANNOTATIONS;
  return (state) => {
    const told = state?.annotations ?? NO_ANNOTATIONS;
    const isSame = told.length === known.length && told.every(({ id }, i) => id === known[i]?.id);
    if (!isSame) known = told;
    return known;
  };
}

export function createModel(initial: ViewValues, options: ModelOptions): Model {
  const connection = signal<Connection>({ phase: 'connecting' });
  const state = signal<BridgeState | null>(null);
  const offline = signal<OfflineStatus | null>(null);
  const isOffline = options.isOffline ?? false;
  const engine = signal<EngineDescription | null>(null);
  const engineTrouble = signal<string | null>(null);
  const failover = signal<Failover | null>(null);
  const newest = signal<NewestDatum | null>(null);
  const nowMs = signal(Date.now());
  const clockOffsetMs = signal(0);
  const spectra: Spectra = { run: signal(null), latest: signal(null), progress: signal(null) };

  const annotationsOf = sameUntilChanged();
  let known = USUAL_GEOMETRY;
  const geometry = computed((): Geometry => {
    const told =
      offline.value?.geometry ??
      state.value?.geometry ??
      (connection.value.phase === 'open' ? connection.value.welcome.geometry : known);
    // The same object while nothing has changed: state messages come twice a second.
    if (!sameGeometry(told, known)) known = { ...told };
    return known;
  });
  const windowName = computed(() => offline.value?.window ?? 'none');
  const run = computed(
    () => offline.value?.run ?? state.value?.run.name ?? welcomeOf(connection.value)?.run ?? null,
  );
  const role = computed(() => welcomeOf(connection.value)?.role ?? null);
  const fileSeconds = computed(() =>
    integrationSeconds(nominalSlicesPerFile(geometry.value.bins), geometry.value),
  );
  const freshness = computed(() =>
    isOffline
      ? offlineFreshness(newest.value)
      : judgeFreshness(newest.value, nowMs.value, clockOffsetMs.value, fileSeconds.value),
  );
  const chain = computed(() =>
    isOffline
      ? summariseOffline(offline.value)
      : summarise({
          connection: connection.value,
          state: state.value,
          freshness: freshness.value,
          role: role.value,
          engineTrouble: engineTrouble.value,
          nowMs: nowMs.value,
        }),
  );
  const adc = computed(() => adcOf(spectra));
  const sums: Sums = { run: signal(null), latest: signal(null), progress: signal(null) };
  const adcNow = computed(() => adcOf(sums));
  const notices = computed(() =>
    noticesOf({
      state: state.value,
      failover: failover.value,
      engineTrouble: engineTrouble.value,
      roleTrouble: options.hasToken ? (welcomeOf(connection.value)?.roleReason ?? '') : '',
      isSecure: options.isSecure,
      adc: adcNow.value,
    }),
  );

  return {
    view: createView(initial),
    isKiosk: options.isKiosk,
    isOffline,
    offline,
    connection,
    state,
    engine,
    engineTrouble,
    gpuMsPerFile: signal(null),
    engineTable: createEngineTable(),
    failover,
    spectra,
    newest,
    analysis: signal(null),
    holds: signal(null),
    historyTrouble: signal(null),
    rows: signal([]),
    history: new History(HISTORY_ROWS),
    pausedMs: signal(null),
    waiting: { spectra: new Map(), isEnded: false, analysis: null, holds: undefined },
    reference: signal(null),
    referenceMode: signal('off'),
    nowMs,
    todayMs: computed(() => Math.floor(nowMs.value / DAY_MS) * DAY_MS),
    clockOffsetMs,
    cursorBin: signal(null),
    cursorMs: signal(null),
    colours: signal('dark'),
    openPanel: signal(null),
    pointed: signal({ bin: null, utcMs: null }),
    annotations: computed(() => annotationsOf(state.value)),
    operatorReason: computed(() =>
      connection.value.phase === 'open' ? connection.value.welcome.operatorReason : 'there is no connection',
    ),
    requests: {
      resetHolds: () => {},
      download: () => {},
      operate: () => null,
      sidecar: null,
      rows: () => Promise.resolve([]),
      choose: null,
    },
    isOutdated: signal(false),
    wakeLock: signal(null),
    message: signal(''),
    geometry,
    window: computed(() => windowFigures(windowName.value)),
    run,
    role,
    freshness,
    adc,
    adcNow,
    sums,
    chain,
    notices,
  };
}

const welcomeOf = (connection: Connection) => (connection.phase === 'open' ? connection.welcome : null);

/** Brings an update of the worker into the model, as one change. */
export function applyUpdate(model: Model, update: MonitorUpdate): void {
  batch(() => {
    if (update.connection !== undefined) applyConnection(model, update.connection);
    if (update.state !== undefined) {
      model.state.value = update.state.state;
      if (isAverageEnded(update.state.state)) forgetEnded(model);
      model.clockOffsetMs.value = Date.parse(update.state.state.utc) - update.state.arrivedMs;
    }
    if (update.offline !== undefined) model.offline.value = update.offline;
    if (update.gpuMsPerFile !== undefined) model.gpuMsPerFile.value = update.gpuMsPerFile;
    if (update.historyTrouble !== undefined) model.historyTrouble.value = update.historyTrouble;
    if (update.engine !== undefined) applyEngine(model, update.engine);
    for (const received of update.spectra) applySpectrum(model, received);
    for (const row of update.rows ?? []) model.history.append(row);
    if (model.pausedMs.peek() === null) applyComputed(model, update);
    else postpone(model, update);
  });
}

function forgetEnded(model: Model): void {
  model.sums.run.value = null;
  model.waiting.spectra.delete('run');
  if (model.pausedMs.peek() === null) forgetAverage(model);
  else model.waiting.isEnded = true;
}

function forgetAverage(model: Model): void {
  model.spectra.run.value = null;
  if (model.analysis.peek()?.settings.of === 'run') model.analysis.value = null;
}

function applyConnection(model: Model, next: Connection): void {
  const before = model.connection.peek();
  // Attempts that fail do not make the loss any younger.
  model.connection.value =
    before.phase === 'lost' && next.phase === 'lost' ? { ...next, sinceMs: before.sinceMs } : next;
}

function applyEngine(model: Model, { description: next, trouble }: EngineReport): void {
  model.engineTrouble.value = trouble;
  const before = model.engine.peek();
  // Back on the GPU the matter is settled.
  if (next?.kind === 'gpu') model.failover.value = null;
  else if (before !== null && next !== null && before.kind !== next.kind)
    model.failover.value = { from: before, to: next, atMs: Date.now() };
  model.engine.value = next;
}

/** Whether it is shown or not, it tells how young the data are. */
function applySpectrum(model: Model, received: ReceivedSpectrum): void {
  const { spectrum, arrivedMs } = received;
  const { waiting } = model;
  const before = waiting.spectra.get(spectrum.trace)?.spectrum ?? model.spectra[spectrum.trace].peek();
  const isPaused = model.pausedMs.peek() !== null;
  if (isPaused) waiting.spectra.set(spectrum.trace, received);
  else show(model, spectrum);
  for (const known of Object.values(model.sums)) if (known.peek()?.run !== spectrum.run) known.value = null;
  model.sums[spectrum.trace].value = { run: spectrum.run, time: spectrum.time };
  if (isNews(spectrum, before, model.newest.peek()))
    model.newest.value = { utcMs: spectrum.newestUtcMs, arrivedMs };
}

function show(model: Model, spectrum: SpectrumFrame): void {
  for (const shown of Object.values(model.spectra)) {
    // Spectra of another run or another length cannot stand beside this one.
    const other = shown.peek();
    if (other === null || (other.run === spectrum.run && other.mean.length === spectrum.mean.length))
      continue;
    shown.value = null;
    model.newest.value = null;
    model.analysis.value = null;
    model.holds.value = null;
  }
  model.spectra[spectrum.trace].value = spectrum;
}

function applyComputed(model: Model, { analysis, holds, rows }: MonitorUpdate): void {
  if (analysis !== undefined) model.analysis.value = analysis;
  if (holds !== undefined) model.holds.value = holds;
  if (rows !== undefined) model.rows.value = model.history.rows.slice();
}

function postpone({ waiting }: Model, { analysis, holds }: MonitorUpdate): void {
  if (analysis !== undefined) waiting.analysis = analysis;
  if (holds !== undefined) waiting.holds = holds;
}

/** The page's worker is gone for a moment; what was drawn is left standing. */
export function loseWorker(model: Model, reason: string): void {
  applyConnection(model, {
    phase: 'lost',
    reason: `The page's worker was lost, because ${reason}.`,
    sinceMs: Date.now(),
  });
}

/** The view stands still; averaging, history and holds go on. */
export function pause(model: Model): void {
  model.pausedMs.value ??= Date.now();
}

/** Shows what has come meanwhile, and follows the data again. */
export function goLive(model: Model): void {
  model.view.at.value = null;
  if (model.pausedMs.peek() === null) return;
  const { waiting } = model;
  batch(() => {
    model.pausedMs.value = null;
    if (waiting.isEnded) forgetAverage(model);
    for (const { spectrum } of waiting.spectra.values()) show(model, spectrum);
    if (waiting.analysis !== null) model.analysis.value = waiting.analysis;
    if (waiting.holds !== undefined) model.holds.value = waiting.holds;
    model.rows.value = model.history.rows.slice();
  });
  waiting.spectra.clear();
  waiting.isEnded = false;
  waiting.analysis = null;
  waiting.holds = undefined;
}

/** A spectrum that is sent again after a reconnection does not make the display any younger. */
function isNews(spectrum: SpectrumFrame, before: SpectrumFrame | null, newest: NewestDatum | null): boolean {
  if (newest === null) return true;
  if (Number.isNaN(spectrum.newestUtcMs))
    return before === null || before.slices !== spectrum.slices || before.file !== spectrum.file;
  return Number.isNaN(newest.utcMs) || spectrum.newestUtcMs > newest.utcMs;
}
