/**
 * The embedded output: results and progress in one LMDB store in a directory, without any Kafka.
 *
 *   meta      owner      { pid, started, epoch, format }
 *   progress  progress   the bytes of the last publish
 *   results   [run, file]  { headers, value (deflated), bytes }
 *   order     0, 1, 2, …   [run, file] in the order of publication
 *
 * One process at a time: the owner is written in the store itself, inside a write transaction, which LMDB gives to
 * one process only and takes from a dead one. Within a process the latest `acquire` fences earlier ones by its epoch.
 * A publish is one LMDB transaction and resolves after the file has been synchronised.
 */

import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { type Database, open, type RootDatabase } from 'lmdb';
import {
  type CommittedResults,
  LogError,
  type OutputPort,
  type ResultCursor,
  type ResultRecord,
} from '../port.ts';
import { isAlive, type Owner, thisProcess } from './owner.ts';

const FORMAT = 1;
/** A day of results is 7 GB of JSON; level 1 halves it for about 5 ms of a helper thread per result. */
const DEFLATE_LEVEL = 1;

/** The cursor's only partition. */
const PARTITION = '0';
/** As many as one answer of Kafka brings. */
const COMMITTED_AT_ONCE = 12;

const MIB = 1024 * 1024;
/** A disk with less space than this counts as full: a minute of results and progress. */
const SPACE_BYTES = 16 * MIB;
/** No space, no quota, file-size limit. */
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const compress = promisify<Buffer, { level: number }, Buffer>(deflateRaw);
const decompress = promisify<Buffer, Buffer>(inflateRaw);

interface Meta extends Owner {
  readonly epoch: number;
  readonly format: number;
}

interface StoredResult {
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

type ResultKey = [run: string, file: number];

interface Store {
  readonly root: RootDatabase<unknown, string>;
  readonly meta: Database<Meta, string>;
  readonly progress: Database<Buffer, string>;
  readonly results: Database<StoredResult, ResultKey>;
  readonly order: Database<ResultKey, number>;
}

export interface LmdbOutputOptions {
  /** Is made where it does not exist. Must lie on a local disk: LMDB maps it into memory. */
  readonly directory: string;
}

export class LmdbOutput implements OutputPort {
  readonly kind = 'embedded';
  readonly #directory: string;
  #store: Store | null = null;
  #epoch = 0;

  constructor(options: LmdbOutputOptions) {
    this.#directory = options.directory;
  }

  /** @throws {LogError} `locked` when another process lives that has the store; `disk-full`; `unavailable` */
  async acquire(): Promise<Buffer | null> {
    try {
      const store = this.#store ?? openStore(this.#directory);
      this.#store = store;
      this.#epoch = takeOver(store, this.#directory);
      return store.progress.get('progress') ?? null;
    } catch (error) {
      throw await this.#failed(error);
    }
  }

  async publish(results: readonly ResultRecord[], progress: Buffer): Promise<void> {
    const store = this.#open();
    const epoch = this.#epoch;
    const stored = await Promise.all(
      results.map(async ({ run, file, value, headers }) => ({
        key: [run, file] as [string, number],
        result: { headers, value: await compress(value, { level: DEFLATE_LEVEL }) },
      })),
    );
    try {
      // Not the asynchronous kind, of which a failed commit ends the process by a rejection that nobody can catch.
      store.root.transactionSync(() => {
        const current = store.meta.get('owner')?.epoch;
        if (current !== epoch) throw fenced(this.#directory, epoch, current);
        for (const { key, result } of stored) {
          store.order.putSync(nextInOrder(store), key);
          store.results.putSync(key, result);
        }
        store.progress.putSync('progress', progress);
      });
    } catch (error) {
      throw await this.#failed(error);
    }
  }

  async read(run: string, file: number): Promise<ResultRecord | null> {
    const stored = this.#open().results.get([run, file]);
    if (stored === undefined) return null;
    return { run, file, headers: stored.headers, value: await decompress(stored.value) };
  }

  async committed(cursor: ResultCursor | null, sinceMs: number): Promise<CommittedResults> {
    const store = this.#open();
    let next = cursor?.[PARTITION] ?? 0;
    if (next > nextInOrder(store)) next = 0;
    // All of it before the first wait: the store may be closed meanwhile, and a range must not outlive it.
    const found: { readonly key: ResultKey; readonly stored: StoredResult }[] = [];
    for (const { key: at, value: key } of store.order.getRange({ start: next })) {
      if (found.length === COMMITTED_AT_ONCE) break;
      next = at + 1;
      const stored = store.results.get(key);
      const isWanted = stored !== undefined && (cursor !== null || endMsOf(stored) >= sinceMs);
      if (isWanted) found.push({ key, stored });
    }
    const results = await Promise.all(
      found.map(async ({ key: [run, file], stored: { headers, value } }) => ({
        run,
        file,
        headers,
        value: await decompress(value),
      })),
    );
    return { results, cursor: { [PARTITION]: next } };
  }

  async ping(): Promise<boolean> {
    return this.#store?.meta.get('owner')?.epoch === this.#epoch && this.#epoch !== 0;
  }

  async release(): Promise<void> {
    const store = this.#store;
    if (store === null) return;
    this.#store = null;
    const epoch = this.#epoch;
    this.#epoch = 0;
    store.root.transactionSync(() => {
      const meta = store.meta.get('owner');
      // The epoch stays, so that a fenced predecessor of this process never passes for the owner again.
      if (meta?.epoch === epoch) store.meta.putSync('owner', { ...meta, pid: 0 });
    });
    await store.root.close();
  }

  #open(): Store {
    if (this.#store === null) throw new LogError('unavailable', `${this.#directory}: not acquired`);
    return this.#store;
  }

  /** After an error of the store itself, which may be unusable then, the next `acquire` opens it anew. */
  async #failed(cause: unknown): Promise<LogError> {
    if (cause instanceof LogError) return cause;
    const store = this.#store;
    this.#store = null;
    await store?.root.close().catch(() => {});
    if (isFull(this.#directory)) return full(this.#directory, cause);
    const message = cause instanceof Error ? cause.message : String(cause);
    return new LogError('unavailable', `${this.#directory}: ${message}`, { cause });
  }
}

function openStore(directory: string): Store {
  mkdirSync(directory, { recursive: true });
  // Without overlapping synchronisation a commit is on disk before its promise resolves.
  const root = open<unknown, string>({ path: directory, overlappingSync: false, noSubdir: false });
  return {
    root,
    meta: root.openDB<Meta, string>({ name: 'meta' }),
    progress: root.openDB<Buffer, string>({ name: 'progress', encoding: 'binary' }),
    results: root.openDB<StoredResult, ResultKey>({ name: 'results' }),
    order: root.openDB<ResultKey, number>({ name: 'order' }),
  };
}

function nextInOrder({ order }: Store): number {
  const [last] = order.getKeys({ reverse: true, limit: 1 });
  return last === undefined ? 0 : last + 1;
}

/** End of a file's data, Unix milliseconds; infinite where its sender did not say. */
function endMsOf({ headers }: StoredResult): number {
  const end = Date.parse(headers['hs-utc-end'] ?? '');
  return Number.isNaN(end) ? Infinity : end;
}

/** Writes this process as the owner, with the next epoch, unless the present owner lives. */
function takeOver(store: Store, directory: string): number {
  const me = thisProcess();
  return store.root.transactionSync(() => {
    const meta = store.meta.get('owner');
    if (meta !== undefined && meta.format !== FORMAT) throw foreign(directory, meta.format);
    if (meta !== undefined && meta.pid !== 0 && !sameProcess(meta, me) && isAlive(meta)) {
      throw locked(directory, meta.pid);
    }
    const epoch = (meta?.epoch ?? 0) + 1;
    store.meta.putSync('owner', { ...me, epoch, format: FORMAT });
    return epoch;
  });
}

function sameProcess(a: Owner, b: Owner): boolean {
  return a.pid === b.pid && a.started === b.started;
}

/**
 * Whether there is no space left, found by trying: LMDB calls a write that ended early an input/output error, and a
 * quota shows in no figure for the whole disk.
 */
function isFull(directory: string): boolean {
  const probe = join(directory, 'space.probe');
  try {
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize < SPACE_BYTES) return true;
    writeFileSync(probe, Buffer.alloc(SPACE_BYTES));
    return false;
  } catch (error) {
    return FULL_CODES.has((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    rmSync(probe, { force: true });
  }
}

function full(directory: string, cause: unknown): LogError {
  const message = `${directory}: less than ${SPACE_BYTES / MIB} MiB left; free some space and the bridge goes on`;
  return new LogError('disk-full', message, { cause });
}

function locked(directory: string, pid: number): LogError {
  return new LogError(
    'locked',
    `${directory}: in use by process ${pid}; stop that one, or choose another directory with --data`,
  );
}

function fenced(directory: string, epoch: number, current: number | undefined): LogError {
  return new LogError(
    'fenced',
    `${directory}: taken over, epoch ${epoch} is followed by ${current ?? 'none'}`,
  );
}

function foreign(directory: string, format: number): LogError {
  return new LogError(
    'unavailable',
    `${directory}: expected a store of format ${FORMAT}, found ${format}; use the version of haloscope that wrote it`,
  );
}
