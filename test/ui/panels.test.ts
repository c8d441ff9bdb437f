import { expect, test } from 'vitest';
import {
  DEFAULT_PANELS,
  frequencyPanels,
  readPanels,
  resized,
  toggled,
  writePanels,
} from '../../web/ui/model/panels.ts';

test('panels are written with their heights, closed ones not at all', () => {
  expect(writePanels(DEFAULT_PANELS)).toBe('spectrum:5,excess:3,waterfall:3,power:2.4');
  expect(readPanels('kurtosis:2.5,power')).toEqual({
    spectrum: 0,
    excess: 0,
    kurtosis: 2.5,
    waterfall: 0,
    power: 2.4,
  });
  // A height that nobody could work with is the usual one.
  expect(readPanels('spectrum:9999,excess:-1').spectrum).toBe(5);
  expect(readPanels('')).toBe(DEFAULT_PANELS);
});

test('the last panel cannot be closed', () => {
  const only = readPanels('waterfall:3');
  expect(toggled(only, 'waterfall')).toBe(only);
  expect(toggled(toggled(DEFAULT_PANELS, 'excess'), 'excess')).toEqual(DEFAULT_PANELS);
  expect(frequencyPanels(toggled(DEFAULT_PANELS, 'spectrum'))).toEqual(['excess', 'waterfall']);
});

test('a border moves what is above and below it, and nothing else', () => {
  const moved = resized(DEFAULT_PANELS, 'spectrum', 'excess', 0.1);
  expect(moved.spectrum).toBeCloseTo(5 + 1.34, 10);
  expect(moved.excess).toBeCloseTo(3 - 1.34, 10);
  expect([moved.waterfall, moved.power]).toEqual([3, 2.4]);
  const squeezed = resized(DEFAULT_PANELS, 'spectrum', 'excess', 5);
  expect(squeezed.excess).toBeGreaterThan(0);
  expect(squeezed.spectrum + squeezed.excess).toBe(8);
});
