/**
 * Bytes of a file from a position on, as its stream brings them; another position begins another stream.
 *
 * Reading into a buffer of one's own (`mode: 'byob'`) would spare a copy, but in Chromium (156) it never comes to its end.
 */

export class ByteStream {
  readonly #file: Blob;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  /** Of the next byte. */
  #position = 0;
  /** What has come and was not wanted yet. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(file: Blob) {
    this.#file = file;
  }

  /** @returns false where the file ends before `into` is full. @throws what the browser throws */
  async read(into: Uint8Array<ArrayBuffer>, position: number): Promise<boolean> {
    const reader = await this.#at(position);
    let filled = 0;
    while (filled < into.length) {
      if (this.#rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return false;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.#position = position + filled;
    return true;
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    this.#rest = new Uint8Array(0);
    // One that has failed is closed already.
    await reader?.cancel().catch(() => {});
  }

  async #at(position: number): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    if (this.#reader !== null && position === this.#position) return this.#reader;
    await this.close();
    this.#position = position;
    this.#reader = this.#file.slice(position).stream().getReader();
    return this.#reader;
  }
}
