/** Holding spectra against each other: markers, holds, references. */
import { expect, test } from 'vitest';
import { displayArrays, fillDisplay } from '../../web/analysis/display.ts';
import { Hold } from '../../web/analysis/hold.ts';
import { markerDifference } from '../../web/analysis/markers.ts';
import { against } from '../../web/analysis/reference.ts';
import { type CsvError, referenceOfCsv } from '../../web/analysis/reference-csv.ts';
import { exportCsv, exportEcsv } from '../../bridge/protocol/exports.ts';
import { emptyTimeSums } from '../../bridge/protocol/moments.ts';

const g = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };
const filled = (value: number): Float64Array => new Float64Array(g.bins).fill(value);

test('markers: bins, hertz, power with its error, and the power between them', () => {
  const spectrum = { slices: 100, mean: filled(2), std: filled(3) };
  spectrum.mean[30] = 20;
  spectrum.std[30] = 4;
  const d = markerDifference(spectrum, 10, 30, g);
  expect(d.bins).toBe(20);
  expect(d.hz).toBeCloseTo(20 * 7812.5, 9);
  expect(d.difference).toBe(18);
  expect(d.differenceError).toBeCloseTo(0.5, 12);
  expect(d.ratioDb).toBeCloseTo(10, 12);
  expect(d.bandPower).toBeCloseTo((20 * 2 + 20) * 7812.5, 6);
  const back = markerDifference(spectrum, 30, 10, g);
  expect([back.bins, back.difference, back.bandPower]).toEqual([-20, -18, d.bandPower]);
  expect(markerDifference(spectrum, 30, 30, g).differenceError).toBe(0);
});

const fileOf = (file: number, mean: Float32Array, slices: number) => ({ run: 'r', file, slices, mean });

test('holds keep extremes since a moment, and begin anew when told', () => {
  const hold = new Hold();
  expect(hold.held).toBeNull();
  hold.add(fileOf(7, Float32Array.of(1, 5, 3), 2731), 1000);
  hold.add(fileOf(8, Float32Array.of(2, 4, Number.NaN), 2730), 2000);
  expect(hold.held).toEqual({
    run: 'r',
    sinceMs: 1000,
    files: 2,
    lastFile: 8,
    slices: 2730,
    peak: Float32Array.of(2, 5, 3),
    least: Float32Array.of(1, 4, 3),
  });
  hold.add(fileOf(9, Float32Array.of(1, 2), 2731), 3000);
  expect(hold.held?.files).toBe(1);
  hold.add({ ...fileOf(10, Float32Array.of(1, 2), 2731), run: 'other' }, 4000);
  expect(hold.held).toMatchObject({ run: 'other', files: 1 });
  hold.reset();
  expect(hold.held).toBeNull();
});

test('what was held before a visit is held on, and a file that both have seen counts once', () => {
  const before = new Hold();
  before.add(fileOf(7, Float32Array.of(1, 9), 2731), 1000);
  before.add(fileOf(8, Float32Array.of(2, 5), 2731), 2000);
  const kept = before.held;
  if (kept === null) throw new Error('nothing was held');
  for (const [first, files] of [
    [8, 2],
    [9, 3],
  ] as const) {
    const hold = new Hold();
    hold.add(fileOf(first, Float32Array.of(4, 5), 2731), 9000);
    hold.join(kept);
    expect(hold.held).toMatchObject({ files, sinceMs: 1000, lastFile: first });
    expect([hold.held?.peak, hold.held?.least]).toEqual([Float32Array.of(4, 9), Float32Array.of(1, 5)]);
  }
});

test('ratio and difference carry both errors', () => {
  const spectrum = { slices: 100, mean: filled(6), std: filled(3) };
  const reference = { name: 'r', slices: 400, mean: filled(2), std: filled(2) };
  const ratio = against(spectrum, reference, 'ratio');
  expect(ratio.mean[7]).toBe(3);
  // σ = 0.3, σ₀ = 0.1: (0.3/2)² + (3·0.1/2)².
  const shown = displayArrays(g.bins);
  fillDisplay(shown, ratio, { unit: 'published', scale: 'linear', band: 'error' });
  expect((shown.high[7] as number) - (shown.mean[7] as number)).toBeCloseTo(Math.hypot(0.15, 0.15), 12);
  fillDisplay(shown, ratio, { unit: 'published', scale: 'linear', band: 'std' });
  expect((shown.high[7] as number) - (shown.mean[7] as number)).toBeCloseTo(1.5, 12);

  const difference = against(spectrum, reference, 'difference');
  expect(difference.mean[7]).toBe(4);
  fillDisplay(shown, difference, { unit: 'published', scale: 'linear', band: 'error' });
  expect((shown.high[7] as number) - (shown.mean[7] as number)).toBeCloseTo(Math.hypot(0.3, 0.1), 12);
  expect(() => against(spectrum, { ...reference, mean: new Float64Array(3) }, 'ratio')).toThrow(RangeError);
});

test('no power to divide by is a gap, an unknown error of the reference is none', () => {
  const reference = { name: 'r', slices: Number.NaN, mean: filled(0), std: filled(Number.NaN) };
  reference.mean[1] = 2;
  const ratio = against({ slices: 4, mean: filled(1), std: filled(1) }, reference, 'ratio');
  expect(ratio.mean[0]).toBeNaN();
  expect(ratio.mean[1]).toBe(0.5);
  expect(ratio.referenceError?.[1]).toBe(0);
});

const exported = {
  run: 'run404',
  file: null,
  files: 2,
  geometry: g,
  moments: { count: 5462, mean: filled(3), m2: filled(9), time: emptyTimeSums() },
  firstUtc: null,
  lastUtc: null,
  missing: '',
};

test('a reference is read back from what this software exports', () => {
  const scale = 1 / (256 * 2e6 * Math.SQRT2);
  for (const text of [exportCsv(exported), exportEcsv(exported, '0.1.0')]) {
    const reference = referenceOfCsv(text, 'a.csv', g);
    expect(reference.slices).toBe(5462);
    expect(reference.mean[99]).toBeCloseTo(3 * scale, 20);
    expect(reference.std[99]).toBeCloseTo(Math.sqrt(9 / 5461) * scale, 20);
  }
  const bare = exportCsv(exported)
    .split('\n')
    .map((line) => line.split(',').slice(0, 2).join(','))
    .join('\r\n');
  expect(referenceOfCsv(bare, 'b.csv', g)).toMatchObject({ slices: Number.NaN, name: 'b.csv' });
});

test.each<[string, (csv: string) => string, CsvError['code']]>([
  ['no header', (csv) => csv.replace('freq_Hz', 'f'), 'columns'],
  ['nothing', () => '', 'columns'],
  ['one line less', (csv) => csv.split('\n').slice(0, -2).join('\n'), 'bins'],
  ['a word for a number', (csv) => csv.replace(/\n([\d.]+),[^,]+/, '\n$1,many'), 'number'],
  ['an empty cell', (csv) => csv.replace(/\n([\d.]+),[^,]+/, '\n$1,'), 'number'],
  ['another LO', (csv) => csv.replaceAll('\n1035', '\n1034'), 'frequency'],
])('a file with %s is refused with its reason', (_, spoil, code) => {
  const read = () => referenceOfCsv(spoil(exportCsv(exported)), 'x.csv', g);
  expect(read).toThrow(expect.objectContaining({ name: 'CsvError', code }));
});
