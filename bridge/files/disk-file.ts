/** A file of a disk that is being read: whole buffers from any place, and what it is like now. */

import { type FileHandle, open } from 'node:fs/promises';
import { FileProblem, type HalfState } from '../protocol/pairs.ts';
import { type OpenHalf, unreadable } from './pairs.ts';

export class DiskFile implements OpenHalf {
  readonly #name: string;
  readonly #handle: FileHandle;

  private constructor(name: string, handle: FileHandle) {
    this.#name = name;
    this.#handle = handle;
  }

  /** @param name as problems call it @throws {FileProblem} `unreadable` */
  static async open(path: string, name: string): Promise<DiskFile> {
    try {
      return new DiskFile(name, await open(path, 'r'));
    } catch (error) {
      throw unreadable(name, error);
    }
  }

  async read(into: readonly Uint8Array[], position: number): Promise<void> {
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
function behind(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let rest = bytes;
  return buffers.flatMap((buffer) => {
    const filled = Math.min(rest, buffer.length);
    rest -= filled;
    return filled < buffer.length ? [buffer.subarray(filled)] : [];
  });
}
