/**
 * A file to read from, wherever it lies: a disk, a browser's `File`, an object in a bucket.
 *
 * Pure, so that whoever reads recordings need not know which of them it is.
 */

/** A file as it was found. */
export interface ByteSource {
  /** Path for people, `/` between folders; unique among the sources of one session. */
  readonly path: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly modifiedMs: number;
  /**
   * May take as long as it takes to see whether the file is still being written.
   * @throws {FileProblem} `unreadable`, `growing`, `changed`; an AbortError when whoever made the source gave up
   */
  open(): Promise<OpenSource>;
}

/** A file that is being read, from its beginning towards its end. */
export interface OpenSource {
  /**
   * Fills `into` with the bytes from `position` on. Positions never fall from call to call, so that a stream will do.
   * @throws {FileProblem} `unreadable`, `changed`
   */
  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<void>;
  /** @throws {FileProblem} `changed` when it is not any more what was found */
  checkUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** Path of the folder, without a `/` at its end; empty for a bare name. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** All bytes. @throws {FileProblem} `unreadable`, `growing`, `changed` */
export async function readAll(source: ByteSource): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(source.bytes);
  const open = await source.open();
  try {
    await open.read(bytes, 0);
    await open.checkUnchanged();
  } finally {
    await open.close();
  }
  return bytes;
}

/** Whether an operation ended because it was told to. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
