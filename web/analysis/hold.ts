/**
 * Peak and minimum hold: per bin the largest and the smallest mean of a file since a moment, and since which one.
 */

export interface HeldSpectrum {
  readonly sinceMs: number;
  /** Files looked at. */
  readonly files: number;
  /** Slices in each, so that levels can be judged: extremes of short averages lie farther apart. */
  readonly slices: number;
  /** [bins] */
  readonly peak: Float32Array;
  readonly least: Float32Array;
}

export class Hold {
  #held: HeldSpectrum | null = null;

  /** Null before the first file. The arrays change with the next file. */
  get held(): HeldSpectrum | null {
    return this.#held;
  }

  /** Begins anew with the next file. */
  reset(): void {
    this.#held = null;
  }

  /** One file's mean. A spectrum of another length begins anew. NaN changes nothing. */
  add(mean: Float32Array, slices: number, utcMs: number): void {
    const held = this.#held;
    if (held === null || held.peak.length !== mean.length) {
      this.#held = { sinceMs: utcMs, files: 1, slices, peak: mean.slice(), least: mean.slice() };
      return;
    }
    const { peak, least } = held;
    for (let k = 0; k < mean.length; k++) {
      const value = mean[k] as number;
      if (value > (peak[k] as number)) peak[k] = value;
      if (value < (least[k] as number)) least[k] = value;
    }
    this.#held = { ...held, files: held.files + 1, slices: Math.min(held.slices, slices) };
  }
}
