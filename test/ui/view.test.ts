import { expect, test } from 'vitest';
import { DEFAULT_VIEW, queryText, readView, type ViewValues, writeView } from '../../web/ui/model/view.ts';

const roundTrip = (view: ViewValues): ViewValues =>
  readView(new URLSearchParams(queryText(writeView(view, new URLSearchParams()))));

test('the default view leaves the address alone', () => {
  expect(writeView(DEFAULT_VIEW, new URLSearchParams()).toString()).toBe('');
  expect(readView(new URLSearchParams())).toEqual(DEFAULT_VIEW);
});

test('a link shows the same picture', () => {
  const view: ViewValues = {
    x: { min: -250_000, max: 125_000.5 },
    y: { min: 4.5e-9, max: 6e-9 },
    traces: new Set(['run', 'latest']),
    band: 'std',
    unit: 'per-hertz',
    scale: 'db',
    height: 'full',
    axis: 'bin',
    of: 'latest',
    window: 301,
    degree: 2,
    waterfall: 'relative',
    depth: 3600,
    a: 0,
    b: 3071,
    tone: 2944,
    panels: { spectrum: 4.25, excess: 0, kurtosis: 3, waterfall: 0, power: 2 },
    side: false,
    theme: 'light',
    at: Date.UTC(2026, 10, 24, 2, 40, 12, 345),
  };
  expect(roundTrip(view)).toEqual(view);
  expect(roundTrip({ ...view, traces: new Set() }).traces.size).toBe(0);
});

test('what is not of the view stays in the address', () => {
  const query = writeView({ ...DEFAULT_VIEW, scale: 'db' }, new URLSearchParams('engine=cpu&kiosk&x=1..2'));
  expect(queryText(query)).toBe('engine=cpu&kiosk&scale=db');
});

test('nonsense in the address is the default, not an error', () => {
  const query = new URLSearchParams(
    'x=5..1&y=a..b&band=wide&unit=&scale=log&traces=foo,run&theme=pink&height=9&a=-1&b=x&window=2.5&degree=99&panels=foo&depth=&tone=&at=yesterday',
  );
  expect(readView(query)).toEqual({ ...DEFAULT_VIEW, traces: new Set(['run']) });
  for (const x of ['1', '1..2..3', '..2', '1..', 'Infinity..NaN', '']) {
    expect({ x, range: readView(new URLSearchParams({ x })).x }).toEqual({ x, range: null });
  }
});
