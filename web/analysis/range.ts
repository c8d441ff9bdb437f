/**
 * The vertical range that shows a spectrum: robust, so that a tone or the DC spike does not squash the floor, and
 * steady, so that the axis does not tremble with every update. It follows from the data alone and not from what
 * was shown before: every screen with the same data shows the same axis.
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
/** How far the noise of some thousand bins reaches: the largest of 3072 normal deviates is 3.4 σ on average. */
const REACH_SIGMAS = 3.4;
/** How far noise is shown: one bin in 150 000 lies beyond 4.5 σ. */
const SHOWN_SIGMAS = 4.5;
/** Air above and below, as a share of the span. */
const MARGIN = 0.04;
/** The range ends on multiples of about this share of its span. */
const GRID = 1 / 12;

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
    return { min: sorted[low] as number, max: sorted[high] as number };
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

/**
 * The axis for a trace whose values fill `core`. The noise that is in `core` is taken off and that of the noisiest
 * trace shown is put on, both as errors of the mean and not as extremes, which would change with every file.
 *
 * @param leaderError error of the mean of the values in `core`, same unit
 * @param widestError the largest error of the mean among the traces shown, at least `leaderError`
 */
export function heightRange(core: Range, leaderError: number, widestError: number): Range {
  const inner = Math.min(REACH_SIGMAS * leaderError, (core.max - core.min) / 2);
  const outer = SHOWN_SIGMAS * widestError - inner;
  const span = core.max - core.min + 2 * outer;
  const air = span > 0 ? span * MARGIN : Math.abs(core.max) * 0.05 || 1;
  return onGrid({ min: core.min - outer - air, max: core.max + outer + air });
}

/** Outwards to multiples of a step of 1, 2 or 5 times a power of ten. */
function onGrid({ min, max }: Range): Range {
  const target = (max - min) * GRID;
  const decade = 10 ** Math.floor(Math.log10(target));
  const step = ([5, 2, 1].find((factor) => factor * decade <= target) ?? 1) * decade;
  return { min: Math.floor(min / step) * step, max: Math.ceil(max / step) * step };
}
