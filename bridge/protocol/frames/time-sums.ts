/** Sums in the time domain as frames carry them: eleven f64 in the order of `TIME_FIELDS`. */
import { emptyTimeSums, type TimeSums } from '../moments.ts';

const TIME_FIELDS = [
  'samples',
  'minI',
  'maxI',
  'minQ',
  'maxQ',
  'clipped',
  'sumI',
  'sumQ',
  'sumII',
  'sumQQ',
  'sumIQ',
] as const satisfies readonly (keyof TimeSums)[];

export const TIME_SUMS_BYTES = 8 * TIME_FIELDS.length;

export function writeTimeSums(view: DataView, at: number, time: TimeSums): void {
  for (const [i, field] of TIME_FIELDS.entries()) view.setFloat64(at + 8 * i, time[field], true);
}

export function readTimeSums(view: DataView, at: number): TimeSums {
  const time = emptyTimeSums();
  for (const [i, field] of TIME_FIELDS.entries()) time[field] = view.getFloat64(at + 8 * i, true);
  return time;
}
