/**
 * File pairs of a folder: `duck_i_NNNNN.dat` and `duck_q_NNNNN.dat`, float32 samples and nothing else.
 *
 * What is there is listed and looked at here; what it is worth is judged by `protocol/pairs.ts`.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Channel,
  FileProblem,
  type HalfState,
  isMisnamed,
  pairFileName,
  parseFileName,
} from '../protocol/pairs.ts';

/** A whole pair. */
export interface FilePair {
  readonly folder: string;
  readonly file: number;
  /** Per channel. */
  readonly samples: number;
  /** The later of the two modification times, Unix milliseconds. */
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
