/**
 * Numbers as a physicist writes them: true minus, thin spaces between groups of three, SI prefixes, superscripts.
 *
 * Lengths are steady (fixed numbers of digits), so that with tabular figures nothing jumps as values change.
 */

/** Narrow no-break space. */
export const THIN = '\u202f';
const MINUS = '\u2212';
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Fixed decimals with a true minus. */
export const fixed = (value: number, decimals: number): string => value.toFixed(decimals).replace('-', MINUS);

/** As `fixed`, with a sign always. */
export const signed = (value: number, decimals: number): string =>
  value < 0 ? fixed(value, decimals) : `+${fixed(value, decimals)}`;

/** 12843 → «12 843»; decimals are grouped as well. */
export function grouped(value: number, decimals = 0): string {
  const [whole = '', fraction] = fixed(value, decimals).split('.');
  const groupedWhole = whole.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
  if (fraction === undefined) return groupedWhole;
  return `${groupedWhole}.${fraction.replace(/(\d{3})(?=\d)/g, `$1${THIN}`)}`;
}

/** As `grouped`, with a sign always. */
export const signedGrouped = (value: number, decimals = 0): string =>
  value < 0 ? grouped(value, decimals) : `+${grouped(value, decimals)}`;

/** −9 → «⁻⁹». */
export const superscript = (exponent: number): string =>
  String(exponent)
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] ?? digit);

/** Significant digits without exponent, for values of everyday size: 0.1234 → «0.123», 123.4 → «123». */
export function significant(value: number, digits: number): string {
  if (value === 0) return fixed(0, digits - 1);
  const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  return fixed(value, Math.min(12, Math.max(0, decimals)));
}

/** The multiple of three below the decimal exponent of a value; 0 for zero and what is not finite. */
export const engineeringExponent = (value: number): number =>
  value === 0 || !Number.isFinite(value) ? 0 : Math.floor(Math.log10(Math.abs(value)) / 3) * 3;
