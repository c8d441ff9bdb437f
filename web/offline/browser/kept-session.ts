/**
 * What outlives a reload: the sum of a session, and which files are in it, in the browser's database.
 *
 * Both are written in one transaction, so that a file is in the sum exactly when it is in the list: after a crash
 * the rest is measured, and nothing twice. Only one tab keeps a session; a lock says which.
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Geometry } from '../../../bridge/protocol/geometry.ts';
import type { SpectrumFrame } from '../../../bridge/protocol/frames.ts';
import type { SpectrumMoments, TimeSums } from '../../../bridge/protocol/moments.ts';
import type { WindowName } from '../../../bridge/protocol/window.ts';
import type { FileIdentity } from './done-files.ts';
import type { KeptRequest, MeasuredFile, OfflineSettings } from './types.ts';

/** What a session is about; the same from its first start to its end. */
export interface KeptFrame {
  readonly settings: OfflineSettings;
  readonly run: string;
  readonly geometry: Geometry;
  readonly window: WindowName;
}

/** Where it stands. */
export interface KeptSum {
  readonly moments: SpectrumMoments;
  readonly files: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A recording that is in the sum, with what its samples were before any transform. */
export interface CountedFile extends MeasuredFile {
  readonly time: TimeSums;
}

/** A recording in the sum, or a saved result: of that there is no file to be shown. */
export interface KeptFile {
  readonly identity: FileIdentity;
  readonly file: CountedFile | null;
  /** For the pictures; null beyond some thousand files. */
  readonly spectrum: SpectrumFrame | null;
}

/** All but its files, which come one by one. */
export interface KeptSession extends KeptFrame, KeptSum, KeptRequest {
  /** Unix milliseconds. */
  readonly savedMs: number;
}

interface Schema extends DBSchema {
  /** One record of each, under `now`. */
  frame: { key: string; value: KeptFrame };
  request: { key: string; value: KeptRequest };
  sum: { key: string; value: KeptSum & { readonly savedMs: number } };
  /** In the order in which they were measured. */
  done: { key: number; value: KeptFile };
}

const NAME = 'haloscope-offline';
const STORES = ['frame', 'request', 'sum', 'done'] as const;
const NOW = 'now';
/** A tab that was just loaded again may still hold the lock for a moment. */
const LOCK_WAIT_MS = 2_000;

export class SessionStore {
  readonly #db: IDBPDatabase<Schema>;

  private constructor(db: IDBPDatabase<Schema>) {
    this.#db = db;
  }

  /** Null where the browser keeps nothing, or another tab is the one that does. */
  static async open(): Promise<SessionStore | null> {
    try {
      if (!(await isOnlyTab())) return null;
      const db = await openDB<Schema>(NAME, 1, {
        upgrade: (made) => {
          for (const store of ['frame', 'request', 'sum'] as const) made.createObjectStore(store);
          made.createObjectStore('done', { autoIncrement: true });
        },
        // A newer version of the page in another tab wants to change it.
        blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      });
      return new SessionStore(db);
    } catch {
      return null;
    }
  }

  /** Null where there is nothing to go on with. */
  async read(): Promise<KeptSession | null> {
    const reading = this.#db.transaction(['frame', 'request', 'sum']);
    const [frame, request, sum] = await Promise.all([
      reading.objectStore('frame').get(NOW),
      reading.objectStore('request').get(NOW),
      reading.objectStore('sum').get(NOW),
    ]);
    return frame === undefined || request === undefined || sum === undefined
      ? null
      : { ...frame, ...request, ...sum };
  }

  /** In the order in which they were measured, one at a time: their spectra together may be larger than memory. */
  async eachFile(take: (file: KeptFile) => void): Promise<void> {
    for await (const { value } of this.#db.transaction('done').store) take(value);
  }

  /** A new session; the one before is forgotten. */
  async begin(frame: KeptFrame): Promise<void> {
    const writing = this.#db.transaction(STORES, 'readwrite');
    await Promise.all([
      ...STORES.map((store) => writing.objectStore(store).clear()),
      writing.objectStore('frame').put(frame, NOW),
      writing.done,
    ]);
  }

  async ask(request: KeptRequest): Promise<void> {
    await this.#db.put('request', request, NOW);
  }

  /** @param more files that are in this sum, and were not in the last one */
  async put(sum: KeptSum, more: readonly KeptFile[], nowMs: number): Promise<void> {
    const writing = this.#db.transaction(['sum', 'done'], 'readwrite');
    const done = writing.objectStore('done');
    await Promise.all([
      writing.objectStore('sum').put({ ...sum, savedMs: nowMs }, NOW),
      ...more.map((file) => done.add(file)),
      writing.done,
    ]);
  }

  async forget(): Promise<void> {
    const writing = this.#db.transaction(STORES, 'readwrite');
    await Promise.all([...STORES.map((store) => writing.objectStore(store).clear()), writing.done]);
  }
}

/** Holds the lock for as long as this worker lives. */
async function isOnlyTab(): Promise<boolean> {
  // Undefined where the page is no secure context, whatever the types say; there is no way to know then.
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) return true;
  return new Promise((resolve) => {
    const held = locks.request(NAME, { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, () => {
      resolve(true);
      return new Promise(() => {});
    });
    held.catch(() => resolve(false));
  });
}
