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
      const again = NumberRanges.fromBytes(ranges.toBytes());
      const set = new Set(numbers);
      for (let n = -1; n < 62; n++) if (again.has(n) !== set.has(n)) return false;
      const runs = [...set].filter((n) => !set.has(n - 1)).length;
      return again.length === runs && again.size === set.size;
    }),
  );
});

test('ranges as bytes: a gap and a length each, seven bits a byte', () => {
  const ranges = new NumberRanges([
    [3, 3],
    [5, 132],
    [300, 2 ** 32 - 1],
  ]);
  const hex = Buffer.from(ranges.toBytes()).toString('hex');
  expect(hex).toBe(['03', '00', '02', '7f', 'a801', 'd3fdffff0f'].join(''));
  const bytes = ranges.toBytes();
  expect(NumberRanges.fromBytes(bytes)).toEqual(ranges);
  expect(() => NumberRanges.fromBytes(bytes.subarray(0, -1))).toThrow(RangeError);
});

test('the lowest gaps are closed first when there are too many', () => {
  const ranges = new NumberRanges([0, 10, 20, 30, 40].map((n) => [n, n + 1]));
  ranges.closeLowestGaps(3);
  expect(ranges.length).toBe(3);
  expect([15, 21, 29, 30, 35, 41].map((n) => ranges.has(n))).toEqual([true, true, false, true, false, true]);
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
