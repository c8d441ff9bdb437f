/** Pauses: of everything, of single partitions, and what an assignment's end does to them. */

import { expect, test } from 'vitest';
import { Pauses } from '../../bridge/log/pauses.ts';

const paused = (pauses: Pauses): number[] => [0, 1, 2].filter((partition) => pauses.isPaused(partition));

test('holds single partitions until they are resumed or everything is', () => {
  const pauses = new Pauses();
  pauses.pause([0, 2]);
  expect(paused(pauses)).toEqual([0, 2]);
  pauses.resume([0]);
  expect(paused(pauses)).toEqual([2]);
  pauses.resume();
  expect(paused(pauses)).toEqual([]);
});

test('a pause of everything lets single partitions go, and takes them back', () => {
  const pauses = new Pauses();
  pauses.pause();
  pauses.resume([1]);
  expect(paused(pauses)).toEqual([0, 2]);
  pauses.pause([1]);
  expect(paused(pauses)).toEqual([0, 1, 2]);
  pauses.resume([1]);
  pauses.pause();
  expect(paused(pauses)).toEqual([0, 1, 2]);
});

test('the end of an assignment ends pauses of partitions, not that of everything', () => {
  const pauses = new Pauses();
  pauses.pause([0]);
  pauses.assignmentEnded();
  expect(paused(pauses)).toEqual([]);
  pauses.pause();
  pauses.resume([1]);
  pauses.assignmentEnded();
  expect(paused(pauses)).toEqual([0, 1, 2]);
});
