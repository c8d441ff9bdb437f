/**
 * A set of file numbers kept as sorted ranges, since a run of weeks is mostly one range: «0-102399».
 * Ranges are inclusive pairs, disjoint, not adjacent, ascending.
 *
 *   bytes   varint(first − end of the range before) · varint(last − first), and again …
 *
 * A varint has seven bits a byte, lowest first, the eighth set on all but the last: two bytes a range for a gap and a
 * range of up to 127 files.
 */

const VARINT_BITS = 7;
const VARINT_BASE = 2 ** VARINT_BITS;

export class NumberRanges {
  #ranges: [first: number, last: number][];

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

  /** Whether the ranges are what they have to be; those of a record may be anything. */
  get isSound(): boolean {
    const isNumber = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
    return this.#ranges.every(
      ([first, last], at) =>
        isNumber(first) && isNumber(last) && first <= last && first > (this.#ranges[at - 1]?.[1] ?? -2) + 1,
    );
  }

  /** How many ranges there are. */
  get length(): number {
    return this.#ranges.length;
  }

  /** How many numbers they hold. */
  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** The highest number; null where there is none. */
  get last(): number | null {
    return this.#ranges.at(-1)?.[1] ?? null;
  }

  /** Closes the lowest gaps until at most `most` ranges are left: numbers between them are in the set from then on. */
  closeLowestGaps(most: number): void {
    const tooMany = this.#ranges.length - most;
    if (tooMany <= 0) return;
    const first = this.#ranges[0] as [number, number];
    const last = this.#ranges[tooMany] as [number, number];
    this.#ranges = [[first[0], last[1]], ...this.#ranges.slice(tooMany + 1)];
  }

  toBytes(): Uint8Array {
    const bytes: number[] = [];
    let end = 0;
    for (const [first, last] of this.#ranges) {
      writeVarint(bytes, first - end);
      writeVarint(bytes, last - first);
      end = last;
    }
    return Uint8Array.from(bytes);
  }

  static fromBytes(bytes: Uint8Array): NumberRanges {
    const ranges: [number, number][] = [];
    let end = 0;
    for (let at = 0; at < bytes.length; ) {
      const gap = readVarint(bytes, at);
      const length = readVarint(bytes, gap.next);
      const first = end + gap.value;
      end = first + length.value;
      ranges.push([first, end]);
      at = length.next;
    }
    return new NumberRanges(ranges);
  }
}

/** Divides instead of shifting: a number from a header may have more than 32 bits. */
function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= VARINT_BASE) {
    bytes.push((rest % VARINT_BASE) + VARINT_BASE);
    rest = Math.floor(rest / VARINT_BASE);
  }
  bytes.push(rest);
}

/** @throws {RangeError} when the bytes end in the middle of a number */
function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = from, scale = 1; ; at++, scale *= VARINT_BASE) {
    const byte = bytes[at];
    if (byte === undefined) throw new RangeError('the ranges end in the middle of a number');
    value += (byte % VARINT_BASE) * scale;
    if (byte < VARINT_BASE) return { value, next: at + 1 };
  }
}
