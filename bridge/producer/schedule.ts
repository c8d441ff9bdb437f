/**
 * When the next pair may be sent. Due times are absolute: each lies one period after the one before, not after the
 * moment at which that was sent, so that delays do not add up; who is late catches up.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from '../config/options.ts';

export class Schedule {
  readonly #pace: Pace;
  readonly #now: () => number;
  #dueMs = Number.NaN;

  /** @param now milliseconds of a clock that only goes forwards */
  constructor(pace: Pace, now: () => number = () => performance.now()) {
    this.#pace = pace;
    this.#now = now;
  }

  /** Milliseconds until the next pair may go; takes its place in the schedule. `durationMs` is how long it lasted. */
  next(durationMs: number): number {
    const nowMs = this.#now();
    if (this.#pace === 'max') return 0;
    if (Number.isNaN(this.#dueMs)) this.#dueMs = nowMs;
    const waitMs = Math.max(0, this.#dueMs - nowMs);
    this.#dueMs += this.#pace === 'real' ? durationMs : this.#pace.periodMs;
    return waitMs;
  }

  async wait(durationMs: number, stop: AbortSignal): Promise<void> {
    const waitMs = this.next(durationMs);
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stop }).catch(() => {});
  }
}
