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

/** A line between two bins lies in both, and its leakage in their neighbours. */
const LINE_REACH = 2;
/** Bins on either side, beyond the line, from which its floor is taken. */
const FLOOR_REACH = 16;

/**
 * Power of a line about a bin in units of the floor's power in one bin: Σ (P/floor − 1) over five bins, so that a
 * line between two bins counts as much as one on a bin. NaN where the floor cannot be told.
 */
export function toneHeight(mean: ArrayLike<number>, bin: number): number {
  const around: number[] = [];
  for (let k = bin - LINE_REACH - FLOOR_REACH; k <= bin + LINE_REACH + FLOOR_REACH; k++)
    if (Math.abs(k - bin) > LINE_REACH && k >= 0 && k < mean.length) around.push(mean[k] as number);
  const floor = median(around);
  let sum = 0;
  for (let k = Math.max(0, bin - LINE_REACH); k <= Math.min(mean.length - 1, bin + LINE_REACH); k++)
    sum += (mean[k] as number) / floor - 1;
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
