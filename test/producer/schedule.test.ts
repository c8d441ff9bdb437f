import { expect, test } from 'vitest';
import { Schedule } from '../../bridge/producer/schedule.ts';

const DURATION_MS = 4194.816;

/** A clock that a test moves. */
function clock(): { now: () => number; at: number } {
  const state = { at: 1000, now: () => state.at };
  return state;
}

test('a hundred pairs in real time end when they should, whatever each send took', () => {
  const time = clock();
  const schedule = new Schedule('real', time.now);
  for (let pair = 0; pair < 100; pair++) {
    time.at += schedule.next(DURATION_MS);
    expect(time.at).toBeCloseTo(1000 + pair * DURATION_MS, 6);
    // Sending takes its time, now less, now more, and once longer than a pair.
    time.at += pair === 50 ? 4100 : (pair * 37) % 900;
  }
});

test('who is late catches up, and does not drift', () => {
  const time = clock();
  const schedule = new Schedule({ periodMs: 1000 }, time.now);
  expect(schedule.next(DURATION_MS)).toBe(0);
  time.at += 3500;
  expect([1, 2, 3].map(() => schedule.next(DURATION_MS))).toEqual([0, 0, 0]);
  expect(schedule.next(DURATION_MS)).toBe(500);
});

test('max waits for nothing', () => {
  const schedule = new Schedule('max', () => 0);
  expect([1, 2, 3].map(() => schedule.next(DURATION_MS))).toEqual([0, 0, 0]);
});
