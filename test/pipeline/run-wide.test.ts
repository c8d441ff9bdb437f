/** Run-wide figures over several parts of the input. */
import { expect, test } from 'vitest';
import type { RunProgress } from '../../bridge/assembly/progress.ts';
import { PublishedFiles } from '../../bridge/assembly/published-files.ts';
import { emptyMoments } from '../../bridge/protocol/moments.ts';
import { RunWide } from '../../bridge/run-wide.ts';

const BINS = 2;

/** A run whose only file has two slices with the powers x − 1 and x + 1 in every bin. */
function runOf(name: string, x: number, lastUtcMs = Number.NaN): RunProgress {
  const sums = emptyMoments(BINS);
  sums.count = 2;
  sums.mean.fill(x);
  sums.m2.fill(2);
  return {
    name,
    files: new PublishedFiles(),
    averaged: 0,
    resetUtcMs: Number.NaN,
    slices: 2,
    firstUtcMs: lastUtcMs - 1,
    lastUtcMs,
    lastFile: x,
    sums,
  };
}

test('parts add up, means and spread included', () => {
  const all = new RunWide();
  all.set(0, [runOf('a', 10, 100)]);
  all.set(1, [runOf('a', 20, 50)]);
  expect(all.get('a')).toMatchObject({ slices: 4, firstUtcMs: 49, lastUtcMs: 100, lastFile: 20 });
  // 9, 11, 19, 21: mean 15, sum of squares 36 + 16 + 16 + 36.
  expect(all.get('a')?.sums).toMatchObject({
    count: 4,
    mean: new Float64Array([15, 15]),
    m2: new Float64Array([104, 104]),
  });
  expect(all.get('b')).toBeNull();
});

test('what is committed replaces what was, and a later change of the assembler is not seen', () => {
  const all = new RunWide();
  all.set(0, [runOf('a', 10)]);
  const run = runOf('a', 30);
  all.committed(0, run);
  run.sums?.mean.fill(99);
  expect(all.get('a')?.sums?.mean[0]).toBe(30);
});

test('a run that has left the memory of one part has no sums at all, rather than wrong ones', () => {
  const all = new RunWide();
  all.set(0, [runOf('a', 10)]);
  all.set(1, [{ ...runOf('a', 20), sums: null }]);
  expect(all.get('a')).toMatchObject({ slices: 4, sums: null });
});

test('the newest run is that with the newest data, in whatever part', () => {
  const all = new RunWide();
  expect(all.newest()).toBeNull();
  all.set(0, [runOf('old', 1, 100), runOf('new', 1, 300)]);
  all.set(1, [runOf('old', 1, 200)]);
  expect(all.newest()).toBe('new');
  all.set(1, [runOf('newer', 1, 400)]);
  expect(all.newest()).toBe('newer');
});
