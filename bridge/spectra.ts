/** Spectra as the API exports them: a run's average from memory, a file's from the output. */
import type { OutputPort } from './log/port.ts';
import type { ExportedSpectrum } from './protocol/exports.ts';
import type { Geometry } from './protocol/geometry.ts';
import type { Annotation } from './protocol/operator.ts';
import type { IncompleteFile } from './protocol/state.ts';
import { decodeResult, decodeResultHeaders, resultMoments } from './protocol/result.ts';
import { isoUtc } from './protocol/utc.ts';
import type { RunFigures } from './run-wide.ts';

/** Null for a run that is not known, or whose sums have left memory. */
export function runSpectrum(
  run: RunFigures | null,
  geometry: Geometry,
  incomplete: readonly IncompleteFile[],
  annotations: readonly Annotation[],
): ExportedSpectrum | null {
  if (!run?.sums) return null;
  const missing = incomplete.filter((entry) => entry.run === run.name);
  return {
    run: run.name,
    file: null,
    files: run.files,
    geometry,
    moments: {
      count: run.sums.count,
      mean: run.sums.mean.slice(),
      m2: run.sums.m2.slice(),
      time: { ...run.sums.time },
    },
    firstUtc: isoUtc(run.firstUtcMs),
    lastUtc: isoUtc(run.lastUtcMs),
    missing: missing.map((entry) => `file ${entry.file}: ${entry.missing}`).join('; '),
    resetUtc: isoUtc(run.resetUtcMs),
    annotations,
  };
}

export async function fileSpectrum(
  output: OutputPort,
  run: string,
  file: number,
): Promise<ExportedSpectrum | null> {
  const record = await output.read(run, file);
  if (!record) return null;
  const provenance = decodeResultHeaders(record.headers);
  return {
    run,
    file,
    files: 1,
    geometry: provenance.geometry,
    moments: resultMoments(decodeResult(record.value.toString('utf8')), provenance.geometry),
    firstUtc: provenance.startUtc,
    lastUtc: provenance.endUtc,
    missing: '',
  };
}
