/**
 * File pairs of a folder: `duck_i_NNNNN.dat` and `duck_q_NNNNN.dat`, float32 samples and nothing else.
 *
 * What is there is judged by name, size and modification time alone; whatever is wrong has a name and a reason,
 * and never stops the rest.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type Channel = 'i' | 'q';

export const BYTES_PER_SAMPLE = 4;

export const pairFileName = (channel: Channel, file: number): string =>
  `duck_${channel}_${String(file).padStart(5, '0')}.dat`;

/** Both names in one, for messages: `duck_{i,q}_00042.dat`. */
export const pairName = (file: number): string => `duck_{i,q}_${String(file).padStart(5, '0')}.dat`;

/** @returns null where the name is not that of half a pair. */
export function parseFileName(name: string): { readonly channel: Channel; readonly file: number } | null {
  const match = /^duck_([iq])_([0-9]{5})\.dat$/.exec(name);
  return match === null ? null : { channel: match[1] as Channel, file: Number(match[2]) };
}

/** Whether a name was probably meant to be that of half a pair: `duck_i_123.dat`. */
const isMisnamed = (name: string): boolean =>
  /^duck_[iq]_.*\.dat$/i.test(name) && parseFileName(name) === null;

/**
 * Why a pair, or half of one, is not used. A closed list.
 * - `orphan`: the other half is not there
 * - `misnamed`: looks like half a pair, but the number has not five digits
 * - `empty`: one half, or both, has no byte
 * - `mid-sample`: the length is no multiple of 4 bytes: the file was cut
 * - `unequal`: the halves differ in length
 * - `too-short`: less than one slice
 * - `growing`: still being written when its turn came
 * - `unreadable`: the system does not give it out
 * - `changed`: changed while it was being read
 * - `late`: turned up, or became whole, when later ones had been used already
 */
export type FileProblemCode =
  | 'orphan'
  | 'misnamed'
  | 'empty'
  | 'mid-sample'
  | 'unequal'
  | 'too-short'
  | 'growing'
  | 'unreadable'
  | 'changed'
  | 'late';

export class FileProblem extends Error {
  readonly code: FileProblemCode;
  /** File name without the folder. */
  readonly file: string;
  constructor(code: FileProblemCode, file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options);
    this.name = 'FileProblem';
    this.code = code;
    this.file = file;
  }
}

/** A whole pair. */
export interface FilePair {
  readonly folder: string;
  readonly file: number;
  /** Per channel. */
  readonly samples: number;
  /** The later of the two modification times, Unix milliseconds. */
  readonly modifiedMs: number;
}

/** One half as last looked at; null where it is not there. */
export interface HalfState {
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface FolderListing {
  /** File number → which halves are there, by name. */
  readonly halves: ReadonlyMap<number, { readonly i: boolean; readonly q: boolean }>;
  readonly misnamed: readonly string[];
}

/** @throws the system's error where the folder cannot be read. */
export async function listFolder(folder: string): Promise<FolderListing> {
  const halves = new Map<number, { i: boolean; q: boolean }>();
  const misnamed: string[] = [];
  for (const name of await readdir(folder)) {
    const half = parseFileName(name);
    if (half === null) {
      if (isMisnamed(name)) misnamed.push(name);
      continue;
    }
    const known = halves.get(half.file) ?? { i: false, q: false };
    known[half.channel] = true;
    halves.set(half.file, known);
  }
  return { halves, misnamed: misnamed.toSorted() };
}

/** @throws {FileProblem} `unreadable` where the folder cannot be listed */
export async function requireFolder(folder: string): Promise<void> {
  await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
}

/** @throws {FileProblem} `unreadable`, unless the file just is not there. */
export async function lookAt(folder: string, channel: Channel, file: number): Promise<HalfState | null> {
  const name = pairFileName(channel, file);
  try {
    const found = await stat(join(folder, name));
    if (!found.isFile()) throw new FileProblem('unreadable', name, 'expected a file, found something else');
    return { bytes: found.size, modifiedMs: found.mtimeMs };
  } catch (error) {
    if (error instanceof FileProblem) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(name, error);
  }
}

export const unreadable = (name: string, error: unknown): FileProblem =>
  new FileProblem(
    'unreadable',
    name,
    `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    {
      cause: error,
    },
  );

/** What is wrong with a pair that does not change any more; null where nothing is. */
export function judge(
  file: number,
  i: HalfState | null,
  q: HalfState | null,
  bins: number,
): FileProblem | null {
  const problem = (code: FileProblemCode, channel: Channel, message: string): FileProblem =>
    new FileProblem(code, pairFileName(channel, file), message);
  if (i === null || q === null) {
    const there = i === null ? 'q' : 'i';
    const missing = pairFileName(i === null ? 'i' : 'q', file);
    return problem('orphan', there, `${missing} is not there; a spectrum needs both`);
  }
  for (const [channel, half] of [
    ['i', i],
    ['q', q],
  ] as const) {
    if (half.bytes === 0) return problem('empty', channel, 'the file is empty');
    if (half.bytes % BYTES_PER_SAMPLE !== 0) {
      return problem(
        'mid-sample',
        channel,
        `${half.bytes} bytes end in the middle of a sample: the file was cut`,
      );
    }
  }
  if (i.bytes !== q.bytes) {
    return problem('unequal', 'i', `${i.bytes} bytes, but ${pairFileName('q', file)} has ${q.bytes}`);
  }
  const samples = i.bytes / BYTES_PER_SAMPLE;
  if (samples < bins)
    return problem('too-short', 'i', `${samples} samples are less than one slice of ${bins}`);
  return null;
}
