/**
 * Times as RFC 3339 writes them: `2026-11-23T01:02:03.456Z`, `2026-11-23 02:02:03+01:00`.
 *
 * Not by `Date.parse` alone, which makes the 3rd of March of a 31st of February.
 */

const RFC_3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** @returns Unix milliseconds; null unless the text is a time with its zone. */
export function parseUtcTime(text: string): number | null {
  const [, year, month, day] = RFC_3339.exec(text) ?? [];
  if (day === undefined) return null;
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const utcMs = Number(day) <= daysInMonth ? Date.parse(text.toUpperCase().replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(utcMs) ? null : utcMs;
}
