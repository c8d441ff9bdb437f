/**
 * What the axis means and which band is drawn: named choices next to the plot.
 */
import { useComputed } from '@preact/signals';
import type { BandKind } from '../../analysis/bands.ts';
import type { PowerScale, PowerUnit } from '../../analysis/power.ts';
import type { Model } from '../model/model.ts';
import type { HeightMode } from '../model/view.ts';
import { Choice } from './choice.tsx';
import { BAND_NAMES } from './names.ts';

const BANDS: readonly (readonly [BandKind, string])[] = [
  ['error', BAND_NAMES.error],
  ['std', BAND_NAMES.std],
  ['none', BAND_NAMES.none],
];
const UNITS: readonly (readonly [PowerUnit, string])[] = [
  ['published', 'as published (PSD/√2)'],
  ['per-hertz', 'per hertz (PSD)'],
];
const SCALES: readonly (readonly [PowerScale, string])[] = [
  ['linear', 'linear'],
  ['db', 'dB'],
];
const HEIGHTS: readonly (readonly [HeightMode, string])[] = [
  ['robust', 'floor'],
  ['full', 'all values'],
];

export function Controls({ model }: { model: Model }) {
  const { view } = model;
  /** A vertical zoom has no meaning in another unit. */
  const forgetHeight = (): void => {
    view.y.value = null;
  };
  // Not at every step of a zoom.
  const isZoomed = useComputed(() => view.x.value !== null || view.y.value !== null);
  return (
    <div class="controls">
      <Choice label="Band" value={view.band} options={BANDS} />
      <Choice label="Unit" value={view.unit} options={UNITS} onChosen={forgetHeight} />
      <Choice label="Scale" value={view.scale} options={SCALES} onChosen={forgetHeight} />
      <Choice label="Fit" value={view.height} options={HEIGHTS} onChosen={forgetHeight} />
      <button
        type="button"
        class="plain"
        disabled={!isZoomed.value}
        onClick={() => resetZoom(model)}
        title="Whole band (key 0, or double click)"
      >
        Whole band
      </button>
      <button
        type="button"
        class="plain"
        aria-expanded={model.openPanel.value === 'view'}
        title="Panels, axes, baseline (key v)"
        onClick={() => {
          model.openPanel.value = model.openPanel.value === 'view' ? null : 'view';
        }}
      >
        View
      </button>
    </div>
  );
}

export function resetZoom(model: Model): void {
  model.view.x.value = null;
  model.view.y.value = null;
}
