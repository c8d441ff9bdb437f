/**
 * The binary frames once more, read with another hand: straight from the drawings above the codecs, byte by byte,
 * with nothing of theirs. What a codec accepts must be what this reads, and what it refuses this must refuse.
 */

/** Samples per slice that an engine transforms: 2^a · 3^b, 256 to 8192. */
const LENGTHS = new Set(
  Array.from({ length: 14 }, (_, a) => Array.from({ length: 9 }, (__, b) => 2 ** a * 3 ** b))
    .flat()
    .filter((length) => length >= 256 && length <= 8192),
);
/** Most bytes of samples in a block: four messages of 983 040. */
const MOST_BLOCK_BYTES = 3_932_160;

const isPrefix = (bytes: Buffer, type: number): boolean =>
  bytes.length >= 4 && bytes[0] === 0x48 && bytes[1] === 0x53 && bytes[2] === 2 && bytes[3] === type;

const areZero = (bytes: Buffer, from: number, to: number): boolean =>
  bytes.subarray(from, to).every((byte) => byte === 0);

const roundedUp16 = (bytes: number): number => bytes + ((16 - (bytes % 16)) % 16);

/** Eleven sums in the time domain. */
const timeAt = (bytes: Buffer, at: number): string =>
  Array.from({ length: 11 }, (_, n) => bytes.readDoubleLE(at + 8 * n)).join();

export interface WireMoments {
  readonly block: number;
  readonly epoch: number;
  readonly count: number;
  readonly scaleExponent: number;
  /** Bits, because NaN has many. */
  readonly computeMs: string;
  readonly time: string;
  readonly mean: string;
  readonly m2: string;
}

/** null: no moments frame. */
export function readMoments(bytes: Buffer): WireMoments | null {
  if (!isPrefix(bytes, 2) || bytes.length < 128) return null;
  const bins = bytes.readUInt32LE(4);
  const count = bytes.readUInt32LE(16);
  const scaleExponent = bytes.readInt32LE(20);
  const computeMs = bytes.readDoubleLE(24);
  const isFrame =
    LENGTHS.has(bins) &&
    bytes.length === 128 + 8 * bins &&
    areZero(bytes, 120, 128) &&
    count >= 1 &&
    count * bins * 8 <= MOST_BLOCK_BYTES &&
    Math.abs(scaleExponent) <= 160 &&
    computeMs >= 0 &&
    computeMs < Infinity;
  if (!isFrame) return null;
  return {
    block: bytes.readUInt32LE(8),
    epoch: bytes.readUInt32LE(12),
    count,
    scaleExponent,
    computeMs: String(computeMs),
    time: timeAt(bytes, 32),
    mean: bytes.toString('hex', 128, 128 + 4 * bins),
    m2: bytes.toString('hex', 128 + 4 * bins),
  };
}

export interface WireBlock {
  readonly block: number;
  readonly epoch: number;
  readonly file: number;
  readonly bins: number;
  readonly clipLevel: number;
  /** Slices of each segment. */
  readonly segments: readonly number[];
  readonly samples: string;
}

/** null: no block frame. */
export function readBlock(bytes: Buffer): WireBlock | null {
  if (!isPrefix(bytes, 1) || bytes.length < 40) return null;
  const headerBytes = bytes.readUInt32LE(4);
  const bins = bytes.readUInt32LE(20);
  const clipLevel = bytes.readDoubleLE(24);
  const count = bytes.readUInt32LE(32);
  const slices = bytes.readUInt32LE(36);
  const isHeader =
    LENGTHS.has(bins) &&
    clipLevel > 0 &&
    count >= 1 &&
    count <= slices &&
    slices * bins * 8 <= MOST_BLOCK_BYTES &&
    headerBytes === roundedUp16(40 + 4 * count) &&
    bytes.length === headerBytes + slices * bins * 8;
  if (!isHeader || !areZero(bytes, 40 + 4 * count, headerBytes)) return null;
  const segments = Array.from({ length: count }, (_, n) => bytes.readUInt32LE(40 + 4 * n));
  if (segments.includes(0) || segments.reduce((sum, each) => sum + each, 0) !== slices) return null;
  return {
    block: bytes.readUInt32LE(8),
    epoch: bytes.readUInt32LE(12),
    file: bytes.readUInt32LE(16),
    bins,
    clipLevel,
    segments,
    samples: bytes.toString('hex', headerBytes),
  };
}

export interface WireSpectrum {
  readonly sequence: number;
  readonly file: number;
  readonly files: number;
  readonly slicesExpected: number;
  readonly slices: number;
  readonly newestUtcMs: string;
  readonly time: string;
  readonly trace: number;
  readonly run: string;
  readonly mean: string;
  readonly std: string;
}

/** Letters of a run's name, and what the bridge may add to it. */
function isName(run: string): boolean {
  const [given = '', suffix, ...more] = run.split('~');
  const isGiven =
    given.length >= 1 &&
    given.length <= 64 &&
    Array.from(given).every((letter) =>
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-'.includes(letter),
    ) &&
    Array.from(given).some((letter) => letter !== '.');
  if (!isGiven || more.length > 0) return false;
  if (suffix === undefined) return true;
  return String(Number.parseInt(suffix, 10)) === suffix && Number(suffix) >= 2 && Number(suffix) <= 999_999;
}

/** null: no spectrum frame. */
export function readSpectrum(bytes: Buffer): WireSpectrum | null {
  if (!isPrefix(bytes, 3) || bytes.length < 144) return null;
  const bins = bytes.readUInt32LE(4);
  const slices = bytes.readDoubleLE(24);
  const trace = bytes[40] as number;
  const runBytes = bytes[41] as number;
  const meanAt = 144 + roundedUp16(runBytes);
  const isFrame =
    LENGTHS.has(bins) &&
    bytes.length === meanAt + 8 * bins &&
    areZero(bytes, 42, 48) &&
    areZero(bytes, 136, 144) &&
    areZero(bytes, 144 + runBytes, meanAt) &&
    trace <= 2 &&
    slices >= 0 &&
    slices <= Number.MAX_SAFE_INTEGER;
  const run = bytes.toString('latin1', 144, 144 + runBytes);
  if (!isFrame || !isName(run)) return null;
  return {
    sequence: bytes.readUInt32LE(8),
    file: bytes.readUInt32LE(12),
    files: bytes.readUInt32LE(16),
    slicesExpected: bytes.readUInt32LE(20),
    slices,
    newestUtcMs: String(bytes.readDoubleLE(32)),
    time: timeAt(bytes, 48),
    trace,
    run,
    mean: bytes.toString('hex', meanAt, meanAt + 4 * bins),
    std: bytes.toString('hex', meanAt + 4 * bins),
  };
}
