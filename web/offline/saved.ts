/**
 * Results of an earlier analysis, read back so that they can be merged by count with what is measured now:
 *
 *   [ {"data":{…}}, … ]            a message of `results`, or several, one a line
 *   { "run": …, "freq_Hz": […] }   our JSON
 *   # %ECSV 1.0 …                  our ECSV
 *   freq_Hz,power,std,count        our CSV, which says neither window nor run
 */
import * as v from 'valibot';
import { exportedPowerScale } from '../../bridge/protocol/exports.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { emptyTimeSums, type SpectrumMoments } from '../../bridge/protocol/moments.ts';
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import { decodeResult, ResultError } from '../../bridge/protocol/result.ts';
import { WINDOW_NAMES, type WindowName, windowFigures } from '../../bridge/protocol/window.ts';

/** One spectrum; power and std as exported, [bins]. */
interface SavedTable {
  readonly geometry: Geometry;
  readonly window: WindowName;
  readonly files: number;
  readonly count: number;
  readonly power: Float64Array;
  /** NaN for a single slice. */
  readonly std: Float64Array;
  /** Unix milliseconds; NaN where nothing is known. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface SavedSpectrum
  extends Pick<SavedTable, 'geometry' | 'window' | 'files' | 'startMs' | 'endMs'> {
  readonly moments: SpectrumMoments;
}

/** What `results` does not say of itself. */
type Axis = Pick<Geometry, 'sampleRateHz' | 'loHz'>;

/**
 * @param axis of results that do not say theirs
 * @throws {FileProblem} `unsupported`, `empty`
 */
export function parseSaved(text: string, path: string, axis: Axis): SavedSpectrum[] {
  const content = text.trim();
  if (content === '') throw new FileProblem('empty', path, 'the file is empty');
  try {
    return tablesOf(content, axis).map(toSpectrum);
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof ResultError)) throw error;
    throw new FileProblem('unsupported', path, error.message, { cause: error });
  }
}

/** Why a text is not what it seems to be. */
class Refusal extends Error {}

function tablesOf(content: string, axis: Axis): SavedTable[] {
  if (content.startsWith('[')) return resultsOf(content, axis);
  if (content.startsWith('{')) return [exportOf(parseJson(content))];
  return [tableOf(content)];
}

function toSpectrum(table: SavedTable): SavedSpectrum {
  const { geometry, window, files, count, power, std, startMs, endMs } = table;
  const scale = exportedPowerScale(geometry, windowFigures(window));
  const freedom = count - 1;
  const moments = {
    count,
    mean: power.map((value) => value / scale),
    m2: std.map((value) => (freedom > 0 ? (value / scale) ** 2 * freedom : 0)),
    time: emptyTimeSums(),
  };
  return { geometry, window, files, startMs, endMs, moments };
}

/** One array, over however many lines, or an array in each line. */
function resultsOf(content: string, axis: Axis): SavedTable[] {
  const lines = content.split('\n').filter((line) => line.trim() !== '');
  const texts = lines.every((line) => line.trimStart().startsWith('[{')) ? lines : [content];
  return texts.map((text) => {
    const { count, mean, std } = decodeResult(text);
    return {
      geometry: { bins: mean.length, ...axis },
      window: 'none',
      files: 1,
      count,
      power: mean,
      std,
      startMs: Number.NaN,
      endMs: Number.NaN,
    };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('expected JSON');
  }
}

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const columnOf = <T extends v.GenericSchema>(item: T) => v.pipe(v.array(item), v.minLength(1));

/** What JSON and ECSV of ours say of a spectrum. */
const Provenance = v.object({
  files: v.pipe(v.number(), v.integer(), v.minValue(0)),
  bins: positive,
  sample_rate_Hz: v.pipe(v.number(), v.gtValue(0)),
  lo_Hz: v.number(),
  window: v.picklist(WINDOW_NAMES),
  first_utc: v.nullable(v.string()),
  last_utc: v.nullable(v.string()),
});
const Export = v.object({
  ...Provenance.entries,
  power: columnOf(v.number()),
  std: columnOf(v.nullable(v.number())),
  count: positive,
});

function checked<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Refusal(`${v.getDotPath(issue) ?? 'content'}: ${issue.message}`);
}

function exportOf(json: unknown): SavedTable {
  const { power, std, count, ...provenance } = checked(Export, json);
  return {
    ...described(provenance, power.length, std.length),
    count,
    power: Float64Array.from(power),
    std: Float64Array.from(std, (value) => value ?? Number.NaN),
  };
}

function described(p: v.InferOutput<typeof Provenance>, ...lengths: readonly number[]) {
  for (const length of lengths)
    if (length !== p.bins) throw new Refusal(`expected ${p.bins} rows, one for each bin, found ${length}`);
  return {
    geometry: { bins: p.bins, sampleRateHz: p.sample_rate_Hz, loHz: p.lo_Hz },
    window: p.window,
    files: p.files,
    startMs: timeOf(p.first_utc),
    endMs: timeOf(p.last_utc),
  };
}

const timeOf = (utc: string | null): number => (utc === null ? Number.NaN : Date.parse(utc));

const HEADER = 'freq_Hz,power,std,count';
const META_LINE = /^# - (\w+): (.*)$/;

function tableOf(content: string): SavedTable {
  const lines = content.split(/\r?\n/);
  const comments = lines.filter((line) => line.startsWith('#'));
  const [header = '', ...rows] = lines.filter((line) => !line.startsWith('#') && line !== '');
  if (header !== HEADER)
    throw new Refusal(`expected the columns ${HEADER}, found ${header.slice(0, 80) || 'none'}`);
  const table = columnsOf(rows);
  if (comments.length === 0) return { ...plain(table.freqHz), ...table };
  const meta = comments.map((line) => META_LINE.exec(line)).filter((match) => match !== null);
  const said = Object.fromEntries(meta.map(([, key = '', value = '']) => [key, parseJson(value)]));
  return { ...described(checked(Provenance, said), table.power.length), ...table };
}

function columnsOf(rows: readonly string[]) {
  const cells = rows.map((row, k) => cellsOf(row, k));
  const column = (n: number): Float64Array => Float64Array.from(cells, (row) => row[n] as number);
  const counts = new Set(column(3));
  const [count = 0] = counts;
  if (counts.size !== 1) throw new Refusal(`expected one count in all rows, found ${counts.size}`);
  return { freqHz: column(0), power: column(1), std: column(2), count };
}

function cellsOf(row: string, k: number): number[] {
  const cells = row.split(',').map((cell) => (cell === 'nan' ? Number.NaN : numberOf(cell)));
  const [freq, power, std, count] = cells;
  const isStd = Number.isFinite(std) || (count === 1 && row.split(',')[2] === 'nan');
  const isRow = cells.length === 4 && Number.isFinite(freq) && Number.isFinite(power) && isStd;
  if (isRow && Number.isInteger(count) && (count as number) > 0) return cells;
  throw new Refusal(`row ${k + 1}: expected four numbers, the last a count, found ${row.slice(0, 80)}`);
}

const numberOf = (cell: string): number => (cell.trim() === '' ? Number.NaN : Number(cell));

/** Rates are taken to the millihertz: beyond that they are rounding of a table's frequencies. */
const RATE_STEPS_PER_HZ = 1e3;
/** Frequencies of a table may be off the axis by this part of a bin: float64 at 1e10 Hz resolves 2e-6 Hz. */
const AXIS_TOLERANCE_BINS = 1e-4;

/** The geometry of a table that shows nothing but its frequencies. */
function plain(freqHz: Float64Array) {
  const bins = freqHz.length;
  const first = freqHz[0] as number;
  const widthHz = ((freqHz[bins - 1] as number) - first) / (bins - 1);
  if (!(bins > 1 && widthHz > 0)) throw new Refusal('expected rising frequencies');
  freqHz.forEach((freq, k) => {
    if (Math.abs(freq - first - k * widthHz) > AXIS_TOLERANCE_BINS * widthHz)
      throw new Refusal(`row ${k + 1}: expected evenly spaced frequencies, found ${freq} Hz`);
  });
  const sampleRateHz = Math.round(widthHz * bins * RATE_STEPS_PER_HZ) / RATE_STEPS_PER_HZ;
  const loHz = freqHz[Math.floor(bins / 2)] as number;
  const unknown = { window: 'none', files: 0, startMs: Number.NaN, endMs: Number.NaN } as const;
  return { ...unknown, geometry: { bins, sampleRateHz, loHz } };
}
