/**
 * Files of this machine's disks as sources, and the search for them in folders within folders.
 */

import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileProblem } from '../protocol/pairs.ts';
import type { ByteSource, OpenSource } from '../protocol/source.ts';
import { DiskFile } from './disk-file.ts';
import { unreadable } from './pairs.ts';
import { settleMsOf } from './settling.ts';

export interface DiskOptions {
  /** A short file that has not changed for so long is finished. */
  readonly settleMs: number;
  /** Ends waiting for a file that may still be growing, with an AbortError. */
  readonly signal: AbortSignal;
}

class DiskSource implements ByteSource {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly #options: DiskOptions;

  constructor(path: string, { size, mtimeMs }: Stats, options: DiskOptions) {
    this.path = path;
    this.bytes = size;
    this.modifiedMs = mtimeMs;
    this.#options = options;
  }

  async open(): Promise<OpenSource> {
    const file = await DiskFile.open(this.path, this.path);
    try {
      await this.#settled(file);
      return this.#opened(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Waits until the file is old enough to be finished, and looks whether it still is what was found. */
  async #settled(file: DiskFile): Promise<void> {
    const { settleMs, signal } = this.#options;
    const ageMs = Date.now() - this.modifiedMs;
    const waitMs = settleMsOf(this.bytes, settleMs) - ageMs;
    if (waitMs <= 0) return;
    // A clock that lags behind the file server's makes files of the future, which are not waited for longer.
    await sleep(Math.min(waitMs, settleMs), undefined, { signal });
    if (!(await this.#isUnchanged(file)))
      throw new FileProblem('growing', this.path, 'is still being written; analyse it later');
  }

  async #isUnchanged(file: DiskFile): Promise<boolean> {
    const { bytes, modifiedMs } = await file.state();
    return bytes === this.bytes && modifiedMs === this.modifiedMs;
  }

  #opened(file: DiskFile): OpenSource {
    return {
      read: (into, position) => file.read([into], position),
      checkUnchanged: async () => {
        if (await this.#isUnchanged(file)) return;
        throw new FileProblem('changed', this.path, 'changed while it was being read');
      },
      close: () => file.close(),
    };
  }
}

export interface FoundSources {
  /** Files of the folders. */
  readonly found: readonly ByteSource[];
  /** Files that were named themselves. */
  readonly named: readonly ByteSource[];
  /** What cannot be looked at. */
  readonly problems: readonly FileProblem[];
}

/**
 * Files under these paths, at any depth. Links are followed where they are named, and to files; folders that are
 * links are not, since they may lead in circles.
 * @throws {FileProblem} `unreadable`: a path that somebody named is not there
 */
export async function findSources(paths: readonly string[], options: DiskOptions): Promise<FoundSources> {
  const found: ByteSource[] = [];
  const named: ByteSource[] = [];
  const problems: FileProblem[] = [];
  for (const given of paths) {
    const path = normalize(given);
    const what = await stat(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    if (what.isDirectory()) await walk(path, options, found, problems);
    else named.push(new DiskSource(slashes(path), what, options));
  }
  return { found, named, problems };
}

const slashes = (path: string): string => (sep === '/' ? path : path.replaceAll(sep, '/'));

async function walk(
  folder: string,
  options: DiskOptions,
  found: ByteSource[],
  problems: FileProblem[],
): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    problems.push(unreadable(slashes(folder), error));
    return;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, options, found, problems);
    else if (entry.isFile() || entry.isSymbolicLink()) await look(path, options, found, problems);
  }
}

async function look(
  path: string,
  options: DiskOptions,
  found: ByteSource[],
  problems: FileProblem[],
): Promise<void> {
  try {
    const what = await stat(path);
    if (what.isFile()) found.push(new DiskSource(slashes(path), what, options));
  } catch (error) {
    problems.push(unreadable(slashes(path), error));
  }
}
