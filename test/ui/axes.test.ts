import { expect, test } from 'vitest';
import {
  fitting,
  frequencySplits,
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

const g = { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 };

test('frequency: MHz for the whole band, kHz within, Hz near the LO', () => {
  const band = { min: -1e6, max: 1e6 };
  const splits = frequencySplits(band, 'offset', g);
  expect(splits).toHaveLength(11);
  expect(frequencyTicks(splits.slice(0, 2), band, 'offset', g)).toEqual(['−1.0', '−0.8']);
  expect(frequencyTicks([0], band, 'offset', g)).toEqual(['0']);
  expect(visible(frequencyTitle(band, 'offset', g))).toBe('Frequency − LO (MHz),   LO = 10.353 GHz');
  const dip = { min: 3.8e5, max: 4.2e5 };
  expect(frequencyTicks([3.9e5, 4e5], dip, 'offset', g)).toEqual(['390', '400']);
  expect(frequencyTitle(dip, 'offset', g)).toContain('(kHz)');
  expect(frequencyTitle({ min: -900, max: 900 }, 'offset', g)).toContain('(Hz)');
});

test('frequency: absolute in GHz, with the digits that tell ticks apart', () => {
  const dip = { min: 3.8e5, max: 4.2e5 };
  expect(frequencySplits(dip, 'absolute', g).slice(0, 2)).toEqual([3.8e5, 3.85e5]);
  expect(frequencyTicks([3.8e5, 3.85e5], dip, 'absolute', g).map(visible)).toEqual([
    '10.353 380',
    '10.353 385',
  ]);
  expect(frequencyTitle(dip, 'absolute', g)).toBe('Frequency (GHz)');
});

test('bins are counted from the lower end, and ticks lie on whole ones', () => {
  const band = { min: -1e6, max: 1e6 };
  const splits = frequencySplits(band, 'bin', g);
  expect(frequencyTicks(splits, band, 'bin', g).slice(0, 3).map(visible)).toEqual(['0', '500', '1 000']);
  // Bin 1536 is the LO.
  const near = { min: -2000, max: 2000 };
  expect(frequencyTicks(frequencySplits(near, 'bin', g), near, 'bin', g).map(visible)).toEqual([
    '1 533',
    '1 534',
    '1 535',
    '1 536',
    '1 537',
    '1 538',
    '1 539',
  ]);
  expect(visible(frequencyTitle(band, 'bin', g))).toBe('Bin,   3 072 of 651.04 Hz');
});

test('power: one exponent for the axis, in its title, and what the unit is', () => {
  const range = { min: 4.6e-9, max: 6.1e-9 };
  expect(powerTicks([4.8e-9, 5e-9, 5.2e-9], 2e-10, range, 'linear')).toEqual(['4.8', '5.0', '5.2']);
  expect(visible(powerTitle(range, 'published', 'linear'))).toBe('Power as published (10⁻⁹ V²/Hz)');
  expect(visible(powerTitle(range, 'per-hertz', 'linear'))).toBe('Power spectral density (10⁻⁹ V²/Hz)');
  expect(visible(powerTitle({ min: 1, max: 9 }, 'per-hertz', 'linear'))).toBe(
    'Power spectral density (V²/Hz)',
  );
});

test('decibels: no exponent, reference in the title', () => {
  const range = { min: -83.5, max: -82 };
  expect(powerTicks([-83.5, -83], 0.5, range, 'db')).toEqual(['−83.5', '−83.0']);
  expect(visible(powerTitle(range, 'per-hertz', 'db'))).toBe('Power spectral density (dB re 1 V²/Hz)');
});

test('against a reference the axis says so, and has no unit of power where there is none', () => {
  const range = { min: 0.9, max: 1.1 };
  expect(powerTitle(range, 'published', 'linear', 'ratio')).toBe('Power over reference');
  expect(powerTitle(range, 'published', 'db', 'ratio')).toBe('Power over reference (dB)');
  expect(visible(powerTitle({ min: -4e-9, max: 5e-9 }, 'published', 'linear', 'difference'))).toBe(
    'Power − reference (10⁻⁹ V²/Hz)',
  );
});

test('a title that does not fit gives way to its unit, and that to nothing', () => {
  const title = 'Power as published (10⁻⁹ V²/Hz)';
  expect(fitting(title, 400, 12)).toBe(title);
  expect(fitting(title, 100, 12)).toBe('(10⁻⁹ V²/Hz)');
  expect(fitting(title, 40, 12)).toBe('');
  expect(fitting('tone / floor', 20, 12)).toBe('');
});
