/**
 * The digitiser in full: every quantity for the file in progress, the latest file and the run.
 */
import { type AdcFault, adcFaults, type AdcHealth } from '../../analysis/adc-health.ts';
import type { Trace } from '../../../bridge/protocol/frames.ts';
import { grouped, signed, THIN } from '../format/numbers.ts';
import { voltages } from '../format/quantities.ts';
import { clippedText, gainDb, imageText, phaseDegrees } from '../model/adc.ts';
import type { Model } from '../model/model.ts';

const COLUMNS: readonly { readonly trace: Trace; readonly name: string }[] = [
  { trace: 'progress', name: 'in progress' },
  { trace: 'latest', name: 'latest file' },
  { trace: 'run', name: 'run' },
];

interface Row {
  readonly name: string;
  readonly text: (health: AdcHealth) => string;
  /** Printed in the colour of an alarm with one of these. */
  readonly faults: readonly AdcFault[];
}

/** In a unit of its own, because a mean can be far below the peaks. */
function volts(value: number): string {
  const { unit, text } = voltages(Math.abs(value));
  return `${text(value)}${THIN}${unit}`;
}

/** Without a sign, because it has none. */
const rms = (value: number): string => volts(value).replace('+', '');

function range(min: number, max: number, peak: number): string {
  const { unit, text } = voltages(peak);
  return `${text(min)}…${text(max)}${THIN}${unit}`;
}

const ifBalanced = (health: AdcHealth, text: string): string =>
  health.rmsI === 0 || health.rmsQ === 0 ? '–' : text;

const ROWS: readonly Row[] = [
  { name: 'samples', text: (h) => grouped(h.samples), faults: [] },
  { name: 'clipped', text: (h) => clippedText(h, ''), faults: ['clipping'] },
  { name: 'I, range', text: (h) => range(h.minI, h.maxI, h.peak), faults: [] },
  { name: 'Q, range', text: (h) => range(h.minQ, h.maxQ, h.peak), faults: [] },
  { name: 'I, rms', text: (h) => rms(h.rmsI), faults: ['silent-i'] },
  { name: 'Q, rms', text: (h) => rms(h.rmsQ), faults: ['silent-q'] },
  { name: 'I, DC', text: (h) => volts(h.dcI), faults: ['dc'] },
  { name: 'Q, DC', text: (h) => volts(h.dcQ), faults: ['dc'] },
  {
    name: 'gain Q/I',
    text: (h) => ifBalanced(h, `${signed(gainDb(h), 3)}${THIN}dB`),
    faults: ['imbalance'],
  },
  {
    name: 'quadrature',
    text: (h) => ifBalanced(h, `${signed(phaseDegrees(h), 3)}°`),
    faults: ['imbalance'],
  },
  { name: 'image', text: (h) => ifBalanced(h, imageText(h)), faults: ['imbalance'] },
];

function Cell({ row, health }: { row: Row; health: AdcHealth | null }) {
  if (health === null) return <td>–</td>;
  const isBad = adcFaults(health).some((fault) => row.faults.includes(fault));
  return <td class={isBad ? 'bad' : ''}>{row.text(health)}</td>;
}

export function AdcTable({ model }: { model: Model }) {
  const adc = model.adc.value;
  return (
    <table class="adc-table">
      <caption>Digitiser</caption>
      <thead>
        <tr>
          <td />
          {COLUMNS.map(({ trace, name }) => (
            <th key={trace} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {ROWS.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            {COLUMNS.map(({ trace }) => (
              <Cell key={trace} row={row} health={adc[trace]} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
