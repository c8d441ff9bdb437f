/**
 * Labels of the axes: units chosen by the span, decimals by the distance of the ticks, exponents in the title.
 */
import type { PowerScale, PowerUnit } from '../../analysis/power.ts';
import type { Range } from '../../analysis/range.ts';
import { engineeringExponent, fixed, superscript, THIN } from '../format/numbers.ts';
import { frequencyUnit, shortFrequency } from '../format/quantities.ts';

const largest = (range: Range): number => Math.max(Math.abs(range.min), Math.abs(range.max));

const MOST_DECIMALS = 12;

/** Decimals with which every multiple of the increment is written in full: 2 for 0.25, 0 for 50. */
export function tickDecimals(increment: number): number {
  if (!(increment > 0) || !Number.isFinite(increment)) return 0;
  for (let decimals = 0; decimals < MOST_DECIMALS; decimals++) {
    const scaled = increment * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return MOST_DECIMALS;
}

export function frequencyTicks(ticksHz: readonly number[], incrementHz: number, range: Range): string[] {
  const unit = frequencyUnit(largest(range));
  const decimals = tickDecimals(incrementHz / unit.hz);
  return ticksHz.map((hz) => (hz === 0 ? '0' : fixed(hz / unit.hz, decimals)));
}

export const frequencyTitle = (range: Range, loHz: number): string =>
  `Frequency − LO (${frequencyUnit(largest(range)).name}),   LO = ${shortFrequency(loHz)}`;

export function powerTicks(
  ticks: readonly number[],
  increment: number,
  range: Range,
  scale: PowerScale,
): string[] {
  const factor = scale === 'db' ? 1 : 10 ** -engineeringExponent(largest(range));
  const decimals = tickDecimals(increment * factor);
  return ticks.map((value) => fixed(value * factor, decimals));
}

const NAMES: Readonly<Record<PowerUnit, string>> = {
  published: 'Power as published = PSD/√2',
  'per-hertz': 'Power spectral density',
};

export function powerTitle(range: Range, unit: PowerUnit, scale: PowerScale): string {
  if (scale === 'db') return `${NAMES[unit]}  (dB re 1${THIN}V²/Hz)`;
  const exponent = engineeringExponent(largest(range));
  return `${NAMES[unit]}  (${exponent === 0 ? '' : `10${superscript(exponent)}${THIN}`}V²/Hz)`;
}
