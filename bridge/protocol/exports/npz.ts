/**
 * NPZ: NumPy arrays in a zip file without compression.
 *
 * npy format 1.0 (numpy/lib/format.py):          zip (APPNOTE.TXT), one entry per array, method 0 (stored):
 *   93 'NUMPY' 01 00 │ u16 header length │         local header │ name │ data
 *   header: Python dict, spaces, '\n', so that     …
 *   the data begin on a multiple of 64 │ data      central directory │ end record
 *
 * All numbers little-endian. Entries carry the earliest date that zip knows, so equal arrays give equal bytes.
 */

/** Float64 or int64 of one dimension, or a string of none. */
export type NpyArray = Float64Array | BigInt64Array | string;

const NPY_ALIGNMENT_BYTES = 64;
const NPY_PREFIX_BYTES = 10;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function npyContent(array: NpyArray): {
  readonly descr: string;
  readonly shape: string;
  readonly data: Uint8Array;
} {
  if (typeof array === 'string') {
    const points = Uint32Array.from(array, (letter) => letter.codePointAt(0) as number);
    return { descr: `<U${points.length}`, shape: '()', data: new Uint8Array(points.buffer) };
  }
  return {
    descr: array instanceof Float64Array ? '<f8' : '<i8',
    shape: `(${array.length},)`,
    data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  };
}

/** One array as a `.npy` file. */
function encodeNpy(array: NpyArray): Uint8Array<ArrayBuffer> {
  const { descr, shape, data } = npyContent(array);
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const dataAt = Math.ceil((NPY_PREFIX_BYTES + dict.length + 1) / NPY_ALIGNMENT_BYTES) * NPY_ALIGNMENT_BYTES;
  const file = new Uint8Array(dataAt + data.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(file.buffer).setUint16(8, dataAt - NPY_PREFIX_BYTES, true);
  file.set(ascii(`${dict.padEnd(dataAt - NPY_PREFIX_BYTES - 1)}\n`), NPY_PREFIX_BYTES);
  file.set(data, dataAt);
  return file;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  return crc;
});

/** CRC-32 (IEEE), as zip and the `hs-crc32` header use it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** Version 2.0 of zip is the least that every reader knows. */
const ZIP_VERSION = 20;
/** 1980-01-01 in DOS form. */
const DOS_DATE = 0x21;

interface Entry {
  readonly name: Uint8Array;
  readonly data: Uint8Array;
  readonly crc: number;
  readonly at: number;
}

/** Name → array, as `np.savez` writes them. */
export function encodeNpz(arrays: Readonly<Record<string, NpyArray>>): Uint8Array<ArrayBuffer> {
  const entries: Entry[] = [];
  let at = 0;
  for (const [key, array] of Object.entries(arrays)) {
    const name = ascii(`${key}.npy`);
    const data = encodeNpy(array);
    entries.push({ name, data, crc: crc32(data), at });
    at += LOCAL_BYTES + name.length + data.length;
  }
  const directoryBytes = entries.reduce((sum, { name }) => sum + CENTRAL_BYTES + name.length, 0);
  const zip = new Uint8Array(at + directoryBytes + END_BYTES);
  const view = new DataView(zip.buffer);
  let directoryAt = at;
  for (const entry of entries) {
    writeLocal(zip, view, entry);
    directoryAt = writeCentral(zip, view, entry, directoryAt);
  }
  writeEnd(view, directoryAt, entries.length, directoryBytes, at);
  return zip;
}

/** Version to date, CRC, sizes and name length: the part that local and central headers share. */
function writeCommon(view: DataView, at: number, { name, data, crc }: Entry): void {
  view.setUint16(at, ZIP_VERSION, true);
  view.setUint16(at + 8, DOS_DATE, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, data.length, true);
  view.setUint32(at + 18, data.length, true);
  view.setUint16(at + 22, name.length, true);
}

function writeLocal(zip: Uint8Array, view: DataView, entry: Entry): void {
  view.setUint32(entry.at, 0x0403_4b50, true);
  writeCommon(view, entry.at + 4, entry);
  zip.set(entry.name, entry.at + LOCAL_BYTES);
  zip.set(entry.data, entry.at + LOCAL_BYTES + entry.name.length);
}

function writeCentral(zip: Uint8Array, view: DataView, entry: Entry, at: number): number {
  view.setUint32(at, 0x0201_4b50, true);
  view.setUint16(at + 4, ZIP_VERSION, true);
  writeCommon(view, at + 6, entry);
  view.setUint32(at + 42, entry.at, true);
  zip.set(entry.name, at + CENTRAL_BYTES);
  return at + CENTRAL_BYTES + entry.name.length;
}

function writeEnd(
  view: DataView,
  at: number,
  entries: number,
  directoryBytes: number,
  directoryAt: number,
): void {
  view.setUint32(at, 0x0605_4b50, true);
  view.setUint16(at + 8, entries, true);
  view.setUint16(at + 10, entries, true);
  view.setUint32(at + 12, directoryBytes, true);
  view.setUint32(at + 16, directoryAt, true);
}
