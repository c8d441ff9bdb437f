/**
 * Labels of the axes: units chosen by the span, decimals by the distance of the ticks, exponents in the title.
 */
import { binWidthHz, type Geometry } from '../../../bridge/protocol/geometry.ts';
import type { PowerScale, PowerUnit } from '../../analysis/power.ts';
import type { Range } from '../../analysis/range.ts';
import type { ReferenceMode } from '../../analysis/reference.ts';
import { engineeringExponent, fixed, grouped, superscript, THIN } from '../format/numbers.ts';
import { frequencyUnit, shortFrequency } from '../format/quantities.ts';
import type { AxisKind } from '../model/view.ts';

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

/** At most so many steps between ticks; the same in every plot, because it is the same axis. */
const FREQUENCY_STEPS = 10;

/** The smallest of 1, 2, 5 · 10ⁿ that gives at most the wanted number of steps. */
function niceStep(span: number, steps: number): number {
  const raw = span / steps;
  const decade = 10 ** Math.floor(Math.log10(raw) + 1e-9);
  return ([1, 2, 5].find((factor) => factor * decade >= raw * 0.9999) ?? 10) * decade;
}

/** Distance of ticks, in hertz. Bins are whole. */
function frequencyStep(range: Range, kind: AxisKind, g: Geometry): number {
  const span = range.max - range.min;
  if (kind !== 'bin') return niceStep(span, FREQUENCY_STEPS);
  return Math.max(1, Math.round(niceStep(span / binWidthHz(g), FREQUENCY_STEPS))) * binWidthHz(g);
}

/** What the axis counts from: bin 0, the LO, or zero hertz. */
const originHz = (kind: AxisKind, g: Geometry): number => (kind === 'bin' ? -g.sampleRateHz / 2 : 0);

/** Ticks as offsets from the LO, whatever the axis counts. */
export function frequencySplits(range: Range, kind: AxisKind, g: Geometry): number[] {
  const step = frequencyStep(range, kind, g);
  const origin = originHz(kind, g);
  const splits: number[] = [];
  const first = Math.ceil((range.min - origin) / step - 1e-9);
  for (let i = first; origin + i * step <= range.max + 1e-9 * step; i++) splits.push(origin + i * step);
  return splits;
}

export function frequencyTicks(
  ticksHz: readonly number[],
  range: Range,
  kind: AxisKind,
  g: Geometry,
): string[] {
  if (kind === 'bin') return ticksHz.map((hz) => grouped(Math.round(hz / binWidthHz(g) + g.bins / 2)));
  const step = frequencyStep(range, kind, g);
  if (kind === 'absolute') {
    const decimals = tickDecimals(step / 1e9);
    return ticksHz.map((hz) => grouped((g.loHz + hz) / 1e9, decimals));
  }
  const unit = frequencyUnit(largest(range));
  const decimals = tickDecimals(step / unit.hz);
  return ticksHz.map((hz) => (hz === 0 ? '0' : fixed(hz / unit.hz, decimals)));
}

export function frequencyTitle(range: Range, kind: AxisKind, g: Geometry): string {
  if (kind === 'bin') return `Bin,   ${grouped(g.bins)} of ${grouped(binWidthHz(g), 2)}${THIN}Hz`;
  if (kind === 'absolute') return 'Frequency (GHz)';
  return `Frequency − LO (${frequencyUnit(largest(range)).name}),   LO = ${shortFrequency(g.loHz)}`;
}

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
  published: 'Power as published',
  'per-hertz': 'Power spectral density',
};

const exponentText = (range: Range): string => {
  const exponent = engineeringExponent(largest(range));
  return exponent === 0 ? '' : `10${superscript(exponent)}${THIN}`;
};

export function powerTitle(
  range: Range,
  unit: PowerUnit,
  scale: PowerScale,
  reference: ReferenceMode = 'off',
): string {
  if (reference === 'ratio')
    return scale === 'db' ? 'Power over reference (dB)' : `Power over reference${exponentTail(range)}`;
  if (reference === 'difference') return `Power − reference (${exponentText(range)}V²/Hz)`;
  if (scale === 'db') return `${NAMES[unit]} (dB re 1${THIN}V²/Hz)`;
  return `${NAMES[unit]} (${exponentText(range)}V²/Hz)`;
}

const exponentTail = (range: Range): string => {
  const text = exponentText(range);
  return text === '' ? '' : ` (${text.trim()})`;
};

/** Width of a usual character, in font sizes. */
const CHARACTER_EMS = 0.56;

/** The title where it fits, otherwise its unit in brackets, otherwise nothing: never a part of a word. */
export function fitting(title: string, roomPixels: number, fontPixels: number): string {
  const fits = (text: string): boolean => text.length * CHARACTER_EMS * fontPixels <= roomPixels;
  if (fits(title)) return title;
  const unit = /\([^()]*\)$/.exec(title)?.[0] ?? '';
  return fits(unit) ? unit : '';
}
