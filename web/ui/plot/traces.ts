/**
 * The arrays behind the lines: converted when the spectrum or the choice of unit has changed, and only then.
 */
import {
  type Averaged,
  type DisplayArrays,
  type DisplayChoice,
  displayArrays,
  fillDisplay,
} from '../../analysis/display.ts';
import type { LineName } from '../model/view.ts';

interface Entry {
  readonly arrays: DisplayArrays;
  spectrum: Averaged | null;
  choice: DisplayChoice | null;
}

export class TraceArrays {
  #bins = 0;
  #entries = new Map<LineName, Entry>();

  /** Drops all arrays where the length has changed. */
  resize(bins: number): void {
    if (bins === this.#bins) return;
    this.#bins = bins;
    this.#entries.clear();
  }

  /** NaN throughout while there is no spectrum, or one of another length. */
  update(line: LineName, spectrum: Averaged | null, choice: DisplayChoice): DisplayArrays {
    const entry = this.#entry(line);
    const usable = spectrum?.mean.length === this.#bins ? spectrum : null;
    if (entry.spectrum === usable && sameChoice(entry.choice, choice)) return entry.arrays;
    if (usable === null) for (const values of Object.values(entry.arrays)) values.fill(Number.NaN);
    else fillDisplay(entry.arrays, usable, choice);
    entry.spectrum = usable;
    entry.choice = choice;
    return entry.arrays;
  }

  arrays(line: LineName): DisplayArrays {
    return this.#entry(line).arrays;
  }

  has(line: LineName): boolean {
    return this.#entry(line).spectrum !== null;
  }

  #entry(line: LineName): Entry {
    let entry = this.#entries.get(line);
    if (entry === undefined) {
      entry = { arrays: displayArrays(this.#bins), spectrum: null, choice: null };
      this.#entries.set(line, entry);
    }
    return entry;
  }
}

const sameChoice = (a: DisplayChoice | null, b: DisplayChoice): boolean =>
  a !== null && a.unit === b.unit && a.scale === b.scale && a.band === b.band;
