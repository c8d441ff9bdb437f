/** The files that were given up and have not been completed since, newest last. */
import { nextRunName } from '../protocol/run-name.ts';
import type { IncompleteFile } from '../protocol/state.ts';
import type { FilePlace } from './numbering.ts';
import type { OpenFile } from './open-file.ts';
import { INCOMPLETE_LISTED, MISSING_CHARACTERS } from './progress.ts';

export class IncompleteFiles {
  #list: readonly IncompleteFile[];
  readonly #titleOf: (place: FilePlace) => string;

  /** @param titleOf name under which a file's result would be published */
  constructor(known: readonly IncompleteFile[], titleOf: (place: FilePlace) => string) {
    this.#list = known;
    this.#titleOf = titleOf;
  }

  list(): readonly IncompleteFile[] {
    return this.#list;
  }

  /** @param missing ranges of slices, or why the file was rejected */
  add(file: OpenFile, missing: string): IncompleteFile {
    this.remove(file);
    const isShort = missing.length <= MISSING_CHARACTERS;
    const entry = {
      run: this.#nameOf(file),
      file: file.number,
      missing: isShort ? missing : `${missing.slice(0, MISSING_CHARACTERS)}…`,
      atUtc: new Date().toISOString(),
    };
    this.#list = [...this.#list, entry].slice(-INCOMPLETE_LISTED);
    return entry;
  }

  /** The file is published, or is another one than was thought. */
  remove(file: OpenFile): void {
    const name = this.#nameOf(file);
    this.#list = this.#list.filter((entry) => entry.run !== name || entry.file !== file.number);
  }

  /** Of a published file nothing is missing: what came again in part is listed as the file that it may turn out to be. */
  #nameOf({ run, number, again }: OpenFile): string {
    const title = this.#titleOf({ run, file: number });
    return again ? nextRunName(title) : title;
  }
}
