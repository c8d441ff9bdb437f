/**
 * A spectrum as files: CSV, ECSV, JSON and NPZ. Pure functions, the same for the bridge and the page.
 *
 * CSV is the plain public format without provenance; every other format names run, slices, LO, fs,
 * normalisation, UTC range, what is missing and the software. Numbers have all the digits of a float64. A single
 * slice has no standard deviation: `nan` in tables, null in JSON.
 */
import { binFrequencyHz, binWidthHz, type Geometry, publishedPowerScale } from './geometry.ts';
import { type SpectrumMoments, sampleStd, type TimeSums } from './moments.ts';
import type { Annotation } from './operator.ts';
import { meanSquareOf, type WindowFigures, windowFigures } from './window.ts';
import { encodeNpz, type NpyArray } from './exports/npz.ts';

/** Run-wide or single-file moments with what an export needs to name them. */
export interface ExportedSpectrum {
  readonly run: string;
  /** Null for a run-wide average. */
  readonly file: number | null;
  readonly files: number;
  readonly geometry: Geometry;
  /** Without `time` where only the spectrum is known. */
  readonly moments: Pick<SpectrumMoments, 'count' | 'mean' | 'm2'> & Partial<Pick<SpectrumMoments, 'time'>>;
  readonly firstUtc: string | null;
  readonly lastUtc: string | null;
  /** Ranges of slices or files that are known to be missing; empty where none. */
  readonly missing: string;
  /** When an operator began the average anew; null or absent: it goes back to the run's first file. */
  readonly resetUtc?: string | null;
  /** What people have noted at the run. */
  readonly annotations?: readonly Annotation[];
  /** What the slices were multiplied with; no window unless said. */
  readonly window?: WindowFigures;
  /** Path of the one recording that it was made of, where its number does not say that. */
  readonly source?: string;
}

const normalisation = ({ name }: WindowFigures): string =>
  name === 'none'
    ? '|FFT|^2 / (bins * sample_rate_Hz * sqrt(2)), no window, two-sided'
    : '|FFT(w * x)|^2 / (sum(w^2) * sample_rate_Hz * sqrt(2)), two-sided';

const windowOf = ({ window }: ExportedSpectrum): WindowFigures => window ?? windowFigures('none');

/**
 * Factor from |FFT|² of windowed slices to the power that is exported. White noise has the same density under every
 * window; for none it is `publishedPowerScale`.
 */
export const exportedPowerScale = (geometry: Geometry, window: WindowFigures): number =>
  publishedPowerScale(geometry) / meanSquareOf(window);

/** Columns [bins], ascending frequency; power and std as published. */
interface Columns {
  readonly freqHz: Float64Array;
  readonly power: Float64Array;
  readonly std: Float64Array;
  readonly count: number;
}

function columns(spectrum: ExportedSpectrum): Columns {
  const { geometry, moments } = spectrum;
  const scale = exportedPowerScale(geometry, windowOf(spectrum));
  return {
    freqHz: Float64Array.from(moments.mean, (_, bin) => binFrequencyHz(geometry, bin)),
    power: moments.mean.map((mean) => mean * scale),
    std: moments.mean.map((_, bin) => sampleStd(moments, bin) * scale),
    count: moments.count,
  };
}

/** What every format but CSV says of itself; keys are public. */
function provenance(spectrum: ExportedSpectrum, software: string) {
  const { geometry } = spectrum;
  const window = windowOf(spectrum);
  return {
    run: spectrum.run,
    file: spectrum.file,
    ...(spectrum.source === undefined ? {} : { source: spectrum.source }),
    files: spectrum.files,
    slices: spectrum.moments.count,
    bins: geometry.bins,
    sample_rate_Hz: geometry.sampleRateHz,
    lo_Hz: geometry.loHz,
    bin_width_Hz: binWidthHz(geometry),
    normalisation: normalisation(window),
    window: window.name,
    coherent_gain: window.coherentGain,
    enbw_bins: window.enbwBins,
    rbw_Hz: window.enbwBins * binWidthHz(geometry),
    first_utc: spectrum.firstUtc,
    last_utc: spectrum.lastUtc,
    missing: spectrum.missing,
    ...digitiser(spectrum.moments.time),
    ...(spectrum.resetUtc == null ? {} : { average_since_utc: spectrum.resetUtc }),
    ...(spectrum.annotations?.length ? { annotations: spectrum.annotations.map(noteOf) } : {}),
    software,
  };
}

/**
 * What the digitiser did, over the samples of each channel of which that is known: extremes, means, and how many
 * samples of both channels lay at the largest |x|.
 */
function digitiser(time: TimeSums | undefined) {
  if (time === undefined || time.samples === 0) return {};
  const { samples, minI, maxI, minQ, maxQ, clipped, sumI, sumQ } = time;
  return {
    adc: {
      samples,
      clipped,
      min_I_V: minI,
      max_I_V: maxI,
      min_Q_V: minQ,
      max_Q_V: maxQ,
      mean_I_V: sumI / samples,
      mean_Q_V: sumQ / samples,
    },
  };
}
const noteOf = ({ at, text, author, madeUtc }: Annotation) => ({
  ...(at.kind === 'frequency' ? { freq_Hz: at.hz } : { utc: new Date(at.utcMs).toISOString() }),
  text,
  author,
  made_utc: madeUtc,
});

const HEADER = 'freq_Hz,power,std,count';

function rows({ freqHz, power, std, count }: Columns): string {
  const lines: string[] = [];
  for (let bin = 0; bin < power.length; bin++)
    lines.push(`${freqHz[bin]},${power[bin]},${asCell(std[bin] as number)},${count}\n`);
  return lines.join('');
}

const asCell = (value: number): string => (Number.isNaN(value) ? 'nan' : String(value));

/** Header line, then one line per bin, LF. */
export const exportCsv = (spectrum: ExportedSpectrum): string => `${HEADER}\n${rows(columns(spectrum))}`;

/**
 * Enhanced CSV 1.0 with units and provenance, as astropy's `Table.read` opens it.
 * Format: Astropy Proposal for Enhancement 6.
 */
export function exportEcsv(spectrum: ExportedSpectrum, software: string): string {
  const meta = Object.entries(provenance(spectrum, software)).map(
    ([key, value]) => `# - ${key}: ${JSON.stringify(value)}`,
  );
  const head = [
    '# %ECSV 1.0',
    '# ---',
    "# delimiter: ','",
    '# datatype:',
    '# - {name: freq_Hz, unit: Hz, datatype: float64, description: centre frequency of the bin}',
    '# - {name: power, unit: V2 / Hz, datatype: float64, description: mean power as published}',
    '# - {name: std, unit: V2 / Hz, datatype: float64, description: sample standard deviation over slices}',
    '# - {name: count, datatype: int64, description: slices averaged}',
    '# meta: !!omap',
    ...meta,
    '# schema: astropy-2.0',
    HEADER,
  ];
  return `${head.join('\n')}\n${rows(columns(spectrum))}`;
}

/** One object: provenance, then the columns as arrays under the names of the CSV. */
export function exportJson(spectrum: ExportedSpectrum, software: string): string {
  const { freqHz, power, std, count } = columns(spectrum);
  return JSON.stringify({
    ...provenance(spectrum, software),
    freq_Hz: Array.from(freqHz),
    power: Array.from(power),
    std: Array.from(std),
    count,
  });
}

/**
 * NumPy's `np.load`: `freq_Hz`, `power`, `std` as float64 [bins], `count` as int64 [bins], and `meta`, a string
 * with the provenance as JSON (`json.loads(str(npz["meta"]))`).
 */
export function exportNpz(spectrum: ExportedSpectrum, software: string): Uint8Array<ArrayBuffer> {
  const { freqHz, power, std, count } = columns(spectrum);
  const arrays: Readonly<Record<string, NpyArray>> = {
    freq_Hz: freqHz,
    power,
    std,
    count: new BigInt64Array(power.length).fill(BigInt(count)),
    meta: JSON.stringify(provenance(spectrum, software)),
  };
  return encodeNpz(arrays);
}

/** Name for a saved export, without its suffix: `haloscope_RUN_run`, `haloscope_RUN_file17`. */
export const exportFileName = (spectrum: ExportedSpectrum): string =>
  `haloscope_${spectrum.run}_${spectrum.file === null ? 'run' : `file${spectrum.file}`}`;
