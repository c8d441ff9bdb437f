/**
 * What traces and bands are called, everywhere on the screen.
 */
import type { Trace } from '../../../bridge/protocol/frames.ts';
import type { WindowFigures } from '../../../bridge/protocol/window.ts';
import type { BandKind } from '../../analysis/bands.ts';
import { fixed } from '../format/numbers.ts';
import type { LineName } from '../model/view.ts';

export const TRACE_NAMES: Readonly<Record<Trace, string>> = {
  run: 'run average',
  latest: 'latest file',
  progress: 'file in progress',
};

export const LINE_NAMES: Readonly<Record<LineName, string>> = {
  ...TRACE_NAMES,
  peak: 'peak hold',
  least: 'min hold',
  reference: 'reference',
};

export const BAND_NAMES: Readonly<Record<BandKind, string>> = {
  error: 'error of the mean, ±s/√n',
  std: 'sample std, ±s',
  none: 'none',
};

export const BAND_SIGNS: Readonly<Record<BandKind, string>> = {
  error: '±s/√n',
  std: '±s',
  none: 'none',
};

/** «no window», «hann, ENBW 1.500». */
export const windowText = ({ name, enbwBins }: WindowFigures): string =>
  name === 'none' ? 'no window' : `${name}, ENBW ${fixed(enbwBins, 3)}`;
