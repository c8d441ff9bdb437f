/**
 * What is held outlives a reload of the page, in the browser's database: the newest of one run, written seldom and
 * in the background. Where the browser forbids it, holds begin with the visit, and say so by their «since».
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { HeldSpectrum } from '../analysis/hold.ts';

interface Schema extends DBSchema {
  held: { key: string; value: HeldSpectrum };
}

const NAME = 'haloscope-holds';
const NEWEST = 'newest';
/** So much of it may be lost; files that are caught up with come many times a second. */
const PAUSE_MS = 1_000;

export class HoldStore {
  readonly #database: Promise<IDBPDatabase<Schema> | null>;
  #waiting: HeldSpectrum | null = null;
  #isDue = false;

  constructor() {
    this.#database = openDB<Schema>(NAME, 1, {
      upgrade: (database) => void database.createObjectStore('held'),
    }).catch(() => null);
  }

  /** What was held of this run when a page was last open; null where that is not known. */
  async read(run: string): Promise<HeldSpectrum | null> {
    try {
      const held = await (await this.#database)?.get('held', NEWEST);
      return held?.run === run ? held : null;
    } catch {
      return null;
    }
  }

  /** Null: nothing is held any more. The arrays are read later and must not change. */
  keep(held: HeldSpectrum | null): void {
    this.#waiting = held;
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => void this.#write(), PAUSE_MS);
  }

  async #write(): Promise<void> {
    const held = this.#waiting;
    this.#isDue = false;
    try {
      const database = await this.#database;
      if (held === null) await database?.delete('held', NEWEST);
      else await database?.put('held', held, NEWEST);
    } catch {
      // The database is full or gone: the next one is tried again.
    }
  }
}
