/**
 * Where the history is kept: an LMDB store of rows, at every level of detail that a picture may ask for.
 *
 *   level 0   a row per file                      key [run, 0, file]
 *   level L   a row per 4^L files                 key [run, L, ⌊file / 4^L⌋]
 *   cursor    how far the results have been read, written in one transaction with the rows that follow from them
 *
 * A level keeps its newest rows only, so a run of any length takes a bounded space and each level reaches four times
 * further back than the one below. It is a cache: when it is lost, the results of the last day fill it again.
 */
import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { ResultCursor } from '../log/port.ts';
import {
  binsPerColumn,
  decodeRow,
  encodeHistory,
  encodeRow,
  type HistoryQuery,
  type HistoryRow,
  joinRows,
} from '../protocol/history.ts';

const FACTOR = 4;
/** 4^9 files are two weeks of rows of 13 days each: nobody asks for less detail than that. */
const LEVELS = 10;
/** Level 0: about two and a half days of one cavity, 200 MB at 3072 bins. */
const ROWS_PER_LEVEL = 50_000;
const FORGET_AT_ONCE = 16;

type RowKey = [run: string, level: number, index: number];

export class HistoryStore {
  readonly #root: RootDatabase<unknown, string>;
  readonly #rows: Database<Buffer, RowKey>;
  readonly #cursor: Database<ResultCursor, string>;
  readonly #bins: number;
  readonly #rowsPerLevel: number;

  /** @param directory is made where it does not exist; must lie on a local disk */
  constructor(directory: string, bins: number, rowsPerLevel = ROWS_PER_LEVEL) {
    mkdirSync(directory, { recursive: true });
    this.#bins = bins;
    this.#rowsPerLevel = rowsPerLevel;
    // What the last second wrote may be lost with the machine's power: the cursor is lost with it, and it is read again.
    this.#root = open<unknown, string>({ path: directory, noSubdir: false, noSync: true });
    this.#rows = this.#root.openDB<Buffer, RowKey>({ name: 'rows', encoding: 'binary' });
    this.#cursor = this.#root.openDB<ResultCursor, string>({ name: 'cursor' });
  }

  cursor(): ResultCursor | null {
    return this.#cursor.get('cursor') ?? null;
  }

  /** Adds files, each of which replaces what was known of it, and remembers how far the results have been read. */
  put(files: readonly { readonly run: string; readonly row: HistoryRow }[], cursor: ResultCursor): void {
    this.#root.transactionSync(() => {
      for (const { run, row } of files) this.#putFile(run, row);
      this.#cursor.putSync('cursor', cursor);
    });
  }

  #putFile(run: string, row: HistoryRow): void {
    this.#rows.putSync([run, 0, row.firstFile], Buffer.from(encodeRow(row)));
    this.#forget(run, 0, row.firstFile);
    let index = row.firstFile;
    for (let level = 1; level < LEVELS; level++) {
      index = Math.floor(index / FACTOR);
      const below = this.#range(run, level - 1, FACTOR * index, FACTOR * index + FACTOR - 1);
      this.#rows.putSync([run, level, index], Buffer.from(encodeRow(joinRows(below.map(decodeRow)))));
      this.#forget(run, level, index);
    }
  }

  /** Rows that have become too old; a few at a time, so that a jump of the number does not hold up a file. */
  #forget(run: string, level: number, newest: number): void {
    const start: RowKey = [run, level, 0];
    const end: RowKey = [run, level, Math.max(0, newest - this.#rowsPerLevel + 1)];
    const old = Array.from(this.#rows.getKeys({ start, end, limit: FORGET_AT_ONCE }));
    for (const key of old) this.#rows.removeSync(key);
  }

  /** The answer to a query, encoded; null where the run has no rows. */
  query(run: string, { from, to, rows }: HistoryQuery): Uint8Array<ArrayBuffer> | null {
    const [oldestRow] = this.#range(run, LEVELS - 1, 0, Number.MAX_SAFE_INTEGER);
    const newest = this.#newest(run);
    if (oldestRow === undefined || newest === null) return null;
    const last = Math.min(to, newest);
    const first = Math.min(last, Math.max(from, decodeRow(oldestRow).firstFile));
    const level = this.#levelFor(run, first, last, newest, rows);
    const per = FACTOR ** level;
    const found = this.#range(run, level, Math.floor(first / per), Math.floor(last / per));
    return encodeHistory(this.#bins / binsPerColumn(this.#bins), per, found.slice(-rows));
  }

  /** The finest level that has not forgotten `first` and needs no more than so many rows. */
  #levelFor(run: string, first: number, last: number, newest: number, rows: number): number {
    for (let level = 0; level < LEVELS - 1; level++) {
      const per = FACTOR ** level;
      const remembers = Math.floor(first / per) > Math.floor(newest / per) - this.#rowsPerLevel;
      if (remembers && this.#count(run, level, first, last) <= rows) return level;
    }
    return LEVELS - 1;
  }

  #count(run: string, level: number, from: number, to: number): number {
    const per = FACTOR ** level;
    return this.#rows.getKeysCount({
      start: [run, level, Math.floor(from / per)],
      end: [run, level, Math.floor(to / per) + 1],
    });
  }

  #range(run: string, level: number, first: number, last: number): Buffer[] {
    const range = this.#rows.getRange({ start: [run, level, first], end: [run, level, last + 1] });
    return [...range].map(({ value }) => value);
  }

  /** Newest file of a run; null where there is none. */
  #newest(run: string): number | null {
    const start: RowKey = [run, 0, Number.MAX_SAFE_INTEGER];
    const [key] = this.#rows.getKeys({ start, end: [run, 0, 0], reverse: true, limit: 1 });
    if (key !== undefined) return key[2];
    return this.#rows.get([run, 0, 0]) === undefined ? null : 0;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }
}
