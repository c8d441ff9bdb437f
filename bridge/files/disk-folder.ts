/** File pairs in a folder of a disk. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Channel, FileProblem, type HalfState, pairFileName } from '../protocol/pairs.ts';
import { DiskFile } from './disk-file.ts';
import { type FolderListing, listingOf, type OpenHalf, type PairFolder, unreadable } from './pairs.ts';
import { FolderWatch } from './watch.ts';

export class DiskFolder implements PairFolder {
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  async list(): Promise<FolderListing> {
    return listingOf(await readdir(this.name));
  }

  async look(channel: Channel, file: number): Promise<HalfState | null> {
    const name = pairFileName(channel, file);
    try {
      const found = await stat(join(this.name, name));
      if (!found.isFile()) throw new FileProblem('unreadable', name, 'expected a file, found something else');
      return { bytes: found.size, modifiedMs: found.mtimeMs };
    } catch (error) {
      if (error instanceof FileProblem) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw unreadable(name, error);
    }
  }

  open(channel: Channel, file: number): Promise<OpenHalf> {
    const name = pairFileName(channel, file);
    return DiskFile.open(join(this.name, name), name);
  }

  watch(pollMs?: number): FolderWatch {
    return new FolderWatch(this.name, pollMs);
  }
}

/** @throws {FileProblem} `unreadable` where the folder cannot be listed */
export async function requireFolder(folder: string): Promise<void> {
  await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
}
