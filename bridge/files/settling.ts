/**
 * Whether a file is still being written. Nothing on disk says so; a file counts as finished when size and
 * modification time have not changed for a while, either as seen by us or by its own modification time.
 *
 * A file of full length needs a second; a shorter one ten, because it may be one that a slow writer, or a network
 * share that shows sizes late, has not brought to its full length.
 */

import { NOMINAL_SAMPLES_PER_FILE } from '../protocol/geometry.ts';
import { BYTES_PER_SAMPLE, type HalfState } from '../protocol/pairs.ts';

/** Files of 8192 · 1024 samples exist as well as those of 8193 · 1024. */
export const FULL_FILE_BYTES = (NOMINAL_SAMPLES_PER_FILE - 1024) * BYTES_PER_SAMPLE;

export const DEFAULT_SETTLE_MS = 10_000;
const FULL_SETTLE_MS = 1_000;

/** How long a file of this length has to stay as it is before it counts as finished. */
export const settleMsOf = (bytes: number, settleMs: number): number =>
  bytes >= FULL_FILE_BYTES ? Math.min(settleMs, FULL_SETTLE_MS) : settleMs;

const sameState = (a: HalfState | null, b: HalfState | null): boolean =>
  a === b || (a !== null && b !== null && a.bytes === b.bytes && a.modifiedMs === b.modifiedMs);

/** Watches one pair. */
export class Settling {
  readonly #settleMs: number;
  #i: HalfState | null = null;
  #q: HalfState | null = null;
  #unchangedSinceMs = Number.NaN;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /**
   * Takes a new look and answers whether the pair is finished, for better or worse.
   * @param nowMs of a clock that only goes forwards
   * @param wallMs of the clock that modification times refer to
   */
  look(i: HalfState | null, q: HalfState | null, nowMs: number, wallMs: number): boolean {
    if (Number.isNaN(this.#unchangedSinceMs) || !sameState(i, this.#i) || !sameState(q, this.#q)) {
      this.#i = i;
      this.#q = q;
      this.#unchangedSinceMs = nowMs;
    }
    const needMs = this.#neededMs(i, q);
    if (nowMs - this.#unchangedSinceMs >= needMs) return true;
    // A half that is missing has no time of its own: only watching tells whether it comes.
    if (i === null || q === null) return false;
    const ageMs = wallMs - Math.max(i.modifiedMs, q.modifiedMs);
    return ageMs >= needMs;
  }

  #neededMs(i: HalfState | null, q: HalfState | null): number {
    const isEqual = i !== null && q !== null && i.bytes === q.bytes;
    return isEqual ? settleMsOf(i.bytes, this.#settleMs) : this.#settleMs;
  }
}
