/** Exports read back by readers that know only the formats: every number to its last digit. */
import zlib from 'node:zlib';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { exportCsv, type ExportedSpectrum, exportNpz } from '../../bridge/protocol/exports.ts';
import { binFrequencyHz, publishedPowerScale } from '../../bridge/protocol/geometry.ts';
import { sampleStd } from '../../bridge/protocol/moments.ts';
import { fuzz } from './fuzz.ts';

const power = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const spectrum: fc.Arbitrary<ExportedSpectrum> = fc
  .record({
    few: fc.array(fc.tuple(power, power), { minLength: 1, maxLength: 8 }),
    bins: fc.constantFrom(256, 288, 512),
    count: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    loHz: fc.double({ min: 0, max: 1e15, noNaN: true }),
    sampleRateHz: fc.double({ min: 1, max: 1e12, noNaN: true }),
    run: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
    file: fc.option(fc.nat(99_999)),
    missing: fc.string({ unit: 'binary', maxLength: 20 }),
  })
  .map(({ few, bins, count, loHz, sampleRateHz, run, file, missing }) => ({
    run,
    file,
    files: 1,
    geometry: { bins, sampleRateHz, loHz },
    moments: {
      count,
      mean: Float64Array.from({ length: bins }, (_, k) => few[k % few.length]?.[0] as number),
      m2: Float64Array.from({ length: bins }, (_, k) => few[k % few.length]?.[1] as number),
    },
    firstUtc: null,
    lastUtc: '2026-11-23T01:02:03.456Z',
    missing,
  }));

/** [bins, 4]: frequency, power, deviation, count, straight from the definition. */
const expectedOf = ({ geometry, moments }: ExportedSpectrum): number[][] =>
  Array.from(moments.mean, (mean, bin) => [
    binFrequencyHz(geometry, bin),
    mean * publishedPowerScale(geometry),
    sampleStd(moments, bin) * publishedPowerScale(geometry),
    moments.count,
  ]);

fuzz('exports as CSV', spectrum, (each) => {
  const [header, ...lines] = exportCsv(each).split('\n');
  expect([header, lines.pop()]).toEqual(['freq_Hz,power,std,count', '']);
  expect(lines.map((line) => line.split(',').map(Number))).toEqual(expectedOf(each));
});

/** A stored zip from its beginning, entry after entry, as a stream reader sees it. */
function entriesOf(zip: Buffer): Map<string, Buffer> {
  const entries = new Map<string, Buffer>();
  let at = 0;
  while (zip.readUInt32LE(at) === 0x0403_4b50) {
    const size = zip.readUInt32LE(at + 18);
    const nameEnd = at + 30 + zip.readUInt16LE(at + 26);
    const dataAt = nameEnd + zip.readUInt16LE(at + 28);
    const data = zip.subarray(dataAt, dataAt + size);
    expect(zlib.crc32(data)).toBe(zip.readUInt32LE(at + 14));
    entries.set(zip.toString('latin1', at + 30, nameEnd), data);
    at = dataAt + size;
  }
  return entries;
}

/** What follows the header of a `.npy`. */
const dataOf = (npy: Buffer | undefined): Buffer => {
  if (npy === undefined) throw new Error('no such array');
  return npy.subarray(10 + npy.readUInt16LE(8));
};

fuzz('exports as NPZ', spectrum, (each) => {
  const entries = entriesOf(Buffer.from(exportNpz(each, 'haloscope test')));
  const float64 = (name: string): number[] => {
    const data = dataOf(entries.get(`${name}.npy`));
    return Array.from({ length: data.length / 8 }, (_, k) => data.readDoubleLE(8 * k));
  };
  const [freq, mean, std] = [float64('freq_Hz'), float64('power'), float64('std')];
  const counts = dataOf(entries.get('count.npy'));
  const rows = freq.map((hz, k) => [hz, mean[k], std[k], Number(counts.readBigInt64LE(8 * k))]);
  expect(rows).toEqual(expectedOf(each));
  const meta = dataOf(entries.get('meta.npy'));
  const points = Array.from({ length: meta.length / 4 }, (_, k) => meta.readUInt32LE(4 * k));
  const said = JSON.parse(points.map((point) => String.fromCodePoint(point)).join('')) as ExportedSpectrum;
  expect([said.run, said.file, said.missing]).toEqual([each.run, each.file, each.missing]);
});
