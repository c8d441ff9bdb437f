/**
 * Under which conditions the plot holds, on the plot: resolution, window, integration, because levels move with them.
 */
import { resolutionBandwidthHz, integrationSeconds } from '../../analysis/exposure.ts';
import { grouped, THIN } from '../format/numbers.ts';
import { span } from '../format/quantities.ts';
import { referenceMode } from '../model/lines.ts';
import type { Model } from '../model/model.ts';
import { BAND_SIGNS, windowText } from './names.ts';

export function Conditions({ model }: { model: Model }) {
  const g = model.geometry.value;
  const run = model.spectra.run.value;
  const band = model.view.band.value;
  const mode = referenceMode(model);
  return (
    <ul class="conditions">
      <li>
        RBW {grouped(resolutionBandwidthHz(g, model.window.value), 1)}
        {THIN}Hz
      </li>
      <li>{windowText(model.window.value)}</li>
      {run !== null && (
        <>
          <li>n {grouped(run.slices)}</li>
          <li>{span(integrationSeconds(run.slices, g))}</li>
        </>
      )}
      <li>band {BAND_SIGNS[band]}</li>
      {mode !== 'off' && <li class="mode">{mode}</li>}
    </ul>
  );
}
