/**
 * A browser's `File` as a source, read as a stream: asked for block by block, Chromium needs twice the CPU time for
 * it. What is in memory is a chunk of each stream.
 *
 * A `File` is a promise of the browser to give out a file as it was when it was dropped. What has changed since is
 * refused by name: `NotFoundError` (moved or deleted), `NotReadableError` (changed, or no permission any more).
 */
import { FileProblem } from '../../../bridge/protocol/pairs.ts';
import type { ByteSource, OpenSource } from '../../../bridge/protocol/source.ts';
import { ByteStream } from './byte-stream.ts';
import type { Entry } from './types.ts';

export class FileSource implements ByteSource {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly #entry: Entry;

  constructor(entry: Entry) {
    this.path = entry.path;
    this.bytes = entry.file.size;
    this.modifiedMs = entry.file.lastModified;
    this.#entry = entry;
  }

  async open(): Promise<OpenSource> {
    const file = await this.#current();
    const stream = new ByteStream(file);
    return {
      read: async (into, position) => {
        const isFull = await this.#told(stream.read(into, position).catch((error) => reasonOf(file, error)));
        if (!isFull) throw this.#changed();
      },
      checkUnchanged: async () => {
        const now = await this.#current();
        // Without a handle the browser compares by itself, but only where something is read.
        await this.#told(now.slice(-1).arrayBuffer());
      },
      close: () => stream.close(),
    };
  }

  /** The file as it is now, where there is a handle to ask; and it must be what was found. */
  async #current(): Promise<File> {
    const { file, handle } = this.#entry;
    if (handle === undefined) return file;
    const now = await this.#told(handle.getFile());
    if (now.size === this.bytes && now.lastModified === this.modifiedMs) return now;
    throw this.#changed();
  }

  /** What the browser refuses, in our words. */
  async #told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.#problem(error);
    }
  }

  #changed(): FileProblem {
    return new FileProblem('changed', this.path, 'has changed since it was dropped; drop it again');
  }

  /** Browsers name the reason by the exception, and some only the one reason. */
  #problem(cause: unknown): FileProblem {
    const name = cause instanceof Error ? cause.name : '';
    const problem = (code: 'changed' | 'unreadable', reason: string): FileProblem =>
      new FileProblem(code, this.path, reason, { cause });
    switch (name) {
      case 'NotFoundError':
        return problem('unreadable', 'is not there any more: moved, renamed or deleted; drop it again');
      case 'NotReadableError':
        return problem(
          'changed',
          'has changed since it was dropped, or may not be read any more; drop it again when it is finished',
        );
      case 'NotAllowedError':
      case 'SecurityError':
        return problem('unreadable', 'the browser may not read it: give permission, or drop it again');
      default:
        return problem('unreadable', `the browser cannot read it (${String(cause)}); drop it again`);
    }
  }
}

/** A stream breaks without a reason («network error»); a read by itself has one. */
async function reasonOf(file: File, error: unknown): Promise<never> {
  await file.slice(0, 1).arrayBuffer();
  throw error;
}
