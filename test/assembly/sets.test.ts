import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberRanges } from '../../bridge/assembly/number-ranges.ts';
import {
  continueNumber,
  MAX_STEP_FILES,
  nearNumber,
  REORDER_FILES,
} from '../../bridge/assembly/numbering.ts';
import { SliceSet } from '../../bridge/assembly/slice-set.ts';

test('number ranges hold what a set holds, merged and in order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60)), (numbers) => {
      const ranges = new NumberRanges();
      for (const number of numbers) ranges.add(number);
      const again = new NumberRanges(ranges.toJSON());
      const set = new Set(numbers);
      for (let n = -1; n < 62; n++) if (again.has(n) !== set.has(n)) return false;
      const json = again.toJSON();
      const apart = json.every(([first], i) => i === 0 || first > (json[i - 1]?.[1] ?? 0) + 1);
      return apart && again.size === set.size;
    }),
  );
});

test('slice sets name what is missing', () => {
  const set = new SliceSet();
  set.add(0, 40);
  set.add(41, 10);
  set.add(45, 20);
  expect(set.count).toBe(64);
  expect(set.missingRanges(70)).toBe('40,65-69');
  expect(set.missing(38, 5)).toEqual([[40, 1]]);
  set.add(4000, 2);
  expect(set.has(4001)).toBe(true);
  expect(set.has(4002)).toBe(false);
});

test('a number continues forwards by a small step and back by a few files', () => {
  expect(continueNumber(0, 65535)).toBe(65536);
  expect(continueNumber(65535, 65536)).toBe(65535);
  expect(continueNumber(MAX_STEP_FILES, 0)).toBe(MAX_STEP_FILES);
  expect(continueNumber(MAX_STEP_FILES + 1, 0)).toBeNull();
  expect(continueNumber(100, 100 + REORDER_FILES)).toBe(100);
  expect(continueNumber(100, 101 + REORDER_FILES)).toBeNull();
  expect(continueNumber(65535, 3)).toBeNull();
});

test('seen from another partition a number may lie as far back as forwards', () => {
  expect(nearNumber(0, 1000)).toBe(0);
  expect(nearNumber(0, 65536 + 1000)).toBe(65536);
  expect(nearNumber(0, 2000)).toBeNull();
});
