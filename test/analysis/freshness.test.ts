import { expect, test } from 'vitest';
import { judgeFreshness, patienceSeconds } from '../../web/analysis/freshness.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const FILE_SECONDS = 4.194816;
const judge = (utcMs: number, arrivedMs: number, clockOffsetMs = 0) =>
  judgeFreshness({ utcMs, arrivedMs }, NOW, clockOffsetMs, FILE_SECONDS);

test('nothing drawn yet', () => {
  expect(judgeFreshness(null, NOW, 0, FILE_SECONDS).liveness).toBe('none');
});

test('three files of patience, and never less than ten seconds', () => {
  expect(patienceSeconds(FILE_SECONDS)).toBeCloseTo(12.584448, 6);
  expect(patienceSeconds(0.1)).toBe(10);
});

test('young data are live; the bridge’s clock decides', () => {
  expect(judge(NOW - 400, NOW - 100)).toMatchObject({ liveness: 'live', ageSeconds: 0.4 });
  // This machine is an hour late, the bridge knows better.
  expect(judge(NOW + 3_600_000 - 2000, NOW, 3_600_000)).toMatchObject({ liveness: 'live', ageSeconds: 2 });
});

test('an open socket that brings nothing new is stale; a backlog that moves is only behind', () => {
  expect(judge(NOW - 60_000, NOW - 59_000)).toMatchObject({ liveness: 'stale', quietSeconds: 59 });
  expect(judge(NOW - 86_400_000, NOW - 300)).toMatchObject({ liveness: 'behind', ageSeconds: 86_400 });
});

test('data without a time are judged by their arrival', () => {
  expect(judge(Number.NaN, NOW - 3000)).toMatchObject({ liveness: 'live', ageSeconds: 3, undated: true });
  expect(judge(Number.NaN, NOW - 30_000)).toMatchObject({ liveness: 'stale', ageSeconds: 30 });
});

test('a datum from the future is new, not negative', () => {
  expect(judge(NOW + 5000, NOW).ageSeconds).toBe(0);
});
