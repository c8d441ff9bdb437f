/**
 * Geometry of the data: how samples, slices, messages and files relate, and which bin is which frequency.
 *
 * A slice is `bins` complex samples; one slice gives one power spectrum of `bins` bins. Spectra are kept in
 * ascending frequency everywhere outside the kernels, so index 0 is LO − fs/2 and index bins/2 is the LO.
 */

export const DEFAULT_BINS = 3072;
export const DEFAULT_SAMPLE_RATE_HZ = 2e6;
export const DEFAULT_LO_HZ = 10.353e9;

/** Samples per channel in a file of nominal length: 2731 slices of 3072. */
export const NOMINAL_SAMPLES_PER_FILE = 8193 * 1024;

/** Bytes of one complex sample: I and Q as float32. */
export const BYTES_PER_IQ_SAMPLE = 8;

/** Largest value of one `chunk_data` message; 40 slices of 3072 bins, below Kafka's default limit of 1 MB. */
export const MAX_MESSAGE_VALUE_BYTES = 983_040;

/** Slices of one file that travel and are transformed together, at most: 160 slices of 3072 bins, 3.9 MB. */
export const MAX_BLOCK_BYTES = 4 * MAX_MESSAGE_VALUE_BYTES;

/** What turns bins into hertz. */
export interface Geometry {
  readonly bins: number;
  readonly sampleRateHz: number;
  readonly loHz: number;
}

export const sliceBytes = (bins: number): number => bins * BYTES_PER_IQ_SAMPLE;

/** Most slices that fit one message; 40 at 3072 bins. */
export const slicesPerMessageLimit = (bins: number): number =>
  Math.max(1, Math.floor(MAX_MESSAGE_VALUE_BYTES / sliceBytes(bins)));

/** Most slices in one block; 160 at 3072 bins. */
export const slicesPerBlockLimit = (bins: number): number =>
  Math.max(1, Math.floor(MAX_BLOCK_BYTES / sliceBytes(bins)));

/** Slices in a file of nominal length; 2731 at 3072 bins. */
export const nominalSlicesPerFile = (bins: number): number => Math.floor(NOMINAL_SAMPLES_PER_FILE / bins);

/** Resolution of the unwindowed spectrum in hertz. */
export const binWidthHz = (g: Geometry): number => g.sampleRateHz / g.bins;

/** Centre frequency of a bin in hertz, bin 0 being LO − fs/2. */
export const binFrequencyHz = (g: Geometry, bin: number): number =>
  g.loHz + (bin - Math.floor(g.bins / 2)) * (g.sampleRateHz / g.bins);

/**
 * Factor from |FFT|² to the power that `results` carries: 1 / (bins · fs · √2). The √2 is the convention of
 * the pipeline that this one continues.
 */
export const publishedPowerScale = (g: Geometry): number => 1 / (g.bins * g.sampleRateHz * Math.SQRT2);

/** Whether every engine transforms this length: 2^a · 3^b from 256 to 8192. */
export function isSupportedLength(bins: number): boolean {
  if (!Number.isInteger(bins) || bins < 256 || bins > 8192) return false;
  let rest = bins;
  while (rest % 2 === 0) rest /= 2;
  while (rest % 3 === 0) rest /= 3;
  return rest === 1;
}
