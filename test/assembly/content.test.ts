import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksumsOf, ContentSum } from '../../bridge/assembly/content.ts';
import { BINS, sliceValue } from './helpers.ts';

test('the halves of a message give the CRC-32 of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const value = bytes.subarray(0, bytes.length - (bytes.length % 2));
      return checksumsOf(value).crc32 === crc32(value);
    }),
  );
});

/** The content of a file of `of` slices, cut at `cuts` and taken in an order. */
function contentOf(file: number, cuts: readonly number[], order: (parts: number) => number[]): number {
  const sum = new ContentSum(BINS);
  const parts = cuts.slice(1).map((end, k) => ({ first: cuts[k] as number, end }));
  for (const k of order(parts.length)) {
    const { first, end } = parts[k] as (typeof parts)[number];
    sum.add(end, checksumsOf(sliceValue(file, first, end - first)));
  }
  return sum.fold(cuts.at(-1) as number);
}

const inOrder = (parts: number): number[] => [...Array(parts).keys()];

test('the content of a file does not depend on how it is cut and in which order it comes', () => {
  const whole = contentOf(5, [0, 24], inOrder);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 23 })),
      fc.infiniteStream(fc.nat()),
      (inner, random) => {
        const cuts = [0, ...inner.toSorted((a, b) => a - b), 24];
        const shuffled = (parts: number): number[] => {
          const weights = inOrder(parts).map(() => random.next().value as number);
          return inOrder(parts).toSorted((a, b) => (weights[a] as number) - (weights[b] as number));
        };
        return contentOf(5, cuts, shuffled) === whole;
      },
    ),
  );
});

test('one bit, another place, another length: other content', () => {
  const value = sliceValue(5, 0, 4);
  const fold = (bytes: Buffer, end: number, slices: number): number => {
    const sum = new ContentSum(BINS);
    sum.add(end, checksumsOf(bytes));
    return sum.fold(slices);
  };
  const flipped = Buffer.from(value);
  flipped[BINS * 4 * 3 + 17] = (flipped[BINS * 4 * 3 + 17] as number) ^ 4;
  const all = [fold(value, 4, 4), fold(flipped, 4, 4), fold(value, 5, 4), fold(value, 4, 5)];
  expect(new Set(all).size).toBe(4);
});
