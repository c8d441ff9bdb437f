/**
 * What becomes of the spectra in the worker, whether the page looks or not: a row of the history and the holds from
 * every file, and the analysis of the spectrum that a person has chosen.
 *
 * The analysis takes tens of milliseconds where strong lines have to be found, so it is made here, and no more
 * often than people can look.
 */
import type { SpectrumFrame, Trace } from '../../bridge/protocol/frames.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { type Analysis, type AnalysisSettings, analyse } from '../analysis/analysis.ts';
import { DEFAULT_BASELINE } from '../analysis/excess.ts';
import { integrationSeconds } from '../analysis/exposure.ts';
import { LineMemory } from '../analysis/flagged.ts';
import type { HistoryRow } from '../analysis/history.ts';
import { type HeldSpectrum, Hold } from '../analysis/hold.ts';
import { totalPower } from '../analysis/total-power.ts';

export interface CollectorEvents {
  row(row: HistoryRow): void;
  /** Null after a reset; the arrays are the receiver's own. */
  holds(holds: HeldSpectrum | null): void;
  analysis(analysis: Analysis): void;
}

/** Least time between two analyses. */
const PAUSE_MS = 400;
/** While files are measured, which the analysis takes its time from. */
export const OFFLINE_PAUSE_MS = 1500;

export class Collector {
  readonly #events: CollectorEvents;
  readonly #pauseMs: number;
  readonly #hold = new Hold();
  readonly #memory = new LineMemory();
  /** Newest of each trace; copies, because the received ones are handed to the page. */
  readonly #newest = new Map<Trace, SpectrumFrame>();
  #settings: AnalysisSettings = { ...DEFAULT_BASELINE, of: 'run' };
  #geometry: Geometry | null = null;
  #run: string | null = null;
  #lastFile: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #analysedMs = Number.NEGATIVE_INFINITY;

  /** @param pauseMs least time between two analyses */
  constructor(events: CollectorEvents, pauseMs = PAUSE_MS) {
    this.#events = events;
    this.#pauseMs = pauseMs;
  }

  /** Before the first spectrum, and whenever it changes. */
  geometry(geometry: Geometry): void {
    this.#geometry = geometry;
  }

  /** @param arrivedMs by this machine's clock; stands for the time of data that carry none */
  spectrum(spectrum: SpectrumFrame, arrivedMs: number): void {
    const g = this.#geometry;
    if (g === null || spectrum.mean.length !== g.bins) return;
    if (spectrum.run !== this.#run) this.#begin(spectrum.run);
    const dated = Number.isNaN(spectrum.newestUtcMs) ? { ...spectrum, newestUtcMs: arrivedMs } : spectrum;
    const copy = { ...dated, mean: spectrum.mean.slice(), std: spectrum.std.slice() };
    this.#newest.set(copy.trace, copy);
    if (copy.trace === 'latest' && copy.file !== this.#lastFile) this.#file(copy, g);
    if (copy.trace === this.#settings.of) this.#analyseSoon();
  }

  /** A row and the holds from a file, whether it is the one that is looked at or not. */
  file(spectrum: SpectrumFrame): void {
    if (spectrum.run !== this.#run) this.#begin(spectrum.run);
    if (this.#geometry !== null) this.#file(spectrum, this.#geometry);
  }

  /** The spectrum that is looked at, without a row. */
  look(spectrum: SpectrumFrame): void {
    if (spectrum.trace === 'latest') this.#lastFile = spectrum.file;
    this.spectrum(spectrum, spectrum.newestUtcMs);
  }

  /** Whether spectra are of this run, as far as there are any. */
  isRun(run: string): boolean {
    return this.#run === null || this.#run === run;
  }

  /** An operator has ended the average: it is analysed no more. */
  endAverage(): void {
    this.#newest.delete('run');
  }

  analyse(settings: AnalysisSettings): void {
    if (settings.of !== this.#settings.of) this.#memory.forget();
    this.#settings = settings;
    this.#analyseSoon();
  }

  /** What was held before this visit goes on being held; of another run than the data's it is of no use. */
  holdAgain(held: HeldSpectrum): void {
    if (!this.isRun(held.run) || held.peak.length !== this.#geometry?.bins) return;
    this.#hold.join(held);
    this.#tellHolds();
  }

  resetHolds(): void {
    this.#hold.reset();
    this.#events.holds(null);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #begin(run: string): void {
    if (this.#run !== null) this.resetHolds();
    this.#run = run;
    this.#lastFile = null;
    this.#newest.clear();
    this.#memory.forget();
  }

  #file(spectrum: SpectrumFrame, g: Geometry): void {
    this.#lastFile = spectrum.file;
    const endMs = spectrum.newestUtcMs;
    this.#events.row({
      run: spectrum.run,
      firstFile: spectrum.file,
      lastFile: spectrum.file,
      files: 1,
      slices: spectrum.slices,
      slicesExpected: spectrum.slicesExpected,
      startMs: endMs - 1000 * integrationSeconds(spectrum.slices, g),
      endMs,
      totalPower: totalPower(spectrum.mean, g),
      mean: spectrum.mean.slice(),
    });
    this.#hold.add(spectrum, endMs);
    this.#tellHolds();
  }

  #tellHolds(): void {
    const held = this.#hold.held;
    if (held !== null) this.#events.holds({ ...held, peak: held.peak.slice(), least: held.least.slice() });
  }

  #analyseSoon(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#analysedMs + this.#pauseMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#analyseNow();
    }, wait);
  }

  #analyseNow(): void {
    const spectrum = this.#newest.get(this.#settings.of);
    if (spectrum === undefined || this.#geometry === null) return;
    this.#events.analysis(analyse(spectrum, this.#settings, this.#geometry, this.#memory));
    this.#analysedMs = performance.now();
  }
}
