/** File pairs under a prefix of a bucket, as in a folder. Objects are whole or not there, and never change in part. */

import { type Channel, FileProblem, type HalfState, pairFileName } from '../../protocol/pairs.ts';
import type { OpenSource } from '../../protocol/source.ts';
import { type FolderListing, listingOf, type OpenHalf, type PairFolder } from '../pairs.ts';
import { FolderWatch } from '../watch.ts';
import { Bucket, type BucketOptions, type ListedObject } from './bucket.ts';
import { objectSource } from './s3-source.ts';
import type { S3Url } from './s3-url.ts';

/** A listing costs money, and objects come every four seconds at most. */
const POLL_MS = 5_000;
/** For so long a listing counts as what is there now. */
const FRESH_MS = 2_000;

export class S3Folder implements PairFolder {
  readonly name: string;
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  /** By name, without the prefix. */
  #objects: ReadonlyMap<string, ListedObject> = new Map();
  #listedMs = Number.NEGATIVE_INFINITY;

  private constructor(bucket: Bucket, prefix: string, signal: AbortSignal) {
    this.name = `s3://${bucket.name}/${prefix}`;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#signal = signal;
  }

  static async open({ bucket, prefix }: S3Url, options: BucketOptions): Promise<S3Folder> {
    return new S3Folder(await Bucket.open(bucket, options), prefix, options.signal);
  }

  /** @throws {S3Error} */
  async list(): Promise<FolderListing> {
    await this.#refresh();
    return listingOf(this.#objects.keys());
  }

  /** As last listed: what changes is a new object, and found by the next listing. */
  async look(channel: Channel, file: number): Promise<HalfState | null> {
    if (this.#listedMs === Number.NEGATIVE_INFINITY) await this.#refresh();
    return this.#objects.get(pairFileName(channel, file)) ?? null;
  }

  async open(channel: Channel, file: number): Promise<OpenHalf> {
    const name = pairFileName(channel, file);
    const object = this.#objects.get(name);
    if (object === undefined) throw new FileProblem('unreadable', name, 'is not there any more');
    const source = await objectSource(this.#bucket, object, this.#signal).open();
    return new OpenS3Half(name, source, object);
  }

  watch(pollMs = POLL_MS): FolderWatch {
    return new FolderWatch(null, pollMs);
  }

  async #refresh(): Promise<void> {
    if (performance.now() - this.#listedMs < FRESH_MS) return;
    const objects = new Map<string, ListedObject>();
    for await (const object of this.#bucket.list(this.#prefix)) {
      const name = object.key.slice(this.#prefix.length);
      if (!name.includes('/')) objects.set(name, object);
    }
    this.#objects = objects;
    this.#listedMs = performance.now();
  }
}

class OpenS3Half implements OpenHalf {
  readonly #name: string;
  readonly #source: OpenSource;
  readonly #object: ListedObject;

  constructor(name: string, source: OpenSource, object: ListedObject) {
    this.#name = name;
    this.#source = source;
    this.#object = object;
  }

  async read(into: readonly Uint8Array[], position: number): Promise<void> {
    try {
      let at = position;
      for (const buffer of into) {
        await this.#source.read(buffer as Uint8Array<ArrayBuffer>, at);
        at += buffer.length;
      }
    } catch (error) {
      // As a folder's files are called: by their names alone.
      if (error instanceof FileProblem)
        throw new FileProblem(error.code, this.#name, error.reason, { cause: error });
      throw error;
    }
  }

  state(): Promise<HalfState> {
    return Promise.resolve(this.#object);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
