/** What has been measured as files to be saved. */
import type { ExportedSpectrum } from '../../../bridge/protocol/exports.ts';
import type { Geometry } from '../../../bridge/protocol/geometry.ts';
import { SOFTWARE } from '../../../bridge/protocol/software.ts';
import type { ExportedFile } from '../../offline/browser/types.ts';
import { ENCODE, outputName, type SpectrumFormat } from '../../offline/output.ts';
import type { Recording } from '../../offline/recording.ts';
import { pairSidecars } from '../../offline/sigmf.ts';

export function spectrumFile(spectrum: ExportedSpectrum, format: SpectrumFormat): ExportedFile {
  // One at a time: nothing can have taken its name.
  const name = `${outputName(spectrum, () => false)}.${format}`;
  return { name, content: new Blob([ENCODE[format](spectrum)]) };
}

/** SigMF metadata for both halves of a pair; none of another recording, which has its own or cannot say more. */
export function sidecarsOf(recording: Recording | null, geometry: Geometry): ExportedFile[] {
  if (recording?.kind !== 'pair') return [];
  const sidecars = pairSidecars(recording, geometry, SOFTWARE);
  return [...sidecars].map(([name, text]) => ({ name, content: new Blob([text]) }));
}
