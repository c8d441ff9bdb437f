/** Which slices of a file are there: a bitmap with a count, and the gaps as readable ranges. */
/** A word of 32 slices that are all there. */
const ALL = 0xffff_ffff;

export class SliceSet {
  #bits = new Uint32Array(96);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(slice: number): boolean {
    return (((this.#bits[slice >>> 5] ?? 0) >>> (slice & 31)) & 1) === 1;
  }

  /** Adds `length` slices from `first`; those already there stay counted once. */
  add(first: number, length: number): void {
    const words = ((first + length + 31) >>> 5) + 1;
    if (words > this.#bits.length) {
      const grown = new Uint32Array(Math.max(words, 2 * this.#bits.length));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    for (let s = first; s < first + length; s++) {
      if (this.has(s)) continue;
      this.#bits[s >>> 5] = (this.#bits[s >>> 5] as number) | (1 << (s & 31));
      this.#count++;
    }
  }

  /** Slices of first … first + length − 1 that are not there yet, as runs [first, length]. */
  missing(first: number, length: number): [first: number, length: number][] {
    const runs: [number, number][] = [];
    const end = first + length;
    for (let s = first; s < end; ) {
      const bits = this.#bits[s >>> 5] ?? 0;
      // A whole word at a time where it is all the same: a header can speak of ten million slices.
      const step = (s & 31) === 0 && (bits === 0 || bits === ALL) ? Math.min(32, end - s) : 1;
      if (((bits >>> (s & 31)) & 1) === 0) {
        const last = runs.at(-1);
        if (last && last[0] + last[1] === s) last[1] += step;
        else runs.push([s, step]);
      }
      s += step;
    }
    return runs;
  }

  /** What is missing of `total` slices: `0-39,80`; empty when complete. */
  missingRanges(total: number): string {
    return this.missing(0, total)
      .map(([first, length]) => (length === 1 ? `${first}` : `${first}-${first + length - 1}`))
      .join(',');
  }
}
