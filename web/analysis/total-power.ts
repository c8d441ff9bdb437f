/**
 * Total power of a spectrum, and the height of a line in it: what drifts when the gain does.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import { median } from './robust.ts';

/** Σ m·Δν over all bins, in the unit of the spectrum times hertz. Bins that are not finite count as nothing. */
export function totalPower(mean: ArrayLike<number>, g: Geometry): number {
  let sum = 0;
  for (let k = 0; k < mean.length; k++) {
    const value = mean[k] as number;
    if (Number.isFinite(value)) sum += value;
  }
  return sum * binWidthHz(g);
}

/** Bins on either side: a line between two bins lies in both, and its leakage in their neighbours. */
const LINE_REACH = 2;
/** Columns on either side, beyond the line, from which its floor is taken. */
const FLOOR_REACH = 16;

/**
 * Power of a line about a bin in units of the floor's power in one bin: Σ (P/floor − 1) over five bins, so that a
 * line between two bins counts as much as one on a bin. Columns that are means of several bins give the same height
 * with more noise, because more bins without a line are added. NaN where the floor cannot be told.
 * @param mean [columns] dividing the band evenly
 * @param bins that the band has in full
 */
export function toneHeight(mean: ArrayLike<number>, bin: number, bins = mean.length): number {
  const per = bins / mean.length;
  const first = Math.floor((bin - LINE_REACH) / per);
  const last = Math.floor((bin + LINE_REACH) / per);
  const around: number[] = [];
  for (let k = first - FLOOR_REACH; k <= last + FLOOR_REACH; k++)
    if ((k < first || k > last) && k >= 0 && k < mean.length) around.push(mean[k] as number);
  const floor = median(around);
  let sum = 0;
  for (let k = Math.max(0, first); k <= Math.min(mean.length - 1, last); k++)
    sum += ((mean[k] as number) / floor - 1) * per;
  return floor > 0 ? sum : Number.NaN;
}

/** Bins about the LO that hold leakage and are nobody's tone. */
const DC_REACH = 8;

/** Bin of the strongest line outside DC: the reference tone, where nobody has said which. Null without any power. */
export function strongestBin(mean: ArrayLike<number>): number | null {
  const dc = Math.floor(mean.length / 2);
  let best: number | null = null;
  for (let k = 0; k < mean.length; k++) {
    if (Math.abs(k - dc) <= DC_REACH || !((mean[k] as number) > 0)) continue;
    if (best === null || (mean[k] as number) > (mean[best] as number)) best = k;
  }
  return best;
}
