/**
 * Quantities with their units: frequencies, spans of time, ages, moments in UTC.
 */
import { fixed, grouped, signed, signedGrouped, significant, THIN } from './numbers.ts';

interface FrequencyUnit {
  readonly name: 'Hz' | 'kHz' | 'MHz';
  readonly hz: number;
}
const HZ: FrequencyUnit = { name: 'Hz', hz: 1 };
const KHZ: FrequencyUnit = { name: 'kHz', hz: 1e3 };
const MHZ: FrequencyUnit = { name: 'MHz', hz: 1e6 };

/** The unit in which offsets of up to `limitHz` read best. */
export const frequencyUnit = (limitHz: number): FrequencyUnit =>
  limitHz >= 1e6 ? MHZ : limitHz >= 1e3 ? KHZ : HZ;

/** Offset from the LO with 1 Hz of resolution: «+403.646 kHz». */
export const offsetFrequency = (hz: number): string => `${signedGrouped(hz / 1e3, 3)}${THIN}kHz`;

/** Absolute frequency to the hertz: «10.353 403 646 GHz». */
export const absoluteFrequency = (hz: number): string => `${grouped(hz / 1e9, 9)}${THIN}GHz`;

/** Absolute frequency without trailing zeros, for titles: «10.353 GHz». */
export function shortFrequency(hz: number): string {
  const text = (hz / 1e9).toFixed(9).replace(/\.?0+$/, '');
  const decimals = (text.split('.')[1] ?? '').length;
  return `${grouped(hz / 1e9, decimals)}${THIN}GHz`;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** A length of time to three digits: «4.19 s», «12.4 min», «14.9 h», «3.21 d». */
export function span(seconds: number): string {
  if (seconds === 0) return `0${THIN}s`;
  if (seconds < 2 * MINUTE) return `${significant(seconds, 3)}${THIN}s`;
  if (seconds < 2 * HOUR) return `${significant(seconds / MINUTE, 3)}${THIN}min`;
  if (seconds < 2 * DAY) return `${significant(seconds / HOUR, 3)}${THIN}h`;
  return `${significant(seconds / DAY, 3)}${THIN}d`;
}

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');

/** An age, coarser as it grows: «0.4 s», «37 s», «3 min 12 s», «2 h 05 min», «3 d 04 h». */
export function age(seconds: number): string {
  if (seconds < 10) return `${fixed(seconds, 1)}${THIN}s`;
  if (seconds < 2 * MINUTE) return `${Math.floor(seconds)}${THIN}s`;
  if (seconds < 2 * HOUR) return `${Math.floor(seconds / MINUTE)}${THIN}min ${two(seconds % MINUTE)}${THIN}s`;
  if (seconds < 2 * DAY)
    return `${Math.floor(seconds / HOUR)}${THIN}h ${two((seconds % HOUR) / MINUTE)}${THIN}min`;
  return `${Math.floor(seconds / DAY)}${THIN}d ${two((seconds % DAY) / HOUR)}${THIN}h`;
}

/** «2026-11-23 01:02:03 UTC». */
export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Time of day, with the date where it is not today's: «01:02:03 UTC». */
export function utcShort(ms: number, nowMs: number): string {
  const full = utc(ms);
  return full.slice(0, 10) === utc(nowMs).slice(0, 10) ? full.slice(11) : full;
}

/** «1 file», «12 843 files». */
export const counted = (n: number, singular: string, plural = `${singular}s`): string =>
  `${grouped(n)} ${n === 1 ? singular : plural}`;

/** Labels of a time axis, UTC: to the second where ticks are closer than a minute, dates where they are days apart. */
export function clockTicks(seconds: readonly number[], increment: number): string[] {
  return seconds.map((tick) => {
    const iso = new Date(tick * 1000).toISOString();
    if (increment >= DAY) return iso.slice(5, 10);
    return increment < MINUTE ? iso.slice(11, 19) : iso.slice(11, 16);
  });
}

interface VoltUnit {
  readonly name: 'V' | 'mV' | 'µV' | 'nV';
  readonly volts: number;
}
const NANOVOLT: VoltUnit = { name: 'nV', volts: 1e-9 };
const VOLT_UNITS: readonly VoltUnit[] = [
  { name: 'V', volts: 1 },
  { name: 'mV', volts: 1e-3 },
  { name: 'µV', volts: 1e-6 },
];

interface Voltages {
  readonly unit: string;
  readonly text: (volts: number, more?: number) => string;
}

/** How voltages of up to `peak` volts read best, all in one unit: three digits of the peak, `more` decimals more. */
export function voltages(peak: number): Voltages {
  const unit = VOLT_UNITS.find(({ volts }) => peak >= volts) ?? NANOVOLT;
  const decimals = peak > 0 ? Math.max(0, 2 - Math.floor(Math.log10(peak / unit.volts))) : 0;
  return {
    unit: unit.name,
    text: (volts, more = 0) => signed(volts / unit.volts, Math.min(9, decimals + more)),
  };
}
