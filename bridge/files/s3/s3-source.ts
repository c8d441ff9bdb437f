/**
 * Objects of a bucket as sources. Each is one stream from front to back; where that breaks, it is continued from the
 * byte it had come to, and who goes back or skips gets another one. An object never changes under its reader: a request names the version that was listed.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { FileProblem } from '../../protocol/pairs.ts';
import { type ByteSource, isAbort, type OpenSource } from '../../protocol/source.ts';
import type { FoundSources } from '../disk-source.ts';
import { Bucket, type BucketOptions, type ListedObject, S3Error } from './bucket.ts';
import type { S3Url } from './s3-url.ts';

/** Breaks without a byte in between, after which an object counts as unreadable. */
const MOST_BREAKS = 4;
const FIRST_PAUSE_MS = 200;

class S3Source implements ByteSource {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly #bucket: Bucket;
  readonly #object: ListedObject;
  readonly #signal: AbortSignal;

  constructor(bucket: Bucket, object: ListedObject, signal: AbortSignal) {
    this.path = `s3://${bucket.name}/${object.key}`;
    this.bytes = object.bytes;
    this.modifiedMs = object.modifiedMs;
    this.#bucket = bucket;
    this.#object = object;
    this.#signal = signal;
  }

  open(): Promise<OpenSource> {
    return Promise.resolve(new OpenS3Object(this.path, this.#bucket, this.#object, this.#signal));
  }
}

/** One listed object. @param signal ends reading */
export const objectSource = (bucket: Bucket, object: ListedObject, signal: AbortSignal): ByteSource =>
  new S3Source(bucket, object, signal);

/** A stream's bytes, and how to end it. */
interface Flow {
  next(): Promise<IteratorResult<Uint8Array, unknown>>;
  end(): void;
}

class OpenS3Object implements OpenSource {
  readonly #path: string;
  readonly #bucket: Bucket;
  readonly #object: ListedObject;
  readonly #signal: AbortSignal;
  #flow: Flow | null = null;
  /** What has come and is not used yet; its first byte is that of `#position`. */
  #rest = new Uint8Array(0);
  #position = 0;

  constructor(path: string, bucket: Bucket, object: ListedObject, signal: AbortSignal) {
    this.#path = path;
    this.#bucket = bucket;
    this.#object = object;
    this.#signal = signal;
  }

  async read(into: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
    this.#seek(position);
    for (let done = 0; done < into.length; ) {
      if (this.#rest.length === 0) await this.#more();
      const part = this.#rest.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
      this.#rest = this.#rest.subarray(part.length);
      this.#position += part.length;
    }
  }

  checkUnchanged(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#flow?.end();
    this.#flow = null;
    return Promise.resolve();
  }

  /** Goes to a later byte: within what has come already, or by a request of its own. */
  #seek(position: number): void {
    const ahead = position - this.#position;
    if (ahead === 0) return;
    if (ahead > 0 && ahead <= this.#rest.length) this.#rest = this.#rest.subarray(ahead);
    else {
      this.#rest = new Uint8Array(0);
      this.#flow?.end();
      this.#flow = null;
    }
    this.#position = position;
  }

  /** Waits for the next bytes; asks again from here where the stream breaks. @throws {FileProblem} */
  async #more(): Promise<void> {
    for (let breaks = 0; ; breaks++) {
      try {
        this.#flow ??= flowOf(await this.#bucket.read(this.#object, this.#position));
        const { done, value } = await this.#flow.next();
        if (!done && value.length > 0) {
          this.#rest = value as Uint8Array<ArrayBuffer>;
          return;
        }
        if (done) throw new Error('the stream ended before the object did');
      } catch (error) {
        if (isAbort(error) || this.#signal.aborted) throw abortError();
        await this.close();
        if (breaks === MOST_BREAKS || (error instanceof S3Error && error.code !== 's3-unreachable'))
          throw this.#problem(error);
        await sleep(FIRST_PAUSE_MS * 2 ** breaks, undefined, { signal: this.#signal });
      }
    }
  }

  #problem(error: unknown): FileProblem {
    if (error instanceof S3Error && error.code === 's3-changed')
      return new FileProblem('changed', this.#path, 'was replaced while it was being read', { cause: error });
    const reason = error instanceof Error ? error.message : String(error);
    return new FileProblem('unreadable', this.#path, `cannot be read (${reason})`, { cause: error });
  }
}

/** A socket that was torn down by an abort says so in many ways; we say it in one. */
const abortError = (): DOMException => new DOMException('reading was told to end', 'AbortError');

function flowOf(stream: AsyncIterable<Uint8Array> & { destroy(): void }): Flow {
  const iterator = stream[Symbol.asyncIterator]();
  return { next: () => iterator.next(), end: () => stream.destroy() };
}

/**
 * Objects under `s3://bucket/prefix`: the one with this very key, and those below it as below a folder.
 * @throws {S3Error} where the bucket cannot be listed; an AbortError when it was told to end
 */
export async function findObjects(urls: readonly S3Url[], options: BucketOptions): Promise<FoundSources> {
  const found: ByteSource[] = [];
  const named: ByteSource[] = [];
  for (const url of urls) {
    const { bucket: name, prefix } = url;
    const bucket = await Bucket.open(name, options);
    for await (const object of bucket.list(prefix)) {
      const source = objectSource(bucket, object, options.signal);
      if (object.key === prefix) named.push(source);
      else if (prefix === '' || object.key.startsWith(`${prefix}/`)) found.push(source);
    }
  }
  return { found, named, problems: [] };
}
