/**
 * Markers A and B and what lies between them, on the line that leads.
 */
import type { Signal } from '@preact/signals';
import { binFrequencyHz } from '../../../bridge/protocol/geometry.ts';
import type { Averaged } from '../../analysis/display.ts';
import { markerDifference } from '../../analysis/markers.ts';
import { powerFactor } from '../../analysis/power.ts';
import { engineeringExponent, fixed, signed, signedGrouped, superscript, THIN } from '../format/numbers.ts';
import { offsetFrequency } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { storedOf } from '../model/stored.ts';
import { LINE_NAMES } from '../spectrum/names.ts';

interface Leading {
  readonly name: string;
  readonly spectrum: Averaged;
}

/** Markers measure the first of these that is shown. */
function leading(model: Model): Leading | null {
  const stored = storedOf(model).value;
  if (stored !== null) return { name: 'stored row', spectrum: stored };
  for (const trace of ['run', 'latest', 'progress'] as const) {
    const spectrum = model.spectra[trace].value;
    if (spectrum !== null && model.view.traces.value.has(trace)) return { name: LINE_NAMES[trace], spectrum };
  }
  return null;
}

function MarkerField({ model, name, bin }: { model: Model; name: string; bin: Signal<number | null> }) {
  const g = model.geometry.value;
  const value = bin.value;
  return (
    <>
      <dt>
        <label for={`marker-${name}`}>{name}, bin</label>
      </dt>
      <dd>
        <input
          id={`marker-${name}`}
          type="number"
          min={0}
          max={g.bins - 1}
          value={value ?? ''}
          onChange={(event) => {
            const chosen = event.currentTarget.valueAsNumber;
            bin.value = Number.isInteger(chosen) && chosen >= 0 && chosen < g.bins ? chosen : null;
          }}
        />{' '}
        {value === null ? '' : offsetFrequency(binFrequencyHz(g, value) - g.loHz)}
      </dd>
    </>
  );
}

/** Two digits of the error, four of a number without: «(15.00 ± 0.23)·10⁻⁹». */
function powerText(value: number, error: number | null): string {
  const exponent = engineeringExponent(Math.max(Math.abs(value), error ?? 0));
  const scale = 10 ** -exponent;
  const last = error === null || error === 0 ? Math.abs(value) / 100 : error;
  const decimals = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(last * scale || 1))));
  const scaled = (it: number): string => fixed(it * scale, decimals);
  const number = error === null ? scaled(value) : `(${scaled(value)}${THIN}±${THIN}${scaled(error)})`;
  return exponent === 0 ? number : `${number}·10${superscript(exponent)}`;
}

function Difference({ model }: { model: Model }) {
  const a = model.view.a.value;
  const b = model.view.b.value;
  const on = leading(model);
  const bins = model.geometry.value.bins;
  if (a === null || b === null || on === null || Math.max(a, b) >= bins) return null;
  const d = markerDifference(on.spectrum, a, b, model.geometry.value);
  const unit = powerFactor(model.view.unit.value);
  return (
    <>
      <dt>Δf</dt>
      <dd class="delta-frequency">
        {offsetFrequency(d.hz)}, {signedGrouped(d.bins)}
      </dd>
      <dt>ΔP</dt>
      <dd class="delta-power" title={`On the ${on.name}, V²/Hz`}>
        {powerText(d.difference * unit, d.differenceError * unit)}
      </dd>
      <dt>B/A</dt>
      <dd>
        {Number.isNaN(d.ratioDb) ? '–' : signed(d.ratioDb, 3)}
        {THIN}dB
      </dd>
      <dt>Σ P·Δν</dt>
      <dd title={`Power from A to B on the ${on.name}, V²`}>
        {powerText(d.bandPower * unit, null)}
        {THIN}V²
      </dd>
    </>
  );
}

/** Sets a marker where the cursor is; on the same bin again, takes it away. */
export function mark(model: Model, marker: 'a' | 'b'): void {
  const bin = model.cursorBin.peek();
  if (bin === null) {
    model.message.value = 'Put the cursor on a plot first; the marker goes where it is.';
    return;
  }
  const place = model.view[marker];
  place.value = place.peek() === bin ? null : bin;
}

export function clearMarkers(model: Model): void {
  model.view.a.value = null;
  model.view.b.value = null;
}

export function Markers({ model }: { model: Model }) {
  const isSet = model.view.a.value !== null || model.view.b.value !== null;
  return (
    <section class="markers">
      <h2>
        Markers <span class="hint">{isSet ? '' : 'keys A, B'}</span>
      </h2>
      <dl class="pairs">
        <MarkerField model={model} name="A" bin={model.view.a} />
        <MarkerField model={model} name="B" bin={model.view.b} />
        <Difference model={model} />
      </dl>
    </section>
  );
}
