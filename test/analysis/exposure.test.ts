import { expect, test } from 'vitest';
import { windowFigures } from '../../bridge/protocol/window.ts';
import { integrationSeconds, resolutionBandwidthHz } from '../../web/analysis/exposure.ts';

const geometry = { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 };

test('a file of 2731 slices is 4.194816 s at 2 MS/s', () => {
  expect(integrationSeconds(2731, geometry)).toBe(4.194816);
});

test('3072 bins over 2 MHz resolve 651.04 Hz', () => {
  expect(resolutionBandwidthHz(geometry, windowFigures('none'))).toBeCloseTo(651.0416667, 6);
  expect(resolutionBandwidthHz(geometry, windowFigures('hann'))).toBeCloseTo(976.5625, 6);
});
