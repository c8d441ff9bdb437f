/**
 * Series along the run: total power relative to its start, and the height of the reference tone.
 */
import { binFrequencyHz } from '../../../bridge/protocol/geometry.ts';
import type { HistoryRow } from '../../analysis/history.ts';
import { strongestBin, toneHeight } from '../../analysis/total-power.ts';
import { fixed } from '../format/numbers.ts';
import { offsetFrequency } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { tickDecimals } from '../plot/axes.ts';

export interface SeriesKind {
  readonly name: string;
  readonly title: (model: Model) => string;
  /** [rows] NaN where a row has none. */
  readonly values: (rows: readonly HistoryRow[], model: Model) => Float64Array;
  readonly ticks: (values: readonly number[], increment: number) => string[];
}

const decimalTicks = (values: readonly number[], increment: number): string[] =>
  values.map((value) => fixed(value, tickDecimals(increment)));

export const TOTAL_POWER: SeriesKind = {
  name: 'Total power against UTC',
  title: () => 'Δ power (%)',
  values: (rows) => {
    const start = rows[0]?.totalPower ?? Number.NaN;
    return Float64Array.from(rows, (row) => 100 * (row.totalPower / start - 1));
  },
  ticks: decimalTicks,
};

/** Bin of the reference tone: the chosen one, otherwise the strongest line of the run. */
export const toneBin = (model: Model): number | null =>
  model.view.tone.value ??
  (model.spectra.run.value === null ? null : strongestBin(model.spectra.run.value.mean));

export function toneName(model: Model): string {
  const bin = toneBin(model);
  const g = model.geometry.value;
  return bin === null ? 'no tone' : offsetFrequency(binFrequencyHz(g, bin) - g.loHz);
}

export const TONE_HEIGHT: SeriesKind = {
  name: 'Height of the reference tone against UTC',
  title: () => 'tone / floor',
  values: (rows, model) => {
    const bin = toneBin(model);
    const { bins } = model.geometry.value;
    return Float64Array.from(rows, ({ mean }) => (bin === null ? Number.NaN : toneHeight(mean, bin, bins)));
  },
  ticks: decimalTicks,
};
