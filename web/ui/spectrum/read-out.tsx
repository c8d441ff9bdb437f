/**
 * What lies under the cursor: frequency, bin, and the value of every trace with its error.
 */
import { useComputed } from '@preact/signals';
import { binFrequencyHz } from '../../../bridge/protocol/geometry.ts';
import type { SpectrumFrame, Trace } from '../../../bridge/protocol/frames.ts';
import { errorOfMean } from '../../analysis/bands.ts';
import { type PowerScale, type PowerUnit, powerFactor, toDecibel } from '../../analysis/power.ts';
import { engineeringExponent, fixed, grouped, superscript, THIN } from '../format/numbers.ts';
import { absoluteFrequency, offsetFrequency } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { TRACE_NAMES } from './names.ts';

const ORDER: readonly Trace[] = ['run', 'latest', 'progress'];

/** Value ± error of the mean in the unit and scale shown. */
export function valueText(spectrum: SpectrumFrame, bin: number, unit: PowerUnit, scale: PowerScale): string {
  const factor = powerFactor(unit);
  const mean = (spectrum.mean[bin] as number) * factor;
  const error = errorOfMean((spectrum.std[bin] as number) * factor, spectrum.slices);
  if (Number.isNaN(mean)) return '–';
  if (scale === 'db') return mean > 0 ? `${fixed(toDecibel(mean), 3)}${THIN}dB` : 'no power';
  const exponent = engineeringExponent(mean);
  const scaled = (value: number): string => fixed(value * 10 ** -exponent, 3);
  const number = Number.isNaN(error) ? scaled(mean) : `(${scaled(mean)}${THIN}±${THIN}${scaled(error)})`;
  return exponent === 0 ? number : `${number}·10${superscript(exponent)}`;
}

export function ReadOut({ model }: { model: Model }) {
  const where = useComputed(() => {
    const bin = model.cursorBin.value;
    if (bin === null) return null;
    const g = model.geometry.value;
    const hz = binFrequencyHz(g, bin);
    return `${offsetFrequency(hz - g.loHz)} · ${absoluteFrequency(hz)} · bin ${grouped(bin)}`;
  });
  const bin = model.cursorBin.value;
  const unit = model.view.unit.value;
  const scale = model.view.scale.value;
  if (where.value === null || bin === null) return <p class="read-out" />;
  return (
    <p class="read-out">
      <span class="read-out-where">{where}</span>
      {ORDER.map((trace) => {
        const spectrum = model.spectra[trace].value;
        if (spectrum === null || !model.view.traces.value.has(trace)) return null;
        return (
          <span key={trace} class={`read-out-value ${trace}`} title={TRACE_NAMES[trace]}>
            {valueText(spectrum, bin, unit, scale)}
          </span>
        );
      })}
    </p>
  );
}
