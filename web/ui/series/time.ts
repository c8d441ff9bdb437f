/**
 * The stretch of history that is shown, and the ticks of its axes.
 */
import type { Range } from '../../analysis/range.ts';
import type { Model } from '../model/model.ts';

/** Before there is anything, a stretch of time that is about to be filled. */
export const EMPTY_TIME: Range = { min: 0, max: 60 };
export const LEAST_SECONDS = 20;

/** Distances of the ticks of a time axis, in seconds. */
export const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800,
];

/** UTC in seconds. */
export function shownTime(model: Model): Range {
  const rows = model.rows.value;
  const newest = rows.at(-1);
  const oldest = rows[0];
  if (newest === undefined || oldest === undefined) return EMPTY_TIME;
  const max = newest.endMs / 1000;
  const depth = model.view.depth.value ?? max - oldest.startMs / 1000;
  return { min: max - Math.max(LEAST_SECONDS, depth), max };
}

/** The newest stays in view; how deep it goes is a person's choice. */
export const chooseDepth = (model: Model, oldestSeconds: number | null): void => {
  model.view.depth.value =
    oldestSeconds === null ? null : Math.max(LEAST_SECONDS, Math.round(shownTime(model).max - oldestSeconds));
};
