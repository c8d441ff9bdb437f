/** Results as they are read back: what is accepted says in every bin what the text says. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { emptyTimeSums } from '../../bridge/protocol/moments.ts';
import {
  decodeResult,
  decodeResultHeaders,
  encodeResult,
  encodeResultHeaders,
  ResultError,
} from '../../bridge/protocol/result.ts';
import { fuzz } from './fuzz.ts';
import { damagedJson } from './mutations.ts';

const GEOMETRY = { bins: 4, sampleRateHz: 2e6, loHz: 10e9 };

function accepted<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof ResultError)) throw error;
    return null;
  }
}

const power = fc.double({ min: 0, max: 1e300, noNaN: true });
const valid = fc
  .record({
    count: fc.integer({ min: 1, max: 5000 }),
    file: fc.integer({ min: 0, max: 99_999 }),
    mean: fc.array(power, { minLength: 4, maxLength: 4 }),
    m2: fc.array(power, { minLength: 4, maxLength: 4 }),
  })
  .map(({ count, file, mean, m2 }) => {
    const moments = {
      count,
      mean: Float64Array.from(mean),
      m2: Float64Array.from(m2),
      time: emptyTimeSums(),
    };
    return JSON.parse(encodeResult(moments, GEOMETRY, file)) as unknown;
  });

interface Row {
  readonly data: Readonly<Record<string, unknown>>;
}

fuzz('values of results', damagedJson(valid), (text) => {
  const result = accepted(() => decodeResult(text));
  if (result === null) return;
  const rows = JSON.parse(text) as readonly Row[];
  expect(rows.length).toBe(result.mean.length);
  for (const [bin, { data }] of rows.entries()) {
    expect(data['index']).toBe(`${result.file}_${bin}`);
    expect(data['indice']).toBe(result.file * rows.length + bin);
    expect(data['count_x']).toBe(result.count);
    expect(result.mean[bin]).toBe(data['mean_x']);
    expect(result.std[bin]).toBe(data['stddev_x'] ?? Number.NaN);
    expect(Number.isFinite(result.mean[bin])).toBe(true);
  }
});

const headers = fc
  .record({
    run: fc.stringMatching(/^[a-z0-9]{1,8}$/),
    file: fc.nat(99_999),
    slices: fc.nat(5000),
    geometry: fc.constant(GEOMETRY),
    startUtc: fc.option(fc.constant('2026-11-23T01:02:03.456Z')),
    endUtc: fc.option(fc.constant('2026-11-23T01:02:07.456Z')),
    software: fc.constant('haloscope test'),
    engine: fc.constantFrom('gpu', 'wasm', 'gpu+wasm'),
  })
  .map(encodeResultHeaders);

const damage = fc.array(
  fc.tuple(
    fc.nat(20),
    fc.oneof(fc.constantFrom('', ' ', 'NaN', 'Infinity', '-1', '1.5', '1e999', '0x10', '5 '), fc.string()),
  ),
  { maxLength: 3 },
);

fuzz('headers of results', fc.tuple(headers, damage), ([whole, changes]) => {
  const damaged: Record<string, string> = { ...whole };
  for (const [at, text] of changes) {
    const names = Object.keys(damaged);
    const name = names[at % (names.length + 1)];
    if (name === undefined) damaged[text] = text;
    else if (text === '') delete damaged[name];
    else damaged[name] = text;
  }
  const read = accepted(() => decodeResultHeaders(damaged));
  if (read === null) return;
  // Whatever is accepted is what a bridge could have written.
  const again = encodeResultHeaders(read);
  for (const [name, text] of Object.entries(again)) expect(damaged[name]).toBe(text);
});
