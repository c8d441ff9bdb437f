/**
 * Whether a display is alive: judged by the age of the newest datum on it, never by the state of a socket.
 *
 *   live    the newest sample on the screen is young
 *   behind  it is old, but newer ones keep coming: a backlog is being worked off, or old files are read
 *   stale   it is old and nothing newer comes
 *   none    nothing has been drawn yet
 */

type Liveness = 'none' | 'live' | 'behind' | 'stale';

export interface Freshness {
  readonly liveness: Liveness;
  /** Age of the newest datum in seconds; where the data carry no time, since its arrival. NaN for `none`. */
  readonly ageSeconds: number;
  /** Seconds since anything newer was drawn. NaN for `none`. */
  readonly quietSeconds: number;
  /** The data carry no time; `ageSeconds` is the time since arrival. */
  readonly undated: boolean;
}

/** What was drawn last. */
export interface NewestDatum {
  /** UTC of the newest sample in milliseconds by the bridge's clock; NaN where the data carry none. */
  readonly utcMs: number;
  /** When it arrived here, by this machine's clock. */
  readonly arrivedMs: number;
}

/** Files take 4.2 s and give several updates each, so three files without news mean that something stands still. */
const FILES_OF_PATIENCE = 3;
const LEAST_PATIENCE_SECONDS = 10;

/** Seconds after which a datum is no longer called live. */
export const patienceSeconds = (fileSeconds: number): number =>
  Math.max(LEAST_PATIENCE_SECONDS, FILES_OF_PATIENCE * fileSeconds);

/** @param clockOffsetMs bridge's clock minus this machine's */
export function judgeFreshness(
  newest: NewestDatum | null,
  nowMs: number,
  clockOffsetMs: number,
  fileSeconds: number,
): Freshness {
  if (newest === null)
    return { liveness: 'none', ageSeconds: Number.NaN, quietSeconds: Number.NaN, undated: false };
  const quietSeconds = Math.max(0, (nowMs - newest.arrivedMs) / 1000);
  const undated = Number.isNaN(newest.utcMs);
  const ageSeconds = undated ? quietSeconds : Math.max(0, (nowMs + clockOffsetMs - newest.utcMs) / 1000);
  const patience = patienceSeconds(fileSeconds);
  const liveness = ageSeconds <= patience ? 'live' : quietSeconds <= patience ? 'behind' : 'stale';
  return { liveness, ageSeconds, quietSeconds, undated };
}

/** Files of any age are what was asked for: nothing of them can be stale. */
export const offlineFreshness = (newest: NewestDatum | null): Freshness => ({
  liveness: newest === null ? 'none' : 'live',
  ageSeconds: Number.NaN,
  quietSeconds: Number.NaN,
  undated: false,
});
