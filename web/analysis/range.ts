/**
 * The vertical range that shows a spectrum: robust, so that a tone or the DC spike does not squash the floor, and
 * steady, so that the axis does not tremble with every update.
 */

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Bins at either end that `robust` may leave out: more than a tone and its leakage cover, 6 of 3072. */
const LEFT_OUT_SHARE = 0.002;
const LEFT_OUT_AT_LEAST = 3;
/** Zoomed in far, at most this share: what fills the view is what a person wants to see. */
const LEFT_OUT_AT_MOST = 1 / 8;
/** Left out are only values farther from the rest than this share of its span: tails of noise stay in view. */
const GAP = 0.35;
/** Air above and below, as a share of the span. */
const MARGIN = 0.12;
/** A range that is this much wider than needed is narrowed. */
const SLACK = 1.8;

/** Collects the finite values of many arrays in one reusable buffer, sorted on demand. */
export class RangeFinder {
  #values = new Float64Array(4096);
  #count = 0;
  #arrays = 0;

  clear(): void {
    this.#count = 0;
    this.#arrays = 0;
  }

  /** Adds bins `from` to `to` (exclusive); infinities (zero power in dB) and NaN do not count. */
  add(values: Float64Array, from: number, to: number): void {
    const end = Math.min(values.length, to);
    this.#arrays++;
    for (let k = Math.max(0, from); k < end; k++) {
      const value = values[k] as number;
      if (!Number.isFinite(value)) continue;
      if (this.#count === this.#values.length) this.#grow();
      this.#values[this.#count++] = value;
    }
  }

  /** Null while there is nothing finite to show. `full` keeps every value in view, `robust` leaves out lines. */
  find(mode: 'robust' | 'full'): Range | null {
    const n = this.#count;
    if (n === 0) return null;
    const sorted = this.#values.subarray(0, n).sort();
    const aside = mode === 'full' ? 0 : this.#mayLeaveOut();
    let low = aside;
    let high = n - 1 - aside;
    const gap = ((sorted[high] as number) - (sorted[low] as number)) * GAP;
    while (low > 0 && (sorted[low] as number) - (sorted[low - 1] as number) <= gap) low--;
    while (high < n - 1 && (sorted[high + 1] as number) - (sorted[high] as number) <= gap) high++;
    return withMargin(sorted[low] as number, sorted[high] as number);
  }

  /** Every array may have its own values of the same few bins. */
  #mayLeaveOut(): number {
    const bins = this.#count / this.#arrays;
    const most = Math.floor(bins * LEFT_OUT_AT_MOST);
    return this.#arrays * Math.min(most, Math.max(LEFT_OUT_AT_LEAST, Math.floor(bins * LEFT_OUT_SHARE)));
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
