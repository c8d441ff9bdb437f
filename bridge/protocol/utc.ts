/** Times as text. */

/** What a `Date` can hold, ECMA-262 §21.4.1.1; a sender's clock can say anything. */
const MAX_DATE_MS = 8.64e15;

/** RFC 3339; null where the time is not known, or is none. */
export const isoUtc = (utcMs: number): string | null =>
  Math.abs(utcMs) <= MAX_DATE_MS ? new Date(utcMs).toISOString() : null;
