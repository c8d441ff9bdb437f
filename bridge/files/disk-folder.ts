/** File pairs in a folder of a disk. */

import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Channel, FileProblem, type HalfState, pairFileName } from '../protocol/pairs.ts';
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

  async open(channel: Channel, file: number): Promise<OpenHalf> {
    const name = pairFileName(channel, file);
    try {
      return new OpenDiskHalf(name, await open(join(this.name, name), 'r'));
    } catch (error) {
      throw unreadable(name, error);
    }
  }

  watch(pollMs?: number): FolderWatch {
    return new FolderWatch(this.name, pollMs);
  }
}

class OpenDiskHalf implements OpenHalf {
  readonly #name: string;
  readonly #handle: FileHandle;

  constructor(name: string, handle: FileHandle) {
    this.#name = name;
    this.#handle = handle;
  }

  async read(into: readonly Buffer[], position: number): Promise<void> {
    let left = [...into];
    for (let at = position; left.length > 0; ) {
      const { bytesRead } = await this.#handle.readv(left, at).catch((error) => {
        throw unreadable(this.#name, error);
      });
      if (bytesRead === 0)
        throw new FileProblem('changed', this.#name, 'became shorter while it was being read');
      at += bytesRead;
      left = behind(left, bytesRead);
    }
  }

  async state(): Promise<HalfState> {
    const { size, mtimeMs } = await this.#handle.stat();
    return { bytes: size, modifiedMs: mtimeMs };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** What is left of buffers when their first bytes are filled. */
function behind(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let rest = bytes;
  return buffers.flatMap((buffer) => {
    const filled = Math.min(rest, buffer.length);
    rest -= filled;
    return filled < buffer.length ? [buffer.subarray(filled)] : [];
  });
}

/** @throws {FileProblem} `unreadable` where the folder cannot be listed */
export async function requireFolder(folder: string): Promise<void> {
  await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
}
