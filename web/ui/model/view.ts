/**
 * What a person has chosen to see. The view lives in the query of the address, so that a link shows the same
 * picture; only what differs from the default is written, and parameters of others are left alone.
 */
import { type Signal, signal } from '@preact/signals';
import type { BandKind } from '../../analysis/bands.ts';
import type { PowerScale, PowerUnit } from '../../analysis/power.ts';
import type { Range } from '../../analysis/range.ts';
import type { Trace } from '../../../bridge/protocol/frames.ts';

/** Drawn in this order, so the run-wide average lies on top. */
export const TRACES: readonly Trace[] = ['latest', 'progress', 'run'];

export type HeightMode = 'robust' | 'full';
export type Theme = 'dark' | 'light';

export interface ViewValues {
  /** Offsets from the LO in hertz; null shows the whole band. */
  readonly x: Range | null;
  /** In the unit and scale shown; null follows the data. */
  readonly y: Range | null;
  readonly traces: ReadonlySet<Trace>;
  readonly band: BandKind;
  readonly unit: PowerUnit;
  readonly scale: PowerScale;
  readonly height: HeightMode;
  /** Null follows the system. */
  readonly theme: Theme | null;
}

export type View = { readonly [K in keyof ViewValues]: Signal<ViewValues[K]> };

export const DEFAULT_VIEW: ViewValues = {
  x: null,
  y: null,
  traces: new Set(TRACES),
  band: 'error',
  unit: 'published',
  scale: 'linear',
  height: 'robust',
  theme: null,
};

const oneOf = <T extends string>(text: string | null, allowed: readonly T[], otherwise: T): T =>
  allowed.find((value) => value === text) ?? otherwise;

/** «-250000..250000»; anything else is no range. */
function readRange(text: string | null): Range | null {
  const [min, max, ...rest] = (text ?? '')
    .split('..')
    .map((part) => (part === '' ? Number.NaN : Number(part)));
  if (min === undefined || max === undefined || rest.length > 0) return null;
  return Number.isFinite(min) && Number.isFinite(max) && min < max ? { min, max } : null;
}

/** Seven digits place an edge to a thousandth of a bin; all of them where those would not tell the edges apart. */
function writeRange({ min, max }: Range): string {
  const [from, to] = [Number(min.toPrecision(7)), Number(max.toPrecision(7))];
  return from < to && Number.isFinite(to) && Number.isFinite(from) ? `${from}..${to}` : `${min}..${max}`;
}

export function readView(query: URLSearchParams): ViewValues {
  const names = query.get('traces')?.split(',');
  const theme = query.get('theme');
  return {
    x: readRange(query.get('x')),
    y: readRange(query.get('y')),
    traces:
      names === undefined ? DEFAULT_VIEW.traces : new Set(TRACES.filter((trace) => names.includes(trace))),
    band: oneOf(query.get('band'), ['error', 'std', 'none'], DEFAULT_VIEW.band),
    unit: oneOf(query.get('unit'), ['published', 'per-hertz'], DEFAULT_VIEW.unit),
    scale: oneOf(query.get('scale'), ['linear', 'db'], DEFAULT_VIEW.scale),
    height: oneOf(query.get('height'), ['robust', 'full'], DEFAULT_VIEW.height),
    theme: theme === 'dark' || theme === 'light' ? theme : null,
  };
}

/** The query with the view in it; what is not part of the view stays as it was. */
export function writeView(view: ViewValues, query: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams(query);
  const put = (name: string, text: string | null): void => {
    if (text === null) out.delete(name);
    else out.set(name, text);
  };
  put('x', view.x && writeRange(view.x));
  put('y', view.y && writeRange(view.y));
  put(
    'traces',
    view.traces.size === TRACES.length ? null : TRACES.filter((t) => view.traces.has(t)).join(','),
  );
  put('band', view.band === DEFAULT_VIEW.band ? null : view.band);
  put('unit', view.unit === DEFAULT_VIEW.unit ? null : view.unit);
  put('scale', view.scale === DEFAULT_VIEW.scale ? null : view.scale);
  put('height', view.height === DEFAULT_VIEW.height ? null : view.height);
  put('theme', view.theme);
  return out;
}

/** The query as text, with the dots and commas of ranges and lists left readable. */
export const queryText = (query: URLSearchParams): string =>
  query
    .toString()
    .replaceAll('%2C', ',')
    .replace(/=(?=&|$)/g, '');

export function createView(values: ViewValues): View {
  return {
    x: signal(values.x),
    y: signal(values.y),
    traces: signal(values.traces),
    band: signal(values.band),
    unit: signal(values.unit),
    scale: signal(values.scale),
    height: signal(values.height),
    theme: signal(values.theme),
  };
}

/** Reads every part, so that an effect which calls this follows all of them. */
export const viewValues = (view: View): ViewValues => ({
  x: view.x.value,
  y: view.y.value,
  traces: view.traces.value,
  band: view.band.value,
  unit: view.unit.value,
  scale: view.scale.value,
  height: view.height.value,
  theme: view.theme.value,
});
