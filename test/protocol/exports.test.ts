import { expect, test } from 'vitest';
import { crc32 } from '../../bridge/protocol/exports/npz.ts';
import {
  type ExportedSpectrum,
  exportCsv,
  exportEcsv,
  exportFileName,
  exportJson,
  exportNpz,
} from '../../bridge/protocol/exports.ts';
import { emptyTimeSums } from '../../bridge/protocol/moments.ts';

const BINS = 3072;
const SOFTWARE = 'haloscope 0.1.0';

const spectrum: ExportedSpectrum = {
  run: 'run404',
  file: null,
  files: 3,
  geometry: { bins: BINS, sampleRateHz: 2e6, loHz: 10.353e9 },
  moments: {
    count: 8193,
    mean: Float64Array.from({ length: BINS }, (_, bin) => 1 + bin / 7),
    m2: Float64Array.from({ length: BINS }, (_, bin) => 8192 * (bin + 1) ** 2),
  },
  firstUtc: '2026-11-23T01:02:03.456Z',
  lastUtc: null,
  missing: '17, 19-20',
};
const single: ExportedSpectrum = {
  ...spectrum,
  file: 17,
  files: 1,
  moments: { ...spectrum.moments, count: 1 },
};

/** |FFT|² to published power, written out anew. */
const SCALE = 1 / (3072 * 2_000_000 * Math.sqrt(2));

const expected = Array.from({ length: BINS }, (_, bin) => ({
  freq_Hz: 10.353e9 + ((bin - 1536) * 2e6) / 3072,
  power: (1 + bin / 7) * SCALE,
  std: (bin + 1) * SCALE,
}));

/** Half a unit in the last place for each of two differently ordered float64 products. */
const ROUNDING = 4.5e-16;
const expectClose = (found: number, wanted: number): void =>
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(ROUNDING * Math.abs(wanted));

function expectColumns(rows: readonly (readonly number[])[]): void {
  expect(rows).toHaveLength(BINS);
  for (const [bin, [freq, power, std, count]] of rows.entries()) {
    const row = expected[bin] as (typeof expected)[number];
    expectClose(freq as number, row.freq_Hz);
    expectClose(power as number, row.power);
    expectClose(std as number, row.std);
    expect(count).toBe(8193);
  }
}

const parseRows = (lines: readonly string[]): number[][] => lines.map((line) => line.split(',').map(Number));

test('CSV is a header and numbers, and nothing else', () => {
  const lines = exportCsv(spectrum).split('\n');
  expect(lines.shift()).toBe('freq_Hz,power,std,count');
  expect(lines.pop()).toBe('');
  expect(lines[0]?.startsWith('10352000000,')).toBe(true);
  expect(lines[1]?.startsWith('10352000651.041666,')).toBe(true);
  expectColumns(parseRows(lines));
});

test('ECSV adds units and where it comes from', () => {
  const lines = exportEcsv(spectrum, SOFTWARE).trimEnd().split('\n');
  const comments = lines.filter((line) => line.startsWith('#'));
  expect(comments.slice(0, 3)).toEqual(['# %ECSV 1.0', '# ---', "# delimiter: ','"]);
  expect(comments).toContain('# - run: "run404"');
  expect(comments).toContain('# - slices: 8193');
  expect(comments).toContain('# - missing: "17, 19-20"');
  expect(comments).toContain('# - last_utc: null');
  expect(comments).toContain(`# - software: "${SOFTWARE}"`);
  expect(lines[comments.length]).toBe('freq_Hz,power,std,count');
  expectColumns(parseRows(lines.slice(comments.length + 1)));
});

test('JSON holds the columns and where they come from', () => {
  const value = JSON.parse(exportJson(spectrum, SOFTWARE)) as Record<string, unknown>;
  expect(value).toMatchObject({
    run: 'run404',
    file: null,
    files: 3,
    slices: 8193,
    bins: 3072,
    sample_rate_Hz: 2e6,
    lo_Hz: 10.353e9,
    window: 'none',
    first_utc: '2026-11-23T01:02:03.456Z',
    count: 8193,
    software: SOFTWARE,
  });
  const [freq, power, std] = [value.freq_Hz, value.power, value.std] as number[][];
  expectColumns(
    (freq as number[]).map((f, bin) => [
      f,
      (power as number[])[bin] as number,
      (std as number[])[bin] as number,
      8193,
    ]),
  );
});

test('a single slice has no standard deviation in any format', () => {
  expect(exportCsv(single).split('\n')[5]?.split(',')[2]).toBe('nan');
  expect((JSON.parse(exportJson(single, SOFTWARE)) as { std: unknown[] }).std[4]).toBeNull();
  expect(exportFileName(single)).toBe('haloscope_run404_file17');
  expect(exportFileName(spectrum)).toBe('haloscope_run404_run');
});

test('CRC-32 is that of zip', () => {
  const bytes = Buffer.from('123456789');
  expect(crc32(bytes).toString(16)).toBe('cbf43926');
});

/** Reads a stored zip by its central directory, checking what a strict reader checks. */
function readZip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = zip.length - 22;
  expect(zip.readUInt32LE(end)).toBe(0x06054b50);
  const entries = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  expect(at + zip.readUInt32LE(end + 12)).toBe(end);
  for (let i = 0; i < entries; i++) {
    expect(zip.readUInt32LE(at)).toBe(0x02014b50);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('ascii', at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    const size = zip.readUInt32LE(at + 24);
    expect(zip.readUInt32LE(local)).toBe(0x04034b50);
    expect(zip.subarray(local + 4, local + 30)).toEqual(zip.subarray(at + 6, at + 32));
    const data = zip.subarray(local + 30 + nameLength, local + 30 + nameLength + size);
    expect(crc32(data)).toBe(zip.readUInt32LE(at + 16));
    files.set(name, data);
    at += 46 + nameLength;
  }
  expect(at).toBe(end);
  return files;
}

/** Header and data of a `.npy` file, format 1.0. */
function readNpy(file: Buffer | undefined): { readonly header: string; readonly data: Buffer } {
  if (file === undefined) throw new Error('no such array');
  expect(file.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
  const dataAt = 10 + file.readUInt16LE(8);
  expect(dataAt % 64).toBe(0);
  const header = file.toString('ascii', 10, dataAt);
  expect(header.endsWith('\n')).toBe(true);
  return { header: header.trim(), data: file.subarray(dataAt) };
}

test('NPZ reads back by its own formats', () => {
  const files = readZip(Buffer.from(exportNpz(spectrum, SOFTWARE)));
  expect([...files.keys()]).toEqual(['freq_Hz.npy', 'power.npy', 'std.npy', 'count.npy', 'meta.npy']);
  const [freq, power, std] = ['freq_Hz', 'power', 'std'].map((name) => {
    const { header, data } = readNpy(files.get(`${name}.npy`));
    expect(header).toBe("{'descr': '<f8', 'fortran_order': False, 'shape': (3072,), }");
    return Array.from({ length: BINS }, (_, bin) => data.readDoubleLE(8 * bin));
  }) as [number[], number[], number[]];
  const count = readNpy(files.get('count.npy'));
  expect(count.header).toBe("{'descr': '<i8', 'fortran_order': False, 'shape': (3072,), }");
  expectColumns(
    freq.map((f, bin) => [
      f,
      power[bin] as number,
      std[bin] as number,
      Number(count.data.readBigInt64LE(8 * bin)),
    ]),
  );
  const meta = readNpy(files.get('meta.npy'));
  const text = Array.from({ length: meta.data.length / 4 }, (_, i) =>
    String.fromCodePoint(meta.data.readUInt32LE(4 * i)),
  ).join('');
  expect(meta.header).toBe(`{'descr': '<U${text.length}', 'fortran_order': False, 'shape': (), }`);
  expect(JSON.parse(text)).toMatchObject({ run: 'run404', slices: 8193, missing: '17, 19-20' });
});

test('what the digitiser did is said wherever it is known', () => {
  const time = {
    samples: 1000,
    minI: -0.5,
    maxI: 0.25,
    minQ: -0.125,
    maxQ: 0.5,
    clipped: 7,
    sumI: 10,
    sumQ: -20,
    sumII: 1,
    sumQQ: 1,
    sumIQ: 0,
  };
  const known = { ...spectrum, moments: { ...spectrum.moments, time } };
  const said = {
    samples: 1000,
    clipped: 7,
    min_I_V: -0.5,
    max_I_V: 0.25,
    min_Q_V: -0.125,
    max_Q_V: 0.5,
    mean_I_V: 0.01,
    mean_Q_V: -0.02,
  };
  expect(JSON.parse(exportJson(known, SOFTWARE)).adc).toEqual(said);
  expect(exportEcsv(known, SOFTWARE)).toContain(`# - adc: ${JSON.stringify(said)}\n`);
  expect(JSON.parse(exportJson(spectrum, SOFTWARE))).not.toHaveProperty('adc');
  const empty = { ...spectrum.moments, time: emptyTimeSums() };
  expect(JSON.parse(exportJson({ ...spectrum, moments: empty }, SOFTWARE))).not.toHaveProperty('adc');
});
