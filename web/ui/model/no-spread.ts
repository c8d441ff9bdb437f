/** Extremes and stored rows have no error of a mean: [bins] NaN, made once for each length. */
const MADE = new Map<number, Float32Array>();

export function withoutSpread(bins: number): Float32Array {
  let none = MADE.get(bins);
  if (none === undefined) {
    none = new Float32Array(bins).fill(Number.NaN);
    MADE.set(bins, none);
  }
  return none;
}
