/** When a session tries again: ever later, up to a limit, and never all sessions at once. */

export interface ReconnectTiming {
  /** First pause, doubled by every attempt that fails. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Between looks at whether the bridge still speaks. */
  readonly watchMs: number;
  /** Looks without a word after which a connection is given up; looks and not seconds, because a frozen tab sleeps. */
  readonly silentTurns: number;
  /** The same where there is another bridge to go to: bridges take each other for dead after six seconds. */
  readonly silentTurnsWithOthers: number;
  /** A bridge that is gone for so long may be replaced by another one; before, it may just be starting again. */
  readonly moveAfterMs: number;
  /** How long a processor that was too slow only watches; doubled while it stays so, up to the longest. */
  readonly restMs: number;
  readonly longestRestMs: number;
}

export const RECONNECT: ReconnectTiming = {
  firstMs: 300,
  longestMs: 10_000,
  watchMs: 1_000,
  silentTurns: 15,
  silentTurnsWithOthers: 5,
  moveAfterMs: 2_000,
  restMs: 10_000,
  longestRestMs: 300_000,
};

/** @param random from 0 to 1; spreads the pause over its upper half */
export const backoffMs = (attempts: number, timing: ReconnectTiming, random: number): number =>
  Math.min(timing.longestMs, timing.firstMs * 2 ** attempts) * (0.5 + random / 2);
