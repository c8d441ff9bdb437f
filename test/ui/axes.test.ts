import { expect, test } from 'vitest';
import {
  frequencyTicks,
  frequencyTitle,
  powerTicks,
  powerTitle,
  tickDecimals,
} from '../../web/ui/plot/axes.ts';

const visible = (text: string): string => text.replaceAll('\u202f', ' ');

test('decimals tell neighbouring ticks apart, and no more', () => {
  expect([200, 25, 1, 2.5, 0.5, 0.25, 0.2, 0.1, 0.05, 0.001].map(tickDecimals)).toEqual([
    0, 0, 0, 1, 1, 2, 1, 1, 2, 3,
  ]);
  expect(tickDecimals(0)).toBe(0);
});

test('frequency: MHz for the whole band, kHz within, Hz near the LO', () => {
  const band = { min: -1e6, max: 1e6 };
  expect(frequencyTicks([-1e6, -5e5, 0, 5e5], 5e5, band)).toEqual(['−1.0', '−0.5', '0', '0.5']);
  expect(visible(frequencyTitle(band, 10.353e9))).toBe('Frequency − LO (MHz),   LO = 10.353 GHz');
  const dip = { min: 3.8e5, max: 4.2e5 };
  expect(frequencyTicks([3.9e5, 4e5], 1e4, dip)).toEqual(['390', '400']);
  expect(frequencyTitle(dip, 10.353e9)).toContain('(kHz)');
  expect(frequencyTitle({ min: -900, max: 900 }, 10.353e9)).toContain('(Hz)');
});

test('power: one exponent for the axis, in its title, and what the unit is', () => {
  const range = { min: 4.6e-9, max: 6.1e-9 };
  expect(powerTicks([4.8e-9, 5e-9, 5.2e-9], 2e-10, range, 'linear')).toEqual(['4.8', '5.0', '5.2']);
  expect(visible(powerTitle(range, 'published', 'linear'))).toBe('Power as published = PSD/√2  (10⁻⁹ V²/Hz)');
  expect(visible(powerTitle(range, 'per-hertz', 'linear'))).toBe('Power spectral density  (10⁻⁹ V²/Hz)');
  expect(visible(powerTitle({ min: 1, max: 9 }, 'per-hertz', 'linear'))).toBe(
    'Power spectral density  (V²/Hz)',
  );
});

test('decibels: no exponent, reference in the title', () => {
  const range = { min: -83.5, max: -82 };
  expect(powerTicks([-83.5, -83], 0.5, range, 'db')).toEqual(['−83.5', '−83.0']);
  expect(visible(powerTitle(range, 'per-hertz', 'db'))).toBe('Power spectral density  (dB re 1 V²/Hz)');
});
