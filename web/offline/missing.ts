/** What a spectrum lacks, in one line for its provenance: numbers that were not used, and other files with problems. */
import { type FileProblem, parseFileName } from '../../bridge/protocol/pairs.ts';
import { baseName, folderOf } from '../../bridge/protocol/source.ts';
import type { Recording } from './recording.ts';

/** Numbers of one folder. */
interface Numbers {
  readonly used: Set<number>;
  readonly known: Set<number>;
}

/**
 * `run404: 4, 7-9 of 0-63; x.sigmf-meta (unsupported)`; empty where nothing lacks. A number is missing that lies
 * between the lowest and the highest that a folder shows, and was not used, whatever the reason.
 */
export function missingText(
  recordings: readonly Recording[],
  used: ReadonlySet<Recording>,
  problems: readonly FileProblem[],
): string {
  const folders = new Map<string, Numbers>();
  const others: string[] = [];
  const numbersOf = (path: string): Numbers => {
    const folder = folderOf(path);
    const numbers = folders.get(folder) ?? { used: new Set(), known: new Set() };
    folders.set(folder, numbers);
    return numbers;
  };
  for (const recording of recordings) {
    const { path, file } = recording;
    if (file !== null) {
      const numbers = numbersOf(path);
      numbers.known.add(file);
      if (used.has(recording)) numbers.used.add(file);
    } else if (!used.has(recording) && !problems.some((problem) => problem.file === path)) {
      others.push(`${path} (not read)`);
    }
  }
  for (const { file: path, code } of problems) {
    if (code === 'duplicate') continue;
    const half = parseFileName(baseName(path));
    if (half !== null) numbersOf(path).known.add(half.file);
    else if (!recordings.some((recording) => recording.path === path && recording.file !== null))
      others.push(`${path} (${code})`);
  }
  return [...[...folders].map(gapsOf), ...others].filter((text) => text !== '').join('; ');
}

function gapsOf([folder, { used, known }]: readonly [string, Numbers]): string {
  const sorted = [...known].toSorted((a, b) => a - b);
  const first = sorted[0] as number;
  const last = sorted.at(-1) as number;
  const missing: number[] = [];
  for (let file = first; file <= last; file++) if (!used.has(file)) missing.push(file);
  if (missing.length === 0) return '';
  return `${folder === '' ? '' : `${folder}: `}${rangesText(missing)} of ${first}-${last}`;
}

/** `4, 7-9`. @param numbers rising */
function rangesText(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const open = ranges.at(-1);
    if (open !== undefined && open[1] === number - 1) open[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
