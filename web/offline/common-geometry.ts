/**
 * The sampling rate and frequency that all recordings of one spectrum have in common.
 *
 * What a person says counts, then what the first recording says of itself, then the defaults. A recording that says
 * something else is left out with the reason: spectra on different axes make no average.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import type { Recording } from './recording.ts';

/** Null: not said. */
export interface SaidGeometry {
  readonly bins: number;
  readonly sampleRateHz: number | null;
  readonly loHz: number | null;
}

export interface CommonGeometry {
  readonly geometry: Geometry;
  readonly recordings: readonly Recording[];
  readonly problems: readonly FileProblem[];
}

/**
 * @param said by a person, for all recordings
 * @param defaults for recordings that say nothing
 * @param fixed of what has been measured already, which the others have to fit
 */
export function commonGeometry(
  recordings: readonly Recording[],
  said: SaidGeometry,
  defaults: Geometry,
  fixed: Geometry | null = null,
): CommonGeometry {
  const geometryOf = (recording: Recording | undefined): Geometry => ({
    bins: said.bins,
    sampleRateHz: said.sampleRateHz ?? recording?.sampleRateHz ?? defaults.sampleRateHz,
    loHz: said.loHz ?? recording?.loHz ?? defaults.loHz,
  });
  const geometry = fixed ?? geometryOf(recordings[0]);
  const kept: Recording[] = [];
  const problems: FileProblem[] = [];
  for (const recording of recordings) {
    const difference = axisDifference(geometryOf(recording), geometry);
    if (difference === null) kept.push(recording);
    else problems.push(new FileProblem('other-geometry', recording.path, difference));
  }
  return { geometry, recordings: kept, problems };
}

/** Frequencies may differ by this part of a bin, which is less than anybody knows them. */
const SAME_AXIS_BINS = 1e-6;

/** Why two spectra have no common axis, in words; null where they have one. */
export function axisDifference(own: Geometry, common: Geometry): string | null {
  if (own.bins !== common.bins) return `${own.bins} bins, but the others have ${common.bins}`;
  // At the edge of the band a difference in rate shows half as large as it is.
  const allowedHz = SAME_AXIS_BINS * binWidthHz(common);
  if (!(Math.abs(own.sampleRateHz - common.sampleRateHz) <= allowedHz))
    return `sampled at ${own.sampleRateHz} Hz, but the others at ${common.sampleRateHz} Hz; analyse it by itself`;
  if (!(Math.abs(own.loHz - common.loHz) <= allowedHz))
    return `its frequency is ${own.loHz} Hz, but that of the others ${common.loHz} Hz; analyse it by itself`;
  return null;
}
