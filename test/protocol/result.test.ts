import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { publishedPowerScale } from '../../bridge/protocol/geometry.ts';
import { emptyMoments } from '../../bridge/protocol/moments.ts';
import {
  decodeResult,
  decodeResultHeaders,
  encodeResult,
  encodeResultHeaders,
  ResultError,
  resultKey,
  resultMoments,
} from '../../bridge/protocol/result.ts';

const geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };

function momentsOf(count: number, mean: (bin: number) => number, m2: (bin: number) => number, bins = 256) {
  const moments = emptyMoments(bins);
  moments.count = count;
  for (let bin = 0; bin < bins; bin++) {
    moments.mean[bin] = mean(bin);
    moments.m2[bin] = m2(bin);
  }
  return moments;
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof ResultError) return error.code;
    throw error;
  }
}

test('the value is what existing consumers parse, letter by letter', () => {
  const scale = publishedPowerScale(geometry);
  const text = encodeResult(
    momentsOf(
      5,
      (bin) => (bin === 0 ? 5.1e-9 / scale : 1 / scale),
      () => 4 / scale ** 2,
    ),
    geometry,
    12288,
  );
  const first = text.slice(0, text.indexOf('}}') + 2);
  expect(first).toMatch(
    /^\[\{"data":\{"indice":3145728,"index":"12288_0","mean_x":5\.1(0{12,}\d)?e-9,"stddev_x":1,"count_x":5\}\}$/,
  );
  expect(text.endsWith('"count_x":5}}]')).toBe(true);
  const rows = JSON.parse(text) as { data: { indice: number; index: string } }[];
  expect(rows).toHaveLength(256);
  expect(rows[255]?.data).toMatchObject({ indice: 12288 * 256 + 255, index: '12288_255' });
});

test('numbers keep all their digits', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-300, max: 1e9, noNaN: true }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.nat(99_999),
      (mean, m2, file) => {
        const moments = momentsOf(
          2731,
          () => mean,
          () => m2,
        );
        const decoded = decodeResult(encodeResult(moments, geometry, file));
        const scale = publishedPowerScale(geometry);
        expect(decoded.file).toBe(file);
        expect(decoded.count).toBe(2731);
        expect(decoded.mean[7]).toBe(mean * scale);
        expect(decoded.std[7]).toBe(Math.sqrt(m2 / 2730) * scale);
      },
    ),
    { numRuns: 50 },
  );
});

/** Two multiplications, a division, a root and a square in float64, each half a unit in the last place: 4 · 2^−53. */
const ROUNDING = 4.5e-16;

test('moments come back from a result', () => {
  const moments = momentsOf(
    2731,
    (bin) => bin + 0.1,
    (bin) => bin * 3.7,
  );
  const back = resultMoments(decodeResult(encodeResult(moments, geometry, 3)), geometry);
  expect(back.count).toBe(2731);
  for (let bin = 0; bin < 256; bin++) {
    const mean = moments.mean[bin] as number;
    const m2 = moments.m2[bin] as number;
    expect(Math.abs((back.mean[bin] as number) - mean)).toBeLessThanOrEqual(ROUNDING * mean);
    expect(Math.abs((back.m2[bin] as number) - m2)).toBeLessThanOrEqual(2 * ROUNDING * m2);
  }
});

test('a single slice has no standard deviation', () => {
  const text = encodeResult(
    momentsOf(
      1,
      () => 2,
      () => 0,
    ),
    geometry,
    0,
  );
  expect(text).toContain('"stddev_x":null,"count_x":1');
  expect(decodeResult(text).std.every(Number.isNaN)).toBe(true);
  expect(resultMoments(decodeResult(text), geometry).m2.every((m2) => m2 === 0)).toBe(true);
});

test('nothing that JSON cannot carry is published', () => {
  expect(
    codeOf(() =>
      encodeResult(
        momentsOf(
          0,
          () => 1,
          () => 1,
        ),
        geometry,
        0,
      ),
    ),
  ).toBe('empty');
  for (const bad of [Number.NaN, Infinity]) {
    expect(
      codeOf(() =>
        encodeResult(
          momentsOf(
            9,
            () => bad,
            () => 1,
          ),
          geometry,
          0,
        ),
      ),
    ).toBe('non-finite');
    expect(
      codeOf(() =>
        encodeResult(
          momentsOf(
            9,
            () => 1,
            () => bad,
          ),
          geometry,
          0,
        ),
      ),
    ).toBe('non-finite');
  }
});

test.each([
  ['no JSON', (text: string) => text.slice(0, -1)],
  ['no array', () => '{}'],
  ['no bins', () => '[]'],
  ['no data', () => '[{}]'],
  ['another index', (text: string) => text.replace('"7_1"', '"7_2"')],
  ['another file in the middle', (text: string) => text.replace('"indice":1800', '"indice":1801')],
  ['a missing bin', (text: string) => text.replace(/,\{"data":\{"indice":1800[^}]*\}\}/, '')],
  ['another count', (text: string) => text.replace('"count_x":9', '"count_x":8')],
  ['a mean that is text', (text: string) => text.replace('"mean_x":', '"mean_x":"x","y":')],
  ['no deviation of many', (text: string) => text.replace(/"stddev_x":[^,]*/, '"stddev_x":null')],
])('%s is malformed', (_, change) => {
  const text = encodeResult(
    momentsOf(
      9,
      () => 1,
      () => 1,
    ),
    geometry,
    7,
  );
  expect(codeOf(() => decodeResult(text))).toBe('none');
  expect(change(text)).not.toBe(text);
  expect(codeOf(() => decodeResult(change(text)))).toBe('malformed');
});

test('garbage throws nothing but a ResultError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(codeOf(() => decodeResult(text))).toBe('malformed');
    }),
    { numRuns: 1000 },
  );
});

test('headers say what the value is of, and read back', () => {
  const provenance = {
    run: 'run404~2',
    file: 70001,
    slices: 2731,
    geometry: { bins: 3072, sampleRateHz: 2e6, loHz: 10353000000.125 },
    startUtc: '2026-11-23T01:02:03.456Z',
    endUtc: null,
    software: 'haloscope 0.1.0',
    engine: 'wasm',
  };
  const headers = encodeResultHeaders(provenance);
  expect(headers).toEqual({
    'hs-run': 'run404~2',
    'hs-file': '70001',
    'hs-slices': '2731',
    'hs-bins': '3072',
    'hs-fs': '2000000',
    'hs-lo': '10353000000.125',
    'hs-utc-start': '2026-11-23T01:02:03.456Z',
    'hs-software': 'haloscope 0.1.0',
    'hs-engine': 'wasm',
  });
  expect(decodeResultHeaders(headers)).toEqual(provenance);
  expect(codeOf(() => decodeResultHeaders({ ...headers, 'hs-file': 'seven' }))).toBe('malformed');
  expect(codeOf(() => decodeResultHeaders({}))).toBe('malformed');
  expect(resultKey('run404', 12)).toBe('run404/12');
});
