import { expect, test } from 'vitest';
import { fileAt } from '../../../web/ui/offline/desk.ts';

const file = (number: number, startMs: number, endMs: number) => ({
  path: `duck_{i,q}_0000${number}.dat`,
  file: number,
  slices: 1,
  startMs,
  endMs,
});

test('a moment belongs to one file, also where files touch, and to none in a gap', () => {
  const files = [file(1, 0, 4000), file(2, 4000, 8000), file(3, 20_000, 24_000)];
  expect([0, 3999, 4000, 7999, 8001, 19_999, 24_000].map((ms) => fileAt(files, ms)?.file)).toEqual([
    1,
    1,
    2,
    2,
    undefined,
    undefined,
    3,
  ]);
});
