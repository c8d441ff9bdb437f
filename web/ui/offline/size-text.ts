/** Sizes as disks are labelled: «57.4 GB». */
import { significant, THIN } from '../format/numbers.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

export function sizeText(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return step === 0
    ? `${Math.round(bytes)}${THIN}B`
    : `${significant(bytes / 1000 ** step, 3)}${THIN}${UNITS[step]}`;
}
