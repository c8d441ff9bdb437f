/**
 * The vertical range that shows a spectrum: robust, so that a tone or the DC spike does not squash the floor, and
 * steady, so that the axis does not tremble with every update.
 */

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Share of the bins cut off at either end by `robust`: 6 of 3072, more than a tone and its leakage cover. */
const TRIMMED_SHARE = 0.002;
/** At least so many are cut, once there are enough bins for it: a line seldom falls into one bin alone. */
const TRIMMED_AT_LEAST = 3;
const ENOUGH_BINS = 60;
/** Air above and below, as a share of the span: the trimmed ±2.9 σ of noise become ±3.9 σ. */
const MARGIN = 0.17;
/** A range that is this much wider than needed is narrowed. */
const SLACK = 1.8;

/** Collects the finite values of many arrays in one reusable buffer, sorted on demand. */
export class RangeFinder {
  #values = new Float64Array(4096);
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Adds bins `from` to `to` (exclusive); infinities (zero power in dB) and NaN do not count. */
  add(values: Float64Array, from: number, to: number): void {
    const end = Math.min(values.length, to);
    for (let k = Math.max(0, from); k < end; k++) {
      const value = values[k] as number;
      if (!Number.isFinite(value)) continue;
      if (this.#count === this.#values.length) this.#grow();
      this.#values[this.#count++] = value;
    }
  }

  /** Null while there is nothing finite to show. `full` keeps every bin in view, `robust` trims both ends. */
  find(mode: 'robust' | 'full'): Range | null {
    const n = this.#count;
    if (n === 0) return null;
    const sorted = this.#values.subarray(0, n).sort();
    const trim =
      mode === 'full' || n < ENOUGH_BINS ? 0 : Math.max(TRIMMED_AT_LEAST, Math.floor(n * TRIMMED_SHARE));
    return withMargin(sorted[trim] as number, sorted[n - 1 - trim] as number);
  }

  #grow(): void {
    const larger = new Float64Array(this.#values.length * 2);
    larger.set(this.#values);
    this.#values = larger;
  }
}

function withMargin(min: number, max: number): Range {
  const span = max - min;
  const margin = span > 0 ? span * MARGIN : Math.abs(max) * 0.05 || 1;
  return { min: min - margin, max: max + margin };
}

/** Keeps the range on the screen while it still fits what is wanted, and is not much too wide. */
export function steadyRange(shown: Range | null, wanted: Range): Range {
  if (shown === null) return wanted;
  const inner = (wanted.max - wanted.min) * (MARGIN / (1 + 2 * MARGIN)) * 0.7;
  const holds = shown.min <= wanted.min + inner && shown.max >= wanted.max - inner;
  const slim = shown.max - shown.min <= (wanted.max - wanted.min) * SLACK;
  return holds && slim ? shown : wanted;
}
