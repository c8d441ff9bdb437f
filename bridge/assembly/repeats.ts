/**
 * Messages of published files that came again, by file: a sender that repeats a message is nothing to speak of, one that
 * repeats all of a file sends a run again.
 */

/** Files of which repeated messages are remembered. */
const FILES_KEPT = 64;

export class Repeats {
  readonly #files = new Map<string, Set<number>>();

  /**
   * A message came again.
   * @param messages digests of all messages of the file
   * @returns whether it was the last of them
   */
  add(file: string, digest: number, messages: readonly number[]): boolean {
    const repeated = this.#files.get(file) ?? new Set<number>();
    this.#files.delete(file);
    this.#files.set(file, repeated.add(digest));
    for (const oldest of [...this.#files.keys()].slice(0, -FILES_KEPT)) this.#files.delete(oldest);
    if (repeated.size < messages.length) return false;
    this.#files.delete(file);
    return true;
  }
}
