/**
 * Under which conditions the plot holds, on the plot: resolution, window, integration, because levels move with them.
 */
import type { BandKind } from '../../analysis/bands.ts';
import { resolutionBandwidthHz, integrationSeconds } from '../../analysis/exposure.ts';
import { grouped, THIN } from '../format/numbers.ts';
import { span } from '../format/quantities.ts';
import { referenceMode } from '../model/lines.ts';
import type { Model } from '../model/model.ts';
import { type StoredSpectrum, storedOf } from '../model/stored.ts';
import { BAND_SIGNS, windowText } from './names.ts';

/** A stored row has no spread; its band reaches up to the largest of a column. */
const bandText = (stored: StoredSpectrum | null, band: BandKind): string =>
  stored === null || band === 'none'
    ? `band ${BAND_SIGNS[band]}`
    : stored.largest === undefined
      ? 'no band'
      : 'band to largest';

export function Conditions({ model }: { model: Model }) {
  const g = model.geometry.value;
  const stored = storedOf(model).value;
  const shown = stored ?? model.spectra.run.value;
  const band = model.view.band.value;
  const mode = referenceMode(model);
  return (
    <ul class="conditions">
      <li>
        RBW {grouped(resolutionBandwidthHz(g, model.window.value), 1)}
        {THIN}Hz
      </li>
      <li>{windowText(model.window.value)}</li>
      {shown !== null && (
        <>
          <li>n {grouped(shown.slices)}</li>
          <li>{span(integrationSeconds(shown.slices, g))}</li>
        </>
      )}
      <li>{bandText(stored, band)}</li>
      {mode !== 'off' && <li class="mode">{mode}</li>}
    </ul>
  );
}
