import { expect, test } from 'vitest';
import {
  engineeringExponent,
  fixed,
  grouped,
  signed,
  significant,
  superscript,
} from '../../web/ui/format/numbers.ts';
import {
  absoluteFrequency,
  age,
  counted,
  offsetFrequency,
  shortFrequency,
  span,
  utc,
  utcShort,
} from '../../web/ui/format/quantities.ts';

/** Narrow no-break spaces are hard to see in a test. */
const visible = (text: string): string => text.replaceAll('\u202f', ' ');

test('numbers: true minus, thin spaces, superscripts', () => {
  expect(fixed(-1.25, 1)).toBe('−1.3');
  expect(signed(0, 1)).toBe('+0.0');
  expect(visible(grouped(12843))).toBe('12 843');
  expect(visible(grouped(999))).toBe('999');
  expect(visible(grouped(-1234567.5, 1))).toBe('−1 234 567.5');
  expect(visible(grouped(10.353403646, 9))).toBe('10.353 403 646');
  expect(superscript(-12)).toBe('⁻¹²');
});

test('numbers: significant digits and engineering exponents', () => {
  expect(significant(0.12345, 3)).toBe('0.123');
  expect(significant(12.345, 3)).toBe('12.3');
  expect(significant(1234.5, 3)).toBe('1235');
  expect(significant(0, 3)).toBe('0.00');
  expect(engineeringExponent(4.9e-9)).toBe(-9);
  expect(engineeringExponent(4.9e-10)).toBe(-12);
  expect(engineeringExponent(-31_000)).toBe(3);
  expect(engineeringExponent(0)).toBe(0);
});

test('frequencies', () => {
  expect(visible(offsetFrequency(403_645.8))).toBe('+403.646 kHz');
  expect(visible(offsetFrequency(-1_000_000))).toBe('−1 000.000 kHz');
  expect(visible(absoluteFrequency(10.353e9 + 403_645.8))).toBe('10.353 403 646 GHz');
  expect(visible(shortFrequency(10.353e9))).toBe('10.353 GHz');
  expect(visible(shortFrequency(10e9))).toBe('10 GHz');
  expect(visible(shortFrequency(10.3529001e9))).toBe('10.352 900 1 GHz');
});

test('spans of time and ages', () => {
  expect([0, 4.194816, 119.9, 745, 53_640, 277_344].map((s) => visible(span(s)))).toEqual([
    '0 s',
    '4.19 s',
    '120 s',
    '12.4 min',
    '14.9 h',
    '3.21 d',
  ]);
  expect([0.44, 37.9, 192, 7500, 273_600].map((s) => visible(age(s)))).toEqual([
    '0.4 s',
    '37 s',
    '3 min 12 s',
    '2 h 05 min',
    '3 d 04 h',
  ]);
});

test('UTC, without the date on the same day', () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 5);
  expect(utc(now)).toBe('2026-11-23 12:00:05 UTC');
  expect(utcShort(now - 60_000, now)).toBe('11:59:05 UTC');
  expect(utcShort(now - 86_400_000, now)).toBe('2026-11-22 12:00:05 UTC');
});

test('counted nouns', () => {
  expect(counted(1, 'file')).toBe('1 file');
  expect(visible(counted(12_843, 'file'))).toBe('12 843 files');
  expect(counted(2, 'entry', 'entries')).toBe('2 entries');
});
