import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepWorker } from '../../web/ui/keeper.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A worker that answers while it is told to. */
class Stage {
  answers = true;
  begun = 0;
  readonly ends: number[] = [];
  readonly reasons: string[] = [];
  fail: (reason: string) => void = () => {};
  #waiting: (() => void)[] = [];

  start(): () => void {
    return keepWorker({
      begin: (failed) => {
        const number = ++this.begun;
        this.fail = failed;
        return {
          ask: () =>
            new Promise<void>((resolve) => {
              if (this.answers) resolve();
              else this.#waiting.push(resolve);
            }),
          end: () => this.ends.push(number),
        };
      },
      ended: (reason) => this.reasons.push(reason),
    });
  }

  /** What was asked while it slept is answered late. */
  wake(): void {
    this.answers = true;
    for (const answer of this.#waiting.splice(0)) answer();
  }
}

test('a worker that answers is left alone', async () => {
  const stage = new Stage();
  stage.start();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(stage.begun).toBe(1);
  expect(stage.reasons).toEqual([]);
});

test('one that does not answer for twenty turns is ended, and another begun', async () => {
  const stage = new Stage();
  stage.start();
  await vi.advanceTimersByTimeAsync(5_000);
  stage.answers = false;
  await vi.advanceTimersByTimeAsync(19_000);
  expect(stage.reasons).toEqual([]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(stage.reasons).toEqual(['it has not answered for 20 s']);
  expect(stage.ends).toEqual([1]);
  stage.wake();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stage.begun).toBe(2);
  expect(stage.ends).toEqual([1]);
});

test('a late answer counts, and that of a life before does not', async () => {
  const stage = new Stage();
  stage.start();
  stage.answers = false;
  await vi.advanceTimersByTimeAsync(18_000);
  stage.wake();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stage.begun).toBe(1);
});

test('turns count and not time: a tab that slept for an hour is not taken for a worker that hangs', async () => {
  const stage = new Stage();
  stage.start();
  stage.answers = false;
  await vi.advanceTimersByTimeAsync(1_500);
  // Nothing runs while the tab is frozen, but the clock does.
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stage.reasons).toEqual([]);
});

test('one that fails begins anew, later each time, and at once again after it has answered', async () => {
  const stage = new Stage();
  stage.start();
  stage.fail('no script');
  expect(stage.reasons).toEqual(['no script']);
  await vi.advanceTimersByTimeAsync(500);
  expect(stage.begun).toBe(2);
  stage.fail('no script');
  await vi.advanceTimersByTimeAsync(999);
  expect(stage.begun).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(stage.begun).toBe(3);
  await vi.advanceTimersByTimeAsync(5_000);
  stage.fail('out of memory');
  await vi.advanceTimersByTimeAsync(500);
  expect(stage.begun).toBe(4);
});

test('what fails after it was ended has no say, and stopped is stopped', async () => {
  const stage = new Stage();
  const stop = stage.start();
  const late = stage.fail;
  stage.fail('first');
  late('again');
  expect(stage.reasons).toEqual(['first']);
  await vi.advanceTimersByTimeAsync(1_000);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stage.begun).toBe(2);
  expect(stage.ends).toEqual([1, 2]);
});
