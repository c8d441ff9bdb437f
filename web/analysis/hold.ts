/**
 * Peak and minimum hold: per bin the largest and the smallest mean of a file since a moment, and since which one.
 */

export interface HeldSpectrum {
  readonly run: string;
  readonly sinceMs: number;
  /** Files looked at, and the last of them. */
  readonly files: number;
  readonly lastFile: number;
  /** Slices in each, so that levels can be judged: extremes of short averages lie farther apart. */
  readonly slices: number;
  /** [bins] */
  readonly peak: Float32Array;
  readonly least: Float32Array;
}

/** One file's mean, as it is held. */
export interface HoldableFile {
  readonly run: string;
  readonly file: number;
  readonly slices: number;
  readonly mean: Float32Array;
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

  /** A file of another run or of another length begins anew. NaN changes nothing. */
  add({ run, file, slices, mean }: HoldableFile, utcMs: number): void {
    this.join({
      run,
      sinceMs: utcMs,
      files: 1,
      lastFile: file,
      slices,
      peak: mean.slice(),
      least: mean.slice(),
    });
  }

  /** What was held before or elsewhere, of the same run, and what is held now, as one; the newer one's last file. */
  join(other: HeldSpectrum): void {
    const held = this.#held;
    if (held === null || held.run !== other.run || held.peak.length !== other.peak.length) {
      this.#held = other;
      return;
    }
    const { peak, least } = held;
    for (let k = 0; k < peak.length; k++) {
      if ((other.peak[k] as number) > (peak[k] as number)) peak[k] = other.peak[k] as number;
      if ((other.least[k] as number) < (least[k] as number)) least[k] = other.least[k] as number;
    }
    // A file that both hold last was looked at twice, before a reload and after it.
    const isTwice = held.lastFile === other.lastFile;
    this.#held = {
      ...held,
      sinceMs: Math.min(held.sinceMs, other.sinceMs),
      files: held.files + other.files - (isTwice ? 1 : 0),
      lastFile: Math.max(held.lastFile, other.lastFile),
      slices: Math.min(held.slices, other.slices),
    };
  }
}
