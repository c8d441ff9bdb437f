/**
 * What lies under the cursor: frequency, bin, and the value of every line with its error.
 */
import { binFrequencyHz } from '../../../bridge/protocol/geometry.ts';
import { errorOfMean } from '../../analysis/bands.ts';
import type { Averaged } from '../../analysis/display.ts';
import { type PowerScale, type PowerUnit, powerFactor, toDecibel } from '../../analysis/power.ts';
import { engineeringExponent, fixed, grouped, superscript, THIN } from '../format/numbers.ts';
import { absoluteFrequency, offsetFrequency } from '../format/quantities.ts';
import { isShown, linesOf, referenceMode, shownScale } from '../model/lines.ts';
import type { Model } from '../model/model.ts';
import type { LineName } from '../model/view.ts';
import { LINE_NAMES } from './names.ts';

const ORDER: readonly LineName[] = ['run', 'latest', 'progress', 'peak', 'least', 'reference'];

/** A number with its error, three decimals and one exponent for both. */
function withError(value: number, error: number, scale: PowerScale): string {
  if (Number.isNaN(value)) return '–';
  if (scale === 'db') return value > 0 ? `${fixed(toDecibel(value), 3)}${THIN}dB` : 'no power';
  const exponent = engineeringExponent(value);
  const scaled = (it: number): string => fixed(it * 10 ** -exponent, 3);
  const number = Number.isNaN(error) ? scaled(value) : `(${scaled(value)}${THIN}±${THIN}${scaled(error)})`;
  return exponent === 0 ? number : `${number}·10${superscript(exponent)}`;
}

/** A published power in the unit and scale shown, without error. */
export const valueOfPower = (power: number, unit: PowerUnit, scale: PowerScale): string =>
  withError(power * powerFactor(unit), Number.NaN, scale);

/** Value ± error of the mean in the unit and scale shown. */
export function valueText(line: Averaged, bin: number, unit: PowerUnit, scale: PowerScale): string {
  const factor = powerFactor(unit);
  const own = errorOfMean(line.std[bin] as number, line.slices);
  const error = line.referenceError === undefined ? own : Math.hypot(own, line.referenceError[bin] as number);
  return withError((line.mean[bin] as number) * factor, error * factor, scale);
}

function Values({ model, bin }: { model: Model; bin: number }) {
  const unit = referenceMode(model) === 'ratio' ? 'published' : model.view.unit.value;
  const scale = shownScale(model);
  return (
    <>
      {ORDER.map((line) => {
        const spectrum = linesOf(model)[line].value;
        if (spectrum === null || !isShown(model, line)) return null;
        return (
          <span key={line} class={`read-out-value ${line}`} title={LINE_NAMES[line]}>
            {valueText(spectrum, bin, unit, scale)}
          </span>
        );
      })}
    </>
  );
}

export function ReadOut({ model }: { model: Model }) {
  const bin = model.cursorBin.value;
  if (bin === null) return <span class="read-out" />;
  const g = model.geometry.value;
  const hz = binFrequencyHz(g, bin);
  return (
    <span class="read-out">
      <span class="read-out-where">
        {offsetFrequency(hz - g.loHz)} · {absoluteFrequency(hz)} · bin {grouped(bin)}
      </span>
      <Values model={model} bin={bin} />
    </span>
  );
}
