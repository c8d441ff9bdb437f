/** What has been measured as files to be written: the same names and bytes from the command line and the page. */
import {
  exportCsv,
  type ExportedSpectrum,
  exportEcsv,
  exportFileName,
  exportJson,
  exportNpz,
} from '../../bridge/protocol/exports.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { SOFTWARE } from '../../bridge/protocol/software.ts';
import { isoUtc } from '../../bridge/protocol/utc.ts';
import { type WindowName, windowFigures } from '../../bridge/protocol/window.ts';
import type { Measured, RunSum } from './analysis.ts';

/** Formats of a spectrum. */
export type SpectrumFormat = 'csv' | 'ecsv' | 'npz' | 'json';

export const ENCODE: Readonly<
  Record<SpectrumFormat, (spectrum: ExportedSpectrum) => string | Uint8Array<ArrayBuffer>>
> = {
  csv: exportCsv,
  ecsv: (spectrum) => exportEcsv(spectrum, SOFTWARE),
  npz: (spectrum) => exportNpz(spectrum, SOFTWARE),
  json: (spectrum) => `${exportJson(spectrum, SOFTWARE)}\n`,
};

/** Moments as spectra to be written. */
export function describer(run: string, window: WindowName, geometry: Geometry) {
  const common = { run, geometry, window: windowFigures(window) };
  return {
    recording: ({ recording, moments, startMs, endMs }: Measured): ExportedSpectrum => ({
      ...common,
      file: recording.file,
      files: 1,
      source: recording.path,
      moments,
      firstUtc: isoUtc(startMs),
      lastUtc: isoUtc(endMs),
      missing: '',
    }),
    run: ({ moments, files, firstMs, lastMs }: RunSum, missing: string): ExportedSpectrum => ({
      ...common,
      file: null,
      files,
      moments,
      firstUtc: isoUtc(firstMs),
      lastUtc: isoUtc(lastMs),
      missing,
    }),
  };
}

/** Without suffix. By the number of the file; by its path where there is none, or where that name is taken. */
export function outputName(spectrum: ExportedSpectrum, isTaken: (name: string) => boolean): string {
  const byNumber = exportFileName(spectrum);
  const isNumbered = spectrum.file !== null || spectrum.source === undefined;
  return isNumbered && !isTaken(byNumber)
    ? byNumber
    : `haloscope_${spectrum.run}_${safeName(spectrum.source ?? '')}`;
}

const safeName = (path: string): string => path.replaceAll(/[^A-Za-z0-9._-]+/g, '_').replace(/^[._]+/, '');
