/**
 * Under which conditions the plot holds, on the plot: resolution, window, integration, because levels move with them.
 */
import { useComputed } from '@preact/signals';
import { resolutionBandwidthHz } from '../../analysis/exposure.ts';
import { grouped, THIN } from '../format/numbers.ts';
import type { Model } from '../model/model.ts';
import { exposureText } from './legend.tsx';
import { BAND_NAMES } from './names.ts';

export function Conditions({ model }: { model: Model }) {
  const text = useComputed(() => {
    const g = model.geometry.value;
    const run = model.spectra.run.value;
    return [
      `RBW ${grouped(resolutionBandwidthHz(g), 2)}${THIN}Hz`,
      'no window',
      run === null ? '' : exposureText(run, g),
      model.view.band.value === 'none' ? 'no band' : `band: ${BAND_NAMES[model.view.band.value]}`,
    ]
      .filter((part) => part !== '')
      .join(' · ');
  });
  return <p class="conditions">{text}</p>;
}
