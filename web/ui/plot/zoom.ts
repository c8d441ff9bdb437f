/**
 * Zooming and panning as arithmetic on ranges.
 */
import { binWidthHz, type Geometry } from '../../../bridge/protocol/geometry.ts';
import type { Range } from '../../analysis/range.ts';

/** Scales a range about a point that stays where it is; factor < 1 zooms in. */
export const scaledAbout = (range: Range, centre: number, factor: number): Range => ({
  min: centre - (centre - range.min) * factor,
  max: centre + (range.max - centre) * factor,
});

export const moved = (range: Range, by: number): Range => ({ min: range.min + by, max: range.max + by });

/**
 * Keeps a range within its limits, moving it before cutting it; null where it covers all of them, which is «not
 * zoomed». Never narrower than `least`.
 */
export function within(range: Range, limits: Range, least: number): Range | null {
  const width = Math.max(least, range.max - range.min);
  if (width >= limits.max - limits.min) return null;
  const middle = (range.min + range.max) / 2;
  const min = Math.min(limits.max - width, Math.max(limits.min, middle - width / 2));
  return { min, max: min + width };
}

/** Zoomed in no further than this. */
const LEAST_BINS = 8;

/** The whole band, as offsets from the LO in hertz. */
export const bandLimits = (g: Geometry): Range => ({ min: -g.sampleRateHz / 2, max: g.sampleRateHz / 2 });

/** A stretch of the band that can be shown; null for all of it. */
export const withinBand = (range: Range, g: Geometry): Range | null =>
  within(range, bandLimits(g), LEAST_BINS * binWidthHz(g));
