/**
 * A reference from a CSV of the public format: `freq_Hz,power,std,count`, one line per bin, ascending.
 */
import { binFrequencyHz, binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import type { Reference } from './reference.ts';

/**
 * Closed list of what can be wrong with such a file.
 * - `columns`: no header with the columns `freq_Hz` and `power`
 * - `number`: a cell is not the number that it should be
 * - `bins`: not one line per bin of the spectrum on the screen
 * - `frequency`: lines lie at other frequencies than the bins
 */
export type CsvErrorCode = 'columns' | 'number' | 'bins' | 'frequency';

export class CsvError extends Error {
  readonly code: CsvErrorCode;
  constructor(code: CsvErrorCode, message: string) {
    super(message);
    this.name = 'CsvError';
    this.code = code;
  }
}

/** Frequencies may be written with so few digits that they miss the bin by this share of its width. */
const FREQUENCY_TOLERANCE = 0.01;

/** Lines that begin with «#» (ECSV) are comments. @throws {CsvError} every code */
export function referenceOfCsv(text: string, name: string, g: Geometry): Reference {
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  const columns = (lines.shift() ?? '').split(',').map((title) => title.trim());
  const at = (title: string): number => columns.indexOf(title);
  if (at('freq_Hz') < 0 || at('power') < 0)
    throw new CsvError('columns', `expected a header freq_Hz,power,std,count, found "${columns.join(',')}"`);
  if (lines.length !== g.bins)
    throw new CsvError('bins', `expected ${g.bins} lines, one per bin, found ${lines.length}`);
  const mean = new Float64Array(g.bins);
  const std = new Float64Array(g.bins).fill(Number.NaN);
  let slices = Number.NaN;
  for (const [bin, line] of lines.entries()) {
    const cells = line.split(',');
    const number = (title: string): number => numberOf(cells[at(title)], title, bin);
    const missHz = number('freq_Hz') - binFrequencyHz(g, bin);
    if (!(Math.abs(missHz) < FREQUENCY_TOLERANCE * binWidthHz(g)))
      throw new CsvError(
        'frequency',
        `bin ${bin} lies at ${binFrequencyHz(g, bin)} Hz, line ${bin + 2} at ${number('freq_Hz')} Hz: another LO, rate or number of bins`,
      );
    mean[bin] = number('power');
    if (at('std') >= 0 && cells[at('std')] !== 'nan') std[bin] = number('std');
    if (bin === 0 && at('count') >= 0) slices = number('count');
  }
  return { name, slices, mean, std };
}

function numberOf(cell: string | undefined, title: string, bin: number): number {
  const value = cell === undefined || cell.trim() === '' ? Number.NaN : Number(cell);
  if (!Number.isFinite(value))
    throw new CsvError('number', `${title} of bin ${bin}: expected a number, found "${cell ?? ''}"`);
  return value;
}
