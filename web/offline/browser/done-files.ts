/**
 * Which recordings are in the sum already, also when they come again after a reload.
 *
 * A file is the same when name, size and time of modification are, and one path ends with the other: a folder may be
 * dropped the first time, and its files or the folder around it the second. Of two folders with files of the same
 * names, neither ends with the other.
 */
import { baseName } from '../../../bridge/protocol/source.ts';

/** A recording or a saved result as it was found; of a pair the sum of its sizes and the later time. */
export interface FileIdentity {
  readonly path: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly modifiedMs: number;
}

const likeness = ({ path, bytes, modifiedMs }: FileIdentity): string =>
  `${baseName(path)}\n${bytes}\n${modifiedMs}`;

const endsWithPath = (path: string, end: string): boolean => path === end || path.endsWith(`/${end}`);

export class DoneFiles {
  /** Paths of those that are alike. */
  readonly #paths = new Map<string, string[]>();

  add(file: FileIdentity): void {
    const alike = this.#paths.get(likeness(file));
    if (alike === undefined) this.#paths.set(likeness(file), [file.path]);
    else alike.push(file.path);
  }

  has(file: FileIdentity): boolean {
    const alike = this.#paths.get(likeness(file)) ?? [];
    return alike.some((path) => endsWithPath(path, file.path) || endsWithPath(file.path, path));
  }
}
