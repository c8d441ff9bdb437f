/**
 * What the worker tells the page, coalesced: the page asks for the next update and gets only the newest of each
 * thing, and the rows of all files. A page that does not ask (hidden, busy) misses nothing but what is out of date.
 */
import type { RefusalCode, Welcome } from '../../bridge/protocol/control.ts';
import type { SpectrumFrame, Trace } from '../../bridge/protocol/frames.ts';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import type { Analysis } from '../analysis/analysis.ts';
import { History, type HistoryRow } from '../analysis/history.ts';
import type { HeldSpectrum } from '../analysis/hold.ts';
import type { EngineDescription } from '../engine/engine.ts';
import type { MeasuredFile, OfflineStatus, PlainProblem } from '../offline/browser/types.ts';

/**
 * - `connecting`: first attempt under way
 * - `open`: welcomed by the bridge at that address
 * - `lost`: no connection; tried again by itself
 * - `refused`: the bridge said no; whether it is tried again depends on the code
 */
export type Connection =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'open'; readonly welcome: Welcome; readonly bridge: string }
  | { readonly phase: 'lost'; readonly reason: string; readonly sinceMs: number }
  | { readonly phase: 'refused'; readonly code: RefusalCode; readonly message: string };

/** A spectrum and when it reached the worker, by this machine's clock in UTC milliseconds. */
export interface ReceivedSpectrum {
  readonly spectrum: SpectrumFrame;
  readonly arrivedMs: number;
}

/** State of the chain, and when it was received. */
export interface ReceivedState {
  readonly state: BridgeState;
  readonly arrivedMs: number;
}

/** The engine of this page. */
export interface EngineReport {
  /** Null: none yet, or none is needed (viewer). */
  readonly description: EngineDescription | null;
  /** Why it could not be made, or was lost. */
  readonly trouble: string | null;
}

/** Only what has changed since the last update. */
export interface MonitorUpdate {
  readonly connection?: Connection;
  readonly state?: ReceivedState;
  readonly engine?: EngineReport;
  /** Milliseconds for a file by the GPU's own timestamps; null where there are none. */
  readonly gpuMsPerFile?: number | null;
  readonly spectra: readonly ReceivedSpectrum[];
  /** Oldest first, to be appended to those of before. */
  readonly rows?: readonly HistoryRow[];
  /** Null: reset, nothing held yet. */
  readonly holds?: HeldSpectrum | null;
  readonly analysis?: Analysis;
  /** Why what was before this visit is not among the rows; null where it is. */
  readonly historyTrouble?: string | null;
  /** Of files that were dropped into the page. */
  readonly offline?: OfflineStatus;
  /** In the order in which they were measured, to be appended to those of before. */
  readonly measured?: readonly MeasuredFile[];
  /** All of them. */
  readonly problems?: readonly PlainProblem[];
}

/** Rows that wait for a page that does not ask; beyond it older ones are averaged. 12 MB at 3072 bins. */
const WAITING_ROWS = 1024;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One reader; any number of writers. */
export class Updates {
  #pending: Mutable<Omit<MonitorUpdate, 'spectra' | 'rows' | 'measured'>> = {};
  #measured: MeasuredFile[] = [];
  readonly #rows = new History(WAITING_ROWS);
  #spectra = new Map<Trace, ReceivedSpectrum>();
  #isEmpty = true;
  #waiting: ((update: MonitorUpdate) => void) | null = null;

  connection(connection: Connection): void {
    this.#pending.connection = connection;
    this.#changed();
  }

  state(state: ReceivedState): void {
    this.#pending.state = state;
    this.#changed();
  }

  engine(engine: EngineReport): void {
    this.#pending.engine = engine;
    this.#changed();
  }

  gpuTime(msPerFile: number | null): void {
    this.#pending.gpuMsPerFile = msPerFile;
    this.#changed();
  }

  /** Replaces an older spectrum of the same trace that nobody has asked for. */
  spectrum(received: ReceivedSpectrum): void {
    this.#spectra.set(received.spectrum.trace, received);
    this.#changed();
  }

  /** An operator has ended the average: what waits of it is shown to nobody. */
  endAverage(): void {
    this.#spectra.delete('run');
  }

  /** Every file's row is kept until somebody asks, averaged with its neighbours where it takes too long. */
  row(row: HistoryRow): void {
    this.#rows.append(row);
    this.#changed();
  }

  historyTrouble(trouble: string | null): void {
    this.#pending.historyTrouble = trouble;
    this.#changed();
  }

  holds(holds: HeldSpectrum | null): void {
    this.#pending.holds = holds;
    this.#changed();
  }

  analysis(analysis: Analysis): void {
    this.#pending.analysis = analysis;
    this.#changed();
  }

  offline(status: OfflineStatus): void {
    this.#pending.offline = status;
    this.#changed();
  }

  measured(file: MeasuredFile): void {
    this.#measured.push(file);
    this.#changed();
  }

  problems(problems: readonly PlainProblem[]): void {
    this.#pending.problems = problems;
    this.#changed();
  }

  /** Everything since the last call; waits while nothing has changed. Called again only after it has resolved. */
  next(): Promise<MonitorUpdate> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      if (!this.#isEmpty) this.#deliver();
    });
  }

  #changed(): void {
    this.#isEmpty = false;
    this.#deliver();
  }

  #deliver(): void {
    const resolve = this.#waiting;
    if (resolve === null) return;
    const rows = this.#rows.take();
    const update: MonitorUpdate = {
      ...this.#pending,
      spectra: [...this.#spectra.values()],
      ...(rows.length > 0 ? { rows } : {}),
      ...(this.#measured.length > 0 ? { measured: this.#measured } : {}),
    };
    this.#waiting = null;
    this.#pending = {};
    this.#measured = [];
    this.#spectra.clear();
    this.#isEmpty = true;
    resolve(update);
  }
}
