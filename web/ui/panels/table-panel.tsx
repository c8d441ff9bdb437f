/**
 * The stretch of spectrum in view as a table, for those who cannot see the plot.
 */
import { binFrequencyHz, binWidthHz } from '../../../bridge/protocol/geometry.ts';
import { powerFactor } from '../../analysis/power.ts';
import { engineeringExponent, fixed, grouped, signedGrouped, superscript, THIN } from '../format/numbers.ts';
import { offsetFrequency } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { bandLimits } from '../plot/zoom.ts';

/** More rows than this nobody listens to; narrower views have one per bin. */
const MOST_ROWS = 32;

interface TableRow {
  readonly fromHz: number;
  readonly mean: number;
  readonly z: number;
  readonly strongestHz: number;
}

/** Mean power of the run average and the largest excess in each of up to 32 stretches of the view. */
export function tableRows(model: Model): readonly TableRow[] {
  const g = model.geometry.value;
  const run = model.spectra.run.value;
  const z = model.analysis.value?.z;
  if (run === null) return [];
  const x = model.view.x.value ?? bandLimits(g);
  const bin = (hz: number): number => Math.round(hz / binWidthHz(g) + g.bins / 2);
  const first = Math.max(0, bin(x.min));
  const last = Math.min(g.bins, bin(x.max) + 1);
  const step = Math.max(1, Math.ceil((last - first) / MOST_ROWS));
  const rows: TableRow[] = [];
  for (let from = first; from < last; from += step) {
    const to = Math.min(last, from + step);
    let sum = 0;
    let best = from;
    for (let k = from; k < to; k++) {
      sum += run.mean[k] as number;
      if ((z?.[k] ?? 0) > (z?.[best] ?? 0)) best = k;
    }
    rows.push({
      fromHz: binFrequencyHz(g, from) - g.loHz,
      mean: (sum / (to - from)) * powerFactor(model.view.unit.value),
      z: z?.[best] ?? Number.NaN,
      strongestHz: binFrequencyHz(g, best) - g.loHz,
    });
  }
  return rows;
}

export function TablePanel({ model }: { model: Model }) {
  const rows = tableRows(model);
  const exponent = engineeringExponent(Math.max(0, ...rows.map(({ mean }) => mean)));
  return (
    <>
      <h2>The stretch in view</h2>
      {rows.length === 0 ? (
        <p class="quiet">No spectrum yet.</p>
      ) : (
        <table class="stretch">
          <caption>
            Run average, n {grouped(model.spectra.run.value?.slices ?? 0)}; frequencies from the LO
          </caption>
          <thead>
            <tr>
              <th scope="col">from</th>
              <th scope="col">
                mean, 10{superscript(exponent)}
                {THIN}V²/Hz
              </th>
              <th scope="col">largest z</th>
              <th scope="col">at</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.fromHz}>
                <th scope="row">{offsetFrequency(row.fromHz)}</th>
                <td>{fixed(row.mean * 10 ** -exponent, 3)}</td>
                <td>{Number.isNaN(row.z) ? '–' : signedGrouped(row.z, 1)}</td>
                <td>{offsetFrequency(row.strongestHz)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
