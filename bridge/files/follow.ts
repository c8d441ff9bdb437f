/**
 * The pairs of a folder in rising order of their number, each when it is whole; for ever, or once through.
 *
 *   lowest unhandled number ─▶ still changing? ──▶ wait, and look again
 *                              whole? ───────────▶ handed out
 *                              wrong? ───────────▶ reported by name; passed over (in a folder that is followed:
 *                                                  once a higher pair is there, since it may still be repaired)
 *
 * What turns up, or is repaired, below a number that was handed out already is reported as late: handing it out
 * would break the order on which resuming rests.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { FilePair, FolderListing, PairFolder } from './pairs.ts';
import { BYTES_PER_SAMPLE, FileProblem, judge, pairName } from '../protocol/pairs.ts';
import { DEFAULT_SETTLE_MS, Settling } from './settling.ts';

export interface FollowOptions {
  readonly folder: PairFolder;
  readonly bins: number;
  /** First number that matters; lower ones are not looked at. */
  readonly from: number;
  /** Last number that matters. */
  readonly to?: number;
  /** Go on when all is handed out. */
  readonly follow: boolean;
  readonly settleMs?: number;
  readonly pollMs?: number;
  /** Something about one file; each is told once. */
  readonly problem: (problem: FileProblem) => void;
  /** The folder cannot be read (following only: it is tried again); null when it can again. */
  readonly trouble?: (error: Error | null) => void;
}

/** How often a file that changes is looked at. */
const LOOK_AGAIN_MS = 100;
/** A file that keeps changing holds up those behind it for so many settling times at most. */
const PATIENCE = 3;

type Verdict =
  | { readonly kind: 'whole'; readonly pair: FilePair }
  | { readonly kind: 'wrong'; readonly problem: FileProblem }
  | { readonly kind: 'changing' };

/** The number whose turn it is. */
interface Head {
  readonly file: number;
  readonly settling: Settling;
  readonly sinceMs: number;
}

export class PairFollower {
  readonly #options: FollowOptions;
  readonly #settleMs: number;
  readonly #told = new Set<string>();
  /** Reported and passed over: may still become whole, which is worth telling. */
  readonly #passed = new Map<number, Settling>();
  readonly #handled = new Set<number>();
  #highest = -1;
  #head: Head | null = null;
  #listing: FolderListing | null = null;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#settleMs = options.settleMs ?? DEFAULT_SETTLE_MS;
  }

  /**
   * Ends when the signal aborts, or, unless following, when every number has been handed out or reported.
   * @throws the system's error where the folder cannot be read and is not followed
   */
  async *pairs(signal: AbortSignal): AsyncGenerator<FilePair, void, void> {
    const watch = this.#options.folder.watch(this.#options.pollMs);
    try {
      await this.#list();
      while (!signal.aborted) {
        const file = this.#next();
        if (file === null) {
          if (!this.#options.follow) return;
          await watch.wait(signal);
          await this.#list();
          continue;
        }
        const pair = await this.#take(file);
        if (pair !== null) {
          yield pair;
          // Whoever has used one pair wants to know of new ones, at the pace of its own work.
          if (this.#options.follow) await this.#list();
        } else if (this.#head !== null) {
          await watch.wait(signal, LOOK_AGAIN_MS);
          if (this.#options.follow) await this.#list();
        }
      }
    } finally {
      watch.close();
    }
  }

  /** Lowest number not handled yet; null where there is none. */
  #next(): number | null {
    let lowest: number | null = null;
    for (const file of this.#listing?.halves.keys() ?? []) {
      if (this.#handled.has(file) || !this.#inRange(file)) continue;
      if (lowest === null || file < lowest) lowest = file;
    }
    return lowest;
  }

  #inRange(file: number): boolean {
    return file >= this.#options.from && file <= (this.#options.to ?? Infinity);
  }

  async #list(): Promise<void> {
    const { follow, trouble, folder } = this.#options;
    try {
      this.#listing = await folder.list();
      if (follow) trouble?.(null);
    } catch (error) {
      if (!follow) throw error;
      trouble?.(error as Error);
      // A folder that went away comes back rarely within the poll's pace; and a watch may fire without end.
      await sleep(LOOK_AGAIN_MS);
      return;
    }
    for (const name of this.#listing.misnamed) {
      this.#tell(
        new FileProblem('misnamed', name, 'expected a number of five digits, as in duck_i_00042.dat'),
      );
    }
    await this.#findLate();
  }

  /** Numbers below the highest that was handed out, new or repaired. */
  async #findLate(): Promise<void> {
    for (const file of this.#listing?.halves.keys() ?? []) {
      if (file >= this.#highest || !this.#inRange(file) || this.#handled.has(file)) continue;
      this.#pass(file);
    }
    for (const [file, settling] of this.#passed) {
      const verdict = await this.#verdict(file, settling);
      if (verdict.kind !== 'whole') continue;
      this.#passed.delete(file);
      if (file > this.#highest) {
        this.#handled.delete(file);
        continue;
      }
      const message = `is whole now, but file ${this.#highest} has been used already; it is not used any more`;
      this.#tell(new FileProblem('late', pairName(file), message));
    }
  }

  /** The pair if it is whole; null while it has to be waited for (then it stays the head) or is passed over. */
  async #take(file: number): Promise<FilePair | null> {
    if (this.#head?.file !== file) {
      this.#head = { file, settling: new Settling(this.#settleMs), sinceMs: performance.now() };
    }
    const head = this.#head;
    const verdict = await this.#verdict(file, head.settling);
    if (verdict.kind === 'whole') {
      this.#handled.add(file);
      this.#highest = file;
      this.#head = null;
      return verdict.pair;
    }
    if (verdict.kind === 'wrong') this.#tell(verdict.problem);
    if (!this.#mayPass(file)) return null;
    if (verdict.kind === 'changing') {
      if (performance.now() - head.sinceMs < PATIENCE * this.#settleMs) return null;
      this.#tell(new FileProblem('growing', pairName(file), 'is still being written; passed over'));
    }
    this.#head = null;
    this.#pass(file);
    return null;
  }

  /** Whether a number that is not whole may be passed over: not while nothing better is there to go on with. */
  #mayPass(file: number): boolean {
    if (!this.#options.follow) return true;
    for (const [other, { i, q }] of this.#listing?.halves ?? []) {
      if (other > file && i && q) return true;
    }
    return false;
  }

  #pass(file: number): void {
    this.#handled.add(file);
    if (this.#options.follow) this.#passed.set(file, new Settling(this.#settleMs));
  }

  async #verdict(file: number, settling: Settling): Promise<Verdict> {
    const { folder, bins } = this.#options;
    try {
      const [i, q] = await Promise.all([folder.look('i', file), folder.look('q', file)]);
      if (!settling.look(i, q, performance.now(), Date.now())) return { kind: 'changing' };
      const problem = judge(file, i, q, bins);
      if (problem !== null || i === null || q === null)
        return { kind: 'wrong', problem: problem as FileProblem };
      const samples = i.bytes / BYTES_PER_SAMPLE;
      const modifiedMs = Math.max(i.modifiedMs, q.modifiedMs);
      return { kind: 'whole', pair: { folder, file, samples, modifiedMs } };
    } catch (error) {
      if (error instanceof FileProblem) return { kind: 'wrong', problem: error };
      throw error;
    }
  }

  #tell(problem: FileProblem): void {
    const key = `${problem.code} ${problem.file}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.problem(problem);
  }
}
