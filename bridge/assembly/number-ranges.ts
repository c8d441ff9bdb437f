/**
 * A set of file numbers kept as sorted ranges, since a run of weeks is mostly one range: «0-102399».
 * Ranges are inclusive pairs, disjoint, not adjacent, ascending.
 */
export class NumberRanges {
  readonly #ranges: [first: number, last: number][];

  constructor(ranges: readonly (readonly [number, number])[] = []) {
    this.#ranges = ranges.map(([first, last]) => [first, last]);
  }

  /** Index of the first range that ends at or after `number`. */
  #at(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.[1] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#at(number)];
    return range !== undefined && range[0] <= number;
  }

  add(number: number): void {
    if (this.has(number)) return;
    const at = this.#at(number);
    const before = this.#ranges[at - 1];
    const after = this.#ranges[at];
    const joinsBefore = before !== undefined && before[1] === number - 1;
    const joinsAfter = after !== undefined && after[0] === number + 1;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#ranges.splice(at, 1);
    } else if (joinsBefore) before[1] = number;
    else if (joinsAfter) after[0] = number;
    else this.#ranges.splice(at, 0, [number, number]);
  }

  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  get last(): number | null {
    return this.#ranges.at(-1)?.[1] ?? null;
  }

  toJSON(): [number, number][] {
    return this.#ranges.map(([first, last]) => [first, last]);
  }
}
