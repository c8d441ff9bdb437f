import { expect, test } from 'vitest';
import { moved, scaledAbout, within } from '../../web/ui/plot/zoom.ts';

const limits = { min: -1e6, max: 1e6 };

test('zooming keeps the point under the cursor where it is', () => {
  const zoomed = scaledAbout(limits, 4e5, 0.5);
  expect(zoomed).toEqual({ min: -3e5, max: 7e5 });
  const share = (4e5 - limits.min) / 2e6;
  expect((4e5 - zoomed.min) / (zoomed.max - zoomed.min)).toBeCloseTo(share, 12);
});

test('panning stops at the edge of the band without changing the width', () => {
  expect(within(moved({ min: 5e5, max: 9e5 }, 5e5), limits, 1)).toEqual({ min: 6e5, max: 1e6 });
  expect(within(moved({ min: -9e5, max: -5e5 }, -5e5), limits, 1)).toEqual({ min: -1e6, max: -6e5 });
});

test('the whole band is no zoom; nothing is narrower than a few bins', () => {
  expect(within(scaledAbout(limits, 0, 1.5), limits, 5000)).toBeNull();
  const narrow = within({ min: 100, max: 101 }, limits, 5000);
  expect((narrow?.max ?? 0) - (narrow?.min ?? 0)).toBe(5000);
  expect(((narrow?.max ?? 0) + (narrow?.min ?? 0)) / 2).toBeCloseTo(100.5, 9);
});
