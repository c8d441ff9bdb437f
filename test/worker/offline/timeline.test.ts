import { expect, test } from 'vitest';
import { Rate } from '../../../web/worker/offline/rate.ts';
import { Timeline } from '../../../web/worker/offline/timeline.ts';

const LENGTH_MS = 4000;
const at = (endMs: number) => ({ startMs: endMs - LENGTH_MS, endMs });
const pair = (file: number, folder = 'a') => ({ path: `${folder}/duck_{i,q}.dat`, file });

test('files that follow each other stay where they were made, gaps and jitter included', () => {
  const timeline = new Timeline();
  for (const [k, endMs] of [10_000, 13_500, 18_200, 60_000].entries())
    expect(timeline.place(pair(k), at(endMs))).toEqual(at(endMs));
  expect(timeline.displaced).toBe(0);
});

test('files of a copy, which all have about the same time, stand one behind the other', () => {
  const timeline = new Timeline();
  const ends = [0, 1, 2, 3].map((k) => timeline.place(pair(k), at(10_000 + 20 * k)).endMs);
  expect(ends).toEqual([10_000, 14_000, 18_000, 22_000]);
  expect(timeline.displaced).toBe(3);
});

test('an older file that comes later keeps its time, and so do those of another folder', () => {
  const timeline = new Timeline();
  timeline.place(pair(7), at(100_000));
  expect(timeline.place(pair(3), at(50_000))).toEqual(at(50_000));
  expect(timeline.place(pair(8, 'b'), at(90_000))).toEqual(at(90_000));
});

test('the rate is that of the last seconds, and none before there is a span', () => {
  const rate = new Rate();
  rate.reached(0, 0);
  rate.reached(50, 100);
  expect(rate.bytesPerSecond).toBeNull();
  rate.reached(1000, 1000);
  expect(rate.bytesPerSecond).toBe(1000);
  for (let s = 2; s <= 30; s++) rate.reached(1000 + 10 * (s - 1), 1000 * s);
  expect(rate.bytesPerSecond).toBeCloseTo(10, 6);
});
