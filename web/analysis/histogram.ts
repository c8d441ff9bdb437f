/**
 * Histogram of the normalised excess beside what a unit normal distribution would give.
 */
import { tailAbove } from './chance.ts';

export interface Histogram {
  /** [cells + 1] */
  readonly edges: Float64Array;
  /** [cells] values counted, and expected of as many unit normal deviates. */
  readonly counts: Float64Array;
  readonly expected: Float64Array;
  /** Finite values in all, and those beyond the outer edges. */
  readonly total: number;
  readonly below: number;
  readonly above: number;
}

/** Values with `leftOut` 1 do not count; a value on an edge belongs to the cell above it. */
export function histogram(
  values: ArrayLike<number>,
  leftOut: ArrayLike<number> | null,
  min: number,
  max: number,
  cells: number,
): Histogram {
  const counts = new Float64Array(cells);
  let total = 0;
  let below = 0;
  let above = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (leftOut?.[k] === 1 || !Number.isFinite(value)) continue;
    total++;
    const cell = Math.floor(((value - min) / (max - min)) * cells);
    if (cell < 0) below++;
    else if (cell >= cells) above++;
    else counts[cell] = (counts[cell] as number) + 1;
  }
  const edges = Float64Array.from({ length: cells + 1 }, (_, i) => min + ((max - min) * i) / cells);
  const expected = counts.map(
    (_, i) => total * (tailAbove(edges[i] as number) - tailAbove(edges[i + 1] as number)),
  );
  return { edges, counts, expected, total, below, above };
}

/** Values above the threshold and below its negative, those with `leftOut` 1 not counted. */
export function countBeyond(
  values: ArrayLike<number>,
  leftOut: ArrayLike<number> | null,
  threshold: number,
): { readonly above: number; readonly below: number; readonly total: number } {
  let above = 0;
  let below = 0;
  let total = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (leftOut?.[k] === 1 || !Number.isFinite(value)) continue;
    total++;
    if (value > threshold) above++;
    else if (value < -threshold) below++;
  }
  return { above, below, total };
}
