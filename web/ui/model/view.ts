/**
 * What a person has chosen to see. The view lives in the query of the address, so that a link shows the same
 * picture; only what differs from the default is written, and parameters of others are left alone.
 */
import { type Signal, signal } from '@preact/signals';
import type { BandKind } from '../../analysis/bands.ts';
import { DEFAULT_BASELINE } from '../../analysis/excess.ts';
import type { PowerScale, PowerUnit } from '../../analysis/power.ts';
import type { Range } from '../../analysis/range.ts';
import { MOST_DEGREE } from '../../analysis/savitzky-golay.ts';
import type { Trace } from '../../../bridge/protocol/frames.ts';
import { DEFAULT_PANELS, type PanelSizes, readPanels, writePanels } from './panels.ts';

/** Every line that the spectrum can have: traces, holds, and a reference. */
export type LineName = Trace | 'peak' | 'least' | 'reference';

/** Drawn in this order, so the run-wide average lies on top. */
export const LINES: readonly LineName[] = ['latest', 'progress', 'peak', 'least', 'reference', 'run'];

export type HeightMode = 'robust' | 'full';
export type Theme = 'dark' | 'light' | 'system';
/** What the frequency axis counts: hertz from the LO, hertz, or bins. */
export type AxisKind = 'offset' | 'absolute' | 'bin';
/** Colour of the waterfall: power, or power over the mean of all rows. */
export type WaterfallKind = 'power' | 'relative';

export interface ViewValues {
  /** Offsets from the LO in hertz; null shows the whole band. */
  readonly x: Range | null;
  /** In the unit and scale shown; null follows the data. */
  readonly y: Range | null;
  readonly traces: ReadonlySet<LineName>;
  readonly band: BandKind;
  readonly unit: PowerUnit;
  readonly scale: PowerScale;
  readonly height: HeightMode;
  readonly axis: AxisKind;
  /** Which spectrum excess and kurtosis are of, and its baseline. */
  readonly of: Trace;
  readonly window: number;
  readonly degree: number;
  readonly waterfall: WaterfallKind;
  /** Seconds of history shown; null shows all. */
  readonly depth: number | null;
  /** Bins of the markers. */
  readonly a: number | null;
  readonly b: number | null;
  /** Bin of the reference tone; null takes the strongest line. */
  readonly tone: number | null;
  readonly panels: PanelSizes;
  readonly side: boolean;
  readonly theme: Theme;
  /** UTC in milliseconds of the stored row that is shown; null follows the data. */
  readonly at: number | null;
}

export type View = { readonly [K in keyof ViewValues]: Signal<ViewValues[K]> };

/** One part of the view and its text in the address. */
interface Field<T> {
  readonly fallback: T;
  /** Nonsense is the default, not an error. */
  readonly read: (text: string) => T;
  readonly write: (value: T) => string;
}

const oneOf = <T extends string>(fallback: T, allowed: readonly T[]): Field<T> => ({
  fallback,
  read: (text) => allowed.find((value) => value === text) ?? fallback,
  write: (value) => value,
});

/** Seven digits place an edge to a thousandth of a bin; all of them where those would not tell the edges apart. */
function writeRange({ min, max }: Range): string {
  const [from, to] = [Number(min.toPrecision(7)), Number(max.toPrecision(7))];
  return from < to && Number.isFinite(to) && Number.isFinite(from) ? `${from}..${to}` : `${min}..${max}`;
}

/** «-250000..250000»; anything else is no range. */
const range: Field<Range | null> = {
  fallback: null,
  read: (text) => {
    const [min, max, ...rest] = text.split('..').map((part) => (part === '' ? Number.NaN : Number(part)));
    if (min === undefined || max === undefined || rest.length > 0) return null;
    return Number.isFinite(min) && Number.isFinite(max) && min < max ? { min, max } : null;
  },
  write: (value) => (value === null ? '' : writeRange(value)),
};

const integer = <T extends number | null>(fallback: T, least: number, most: number): Field<number | T> => ({
  fallback,
  read: (text) => {
    const value = text === '' ? Number.NaN : Number(text);
    return Number.isInteger(value) && value >= least && value <= most ? value : fallback;
  },
  write: (value) => (value === null ? '' : String(value)),
});

/** «2026-11-24T02:40:12.345Z». */
const time: Field<number | null> = {
  fallback: null,
  read: (text) => {
    const ms = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(ms) ? null : ms;
  },
  write: (value) => (value === null ? '' : new Date(value).toISOString()),
};

const MOST_BINS = 8192;
const bin = integer(null, 0, MOST_BINS - 1);

const TRACE_FIELD: Field<ReadonlySet<LineName>> = {
  fallback: new Set<LineName>(['run', 'latest', 'progress']),
  read: (text) => new Set(LINES.filter((line) => text.split(',').includes(line))),
  write: (value) => LINES.filter((line) => value.has(line)).join(','),
};

const FIELDS: { readonly [K in keyof ViewValues]: Field<ViewValues[K]> } = {
  x: range,
  y: range,
  traces: TRACE_FIELD,
  band: oneOf<BandKind>('error', ['error', 'std', 'none']),
  unit: oneOf<PowerUnit>('published', ['published', 'per-hertz']),
  scale: oneOf<PowerScale>('linear', ['linear', 'db']),
  height: oneOf<HeightMode>('robust', ['robust', 'full']),
  axis: oneOf<AxisKind>('offset', ['offset', 'absolute', 'bin']),
  of: oneOf<Trace>('run', ['run', 'latest', 'progress']),
  window: integer(DEFAULT_BASELINE.window, 3, MOST_BINS),
  degree: integer(DEFAULT_BASELINE.degree, 0, MOST_DEGREE),
  waterfall: oneOf<WaterfallKind>('power', ['power', 'relative']),
  depth: integer(null, 1, 1e9),
  a: bin,
  b: bin,
  tone: bin,
  panels: { fallback: DEFAULT_PANELS, read: readPanels, write: writePanels },
  side: {
    fallback: true,
    read: (text) => text !== '0',
    write: (value) => (value ? '1' : '0'),
  },
  theme: oneOf<Theme>('dark', ['dark', 'light', 'system']),
  at: time,
};

const NAMES = Object.keys(FIELDS) as readonly (keyof ViewValues)[];

/** Builds an object with a value for every part of the view. */
const ofEveryPart = (make: (name: keyof ViewValues) => unknown): object =>
  Object.fromEntries(NAMES.map((name) => [name, make(name)]));

export const DEFAULT_VIEW = ofEveryPart((name) => FIELDS[name].fallback) as ViewValues;

export const readView = (query: URLSearchParams): ViewValues =>
  ofEveryPart((name) => {
    const text = query.get(name);
    return text === null ? FIELDS[name].fallback : FIELDS[name].read(text);
  }) as ViewValues;

const textOf = <K extends keyof ViewValues>(name: K, value: ViewValues[K]): string =>
  FIELDS[name].write(value);

/** The query with the view in it; what is not part of the view stays as it was. */
export function writeView(view: ViewValues, query: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams(query);
  for (const name of NAMES) {
    const text = textOf(name, view[name]);
    if (text === textOf(name, DEFAULT_VIEW[name])) out.delete(name);
    else out.set(name, text);
  }
  return out;
}

/** The query as text, with the dots, commas and colons of ranges and lists left readable. */
export const queryText = (query: URLSearchParams): string =>
  query
    .toString()
    .replaceAll('%2C', ',')
    .replaceAll('%3A', ':')
    .replace(/=(?=&|$)/g, '');

export const createView = (values: ViewValues): View => ofEveryPart((name) => signal(values[name])) as View;

/** Reads every part, so that an effect which calls this follows all of them. */
export const viewValues = (view: View): ViewValues => ofEveryPart((name) => view[name].value) as ViewValues;
