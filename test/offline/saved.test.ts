import { expect, test } from 'vitest';
import { exportCsv, type ExportedSpectrum, exportEcsv, exportJson } from '../../bridge/protocol/exports.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { emptyMoments, type SpectrumMoments } from '../../bridge/protocol/moments.ts';
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import { encodeResult } from '../../bridge/protocol/result.ts';
import { type WindowFigures, windowFigures } from '../../bridge/protocol/window.ts';
import { RunSum } from '../../web/offline/analysis.ts';
import { parseSaved } from '../../web/offline/saved.ts';

const GEOMETRY: Geometry = { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 };

/** A few float64 operations there and back: scale, root and square, in either order. */
const ROUNDING = 2e-15;

const momentsOf = (count: number, seed: number): SpectrumMoments => ({
  ...emptyMoments(GEOMETRY.bins),
  count,
  mean: Float64Array.from({ length: GEOMETRY.bins }, (_, k) => 0.3 + ((k * 7 + seed) % 101) / 7),
  m2: Float64Array.from({ length: GEOMETRY.bins }, (_, k) =>
    count > 1 ? count * (0.1 + ((k * 3 + seed) % 89) / 9) : 0,
  ),
});

const spectrum = (moments: SpectrumMoments, window?: WindowFigures): ExportedSpectrum => ({
  run: 'run404',
  file: null,
  files: 2,
  geometry: GEOMETRY,
  moments,
  firstUtc: '2026-11-23T01:02:03.456Z',
  lastUtc: '2026-11-23T01:03:03.456Z',
  missing: '',
  ...(window === undefined ? {} : { window }),
});

function expectSame(found: SpectrumMoments | undefined, wanted: SpectrumMoments): void {
  expect(found?.count).toBe(wanted.count);
  for (const name of ['mean', 'm2'] as const)
    wanted[name].forEach((value, k) =>
      expect(Math.abs((found?.[name][k] as number) - value)).toBeLessThanOrEqual(ROUNDING * Math.abs(value)),
    );
}

const hann = windowFigures('hann');

test.for([
  ['CSV', exportCsv(spectrum(momentsOf(500, 1))), { files: 0, window: 'none', startMs: Number.NaN }],
  ['ECSV', exportEcsv(spectrum(momentsOf(500, 1)), 'test'), { files: 2, window: 'none' }],
  [
    'ECSV with a window',
    exportEcsv(spectrum(momentsOf(500, 1), hann), 'test'),
    { window: 'hann', startMs: Date.parse('2026-11-23T01:02:03.456Z') },
  ],
  [
    'JSON',
    exportJson(spectrum(momentsOf(500, 1)), 'test'),
    { files: 2, endMs: Date.parse('2026-11-23T01:03:03.456Z') },
  ],
  ['a message of results', encodeResult(momentsOf(500, 1), GEOMETRY, 12), { files: 1, window: 'none' }],
] as const)('%s comes back as the moments that it was made of', ([, text, wanted]) => {
  const [saved, ...others] = parseSaved(text, 'x', { sampleRateHz: 2e6, loHz: 10.353e9 });
  expect(others).toEqual([]);
  expect(saved).toMatchObject({ ...wanted, geometry: GEOMETRY });
  expectSame(saved?.moments, momentsOf(500, 1));
});

test('several messages of results, one a line, and one that is spread over lines', () => {
  const lines = [1, 2, 3].map((file) => encodeResult(momentsOf(100 * file, file), GEOMETRY, file));
  const saved = parseSaved(`${lines.join('\n')}\n`, 'x', GEOMETRY);
  expect(saved.map(({ moments }) => moments.count)).toEqual([100, 200, 300]);
  const spread = JSON.stringify(JSON.parse(lines[0] as string), null, 1);
  expect(parseSaved(spread, 'x', GEOMETRY)).toHaveLength(1);
});

test('a single slice has no deviation in any form, and comes back so', () => {
  const one = momentsOf(1, 1);
  for (const text of [
    exportCsv(spectrum(one)),
    exportEcsv(spectrum(one), 'test'),
    exportJson(spectrum(one), 'test'),
    encodeResult(one, GEOMETRY, 1),
  ])
    expectSame(parseSaved(text, 'x', GEOMETRY)[0]?.moments, one);
});

test('merged by count, two halves are the whole', () => {
  const whole = new RunSum(GEOMETRY.bins);
  const halves = new RunSum(GEOMETRY.bins);
  for (const [count, seed] of [
    [300, 1],
    [2731, 2],
  ] as const) {
    whole.add(momentsOf(count, seed), 1, 0, 1);
    const [saved] = parseSaved(exportCsv(spectrum(momentsOf(count, seed))), 'x', GEOMETRY);
    if (saved !== undefined) halves.add(saved.moments, saved.files, saved.startMs, saved.endMs);
  }
  expect(halves.moments.count).toBe(3031);
  expectSame(halves.moments, whole.moments);
});

test.for([
  { bins: 256, sampleRateHz: 1_234_567.891, loHz: 0 },
  { bins: 3072, sampleRateHz: 2.4e6, loHz: 1.42e9 },
  { bins: 729, sampleRateHz: 2e6, loHz: 10.3531234567e9 },
])('rate and frequency of a CSV are found from its axis: %o', (geometry) => {
  const { mean, m2 } = momentsOf(9, 1);
  const moments = { count: 9, mean: mean.slice(0, geometry.bins), m2: m2.slice(0, geometry.bins) };
  const [saved] = parseSaved(exportCsv({ ...spectrum(momentsOf(9, 1)), moments, geometry }), 'x', GEOMETRY);
  expect(saved?.geometry).toEqual(geometry);
});

const HEADER = 'freq_Hz,power,std,count\n';

test.for([
  ['nothing', '  \n', 'empty'],
  ['other columns', 'freq_Hz,power_1\n1,2\n', 'expected the columns freq_Hz,power,std,count'],
  ['text for a number', `${HEADER}1,2,x,4\n`, 'row 1'],
  ['too few cells', `${HEADER}1,2,3\n`, 'row 1'],
  ['nan for the deviation of many', `${HEADER}1,2,nan,4\n2,2,1,4\n`, 'row 1'],
  ['counts that differ', `${HEADER}1,2,1,4\n2,2,1,5\n`, 'one count'],
  ['falling frequencies', `${HEADER}2,2,1,4\n1,2,1,4\n`, 'rising frequencies'],
  ['uneven frequencies', `${HEADER}1,2,1,4\n2,2,1,4\n4,2,1,4\n`, 'evenly spaced'],
  ['half a JSON', '{"files":', 'expected JSON'],
  ['a JSON of something else', '{"name":"x"}', 'files'],
  ['an array of something else', '[1,2]', 'bin 0'],
  ['a result with a row lost', encodeResult(momentsOf(5, 1), GEOMETRY, 3).replace('"3_7"', '"3_8"'), 'bin 7'],
] as const)('rubbish is refused with its reason: %s', ([, text, reason]) => {
  const parse = (): unknown => parseSaved(text, 'x/y.csv', GEOMETRY);
  expect(parse).toThrow(FileProblem);
  expect(parse).toThrow(reason);
  expect(parse).toThrow(/^x\/y\.csv: /);
});
