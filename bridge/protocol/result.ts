/**
 * The value and the headers of one message of `results`: one completed file.
 *
 * Value: a JSON array of one object per bin, ascending in frequency, in the form that existing consumers parse:
 *
 *   [{"data":{"indice":37748736,"index":"12288_0","mean_x":5.1e-9,"stddev_x":5.0e-9,"count_x":2731}}, …]
 *
 * `indice` = file · bins + bin, `index` = "file_bin", `mean_x` and `stddev_x` the mean and sample standard
 * deviation (n − 1) of the published power, `count_x` = n. A single slice has no standard deviation: `stddev_x`
 * is then null, as SQL's STDDEV_SAMP of one row.
 */
import { type Geometry, publishedPowerScale } from './geometry.ts';
import { type SpectrumMoments, sampleStd } from './moments.ts';
import { isRunName } from './run-name.ts';

/**
 * Closed list of what can be wrong with a result.
 * - `non-finite`: a mean or deviation is NaN or infinite; JSON cannot carry it and nobody could use it
 * - `empty`: no slice has been averaged
 * - `malformed`: a received value is not one that `encodeResult` makes
 */
export type ResultErrorCode = 'non-finite' | 'empty' | 'malformed';

export class ResultError extends Error {
  readonly code: ResultErrorCode;
  constructor(code: ResultErrorCode, message: string) {
    super(message);
    this.name = 'ResultError';
    this.code = code;
  }
}

/** The moments that a result is made of, and can be brought back to. */
export type ResultMoments = Pick<SpectrumMoments, 'count' | 'mean' | 'm2'>;

/** A received result; power as published. */
export interface DecodedResult {
  readonly file: number;
  readonly count: number;
  /** [bins] V²/Hz with the pipeline's factor 1/√2 */
  readonly mean: Float64Array;
  /** [bins] of the same unit; NaN for a single slice */
  readonly std: Float64Array;
}

/**
 * @returns JSON text, ASCII; numbers with all the digits of a float64
 * @throws {ResultError} `non-finite`, `empty`
 */
export function encodeResult(moments: SpectrumMoments, geometry: Geometry, file: number): string {
  const { count, mean } = moments;
  if (count < 1) throw new ResultError('empty', `file ${file} has no slice to publish`);
  const scale = publishedPowerScale(geometry);
  const tail = `,"count_x":${count}}}`;
  const objects: string[] = [];
  for (let bin = 0; bin < geometry.bins; bin++) {
    const power = (mean[bin] as number) * scale;
    const std = count > 1 ? sampleStd(moments, bin) * scale : null;
    if (!Number.isFinite(power) || !(std === null || Number.isFinite(std)))
      throw new ResultError('non-finite', `file ${file}, bin ${bin}: mean ${power}, deviation ${std}`);
    objects.push(
      `{"data":{"indice":${file * geometry.bins + bin},"index":"${file}_${bin}","mean_x":${power},"stddev_x":${std}${tail}`,
    );
  }
  return `[${objects.join(',')}]`;
}

/**
 * Reads a value back, of this software or of the pipeline before it, and believes nothing in it.
 * @throws {ResultError} `malformed`
 */
export function decodeResult(text: string): DecodedResult {
  const rows = parseRows(text);
  const first = rowOf(rows[0], 0);
  const file = first.indice / rows.length;
  if (!Number.isSafeInteger(file) || file < 0)
    throw malformed(0, `indice ${first.indice} is no multiple of ${rows.length} bins`);
  const mean = new Float64Array(rows.length);
  const std = new Float64Array(rows.length);
  for (const [bin, value] of rows.entries()) {
    const row = rowOf(value, bin);
    if (row.indice !== file * rows.length + bin || row.index !== `${file}_${bin}`)
      throw malformed(bin, `expected "${file}_${bin}", found "${row.index}" with indice ${row.indice}`);
    if (row.count !== first.count) throw malformed(bin, `count ${row.count}, but ${first.count} in bin 0`);
    mean[bin] = row.mean;
    std[bin] = row.std;
  }
  return { file, count: first.count, mean, std };
}

/** The unnormalised moments of a received result, to within the rounding of a few float64 operations. */
export function resultMoments(result: DecodedResult, geometry: Geometry): ResultMoments {
  const scale = publishedPowerScale(geometry);
  const freedom = result.count - 1;
  return {
    count: result.count,
    mean: result.mean.map((power) => power / scale),
    m2: result.std.map((std) => (freedom > 0 ? (std / scale) ** 2 * freedom : 0)),
  };
}

interface Row {
  readonly indice: number;
  readonly index: string;
  readonly mean: number;
  readonly std: number;
  readonly count: number;
}

function parseRows(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ResultError('malformed', 'a result must be JSON');
  }
  if (!Array.isArray(value) || value.length === 0)
    throw new ResultError('malformed', 'a result must be an array of one object per bin');
  return value;
}

function rowOf(value: unknown, bin: number): Row {
  const data = isRecord(value) ? value.data : undefined;
  if (!isRecord(data)) throw malformed(bin, 'expected {"data":{…}}');
  const { indice, index, mean_x, stddev_x, count_x } = data;
  if (typeof indice !== 'number' || !Number.isSafeInteger(indice))
    throw malformed(bin, 'indice is no integer');
  if (typeof index !== 'string') throw malformed(bin, 'index is no string');
  if (!isFinite64(mean_x)) throw malformed(bin, 'mean_x is no finite number');
  if (typeof count_x !== 'number' || !Number.isSafeInteger(count_x) || count_x < 1)
    throw malformed(bin, 'count_x is no positive integer');
  const std = count_x === 1 ? (stddev_x ?? Number.NaN) : stddev_x;
  if (!isFinite64(std) && !(count_x === 1 && Number.isNaN(std)))
    throw malformed(bin, 'stddev_x is no finite number');
  return { indice, index, mean: mean_x, std: std as number, count: count_x };
}

/** JSON has no infinity, but `1e999` reads as one. */
const isFinite64 = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const malformed = (bin: number, message: string): ResultError =>
  new ResultError('malformed', `result, bin ${bin}: ${message}`);

/** What the headers of a result tell without reading its 3072 objects. */
export interface ResultProvenance {
  readonly run: string;
  readonly file: number;
  readonly slices: number;
  readonly geometry: Geometry;
  /** RFC 3339; null where the sender did not say. */
  readonly startUtc: string | null;
  readonly endUtc: string | null;
  /** Name and version, `haloscope 0.1.0`. */
  readonly software: string;
  /** Kind of engine that computed it, or several joined with `+` where processors shared the file. */
  readonly engine: string;
}

/** Key of a result in the topic: `run/file`. */
export const resultKey = (run: string, file: number): string => `${run}/${file}`;

/** ASCII headers; the two UTC ones are left out where nothing is known. */
export function encodeResultHeaders(p: ResultProvenance): Record<string, string> {
  return {
    'hs-run': p.run,
    'hs-file': String(p.file),
    'hs-slices': String(p.slices),
    'hs-bins': String(p.geometry.bins),
    'hs-fs': String(p.geometry.sampleRateHz),
    'hs-lo': String(p.geometry.loHz),
    ...(p.startUtc === null ? {} : { 'hs-utc-start': p.startUtc }),
    ...(p.endUtc === null ? {} : { 'hs-utc-end': p.endUtc }),
    'hs-software': p.software,
    'hs-engine': p.engine,
  };
}

/** @throws {ResultError} `malformed` */
export function decodeResultHeaders(headers: Readonly<Record<string, string>>): ResultProvenance {
  const text = (name: string): string => {
    const value = headers[name];
    if (value === undefined) throw new ResultError('malformed', `result without header ${name}`);
    return value;
  };
  /** As it was written: the shortest decimal, nothing around it. */
  const number = (name: string, isWanted: (value: number) => boolean): number => {
    const value = Number(text(name));
    if (isWanted(value) && String(value) === text(name)) return value;
    throw new ResultError('malformed', `result header ${name} should be a number, found "${text(name)}"`);
  };
  const count = (name: string): number => number(name, (value) => Number.isSafeInteger(value) && value >= 0);
  const run = text('hs-run');
  if (!isRunName(run)) throw new ResultError('malformed', `"${run}" is no name of a run`);
  return {
    run,
    file: count('hs-file'),
    slices: count('hs-slices'),
    geometry: {
      bins: count('hs-bins'),
      sampleRateHz: number('hs-fs', Number.isFinite),
      loHz: number('hs-lo', Number.isFinite),
    },
    startUtc: headers['hs-utc-start'] ?? null,
    endUtc: headers['hs-utc-end'] ?? null,
    software: text('hs-software'),
    engine: text('hs-engine'),
  };
}
