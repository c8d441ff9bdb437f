import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { holdWakeLock, type WakeLock } from '../../web/ui/kiosk/wake-lock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A browser that gives, refuses and takes back. */
class Browser {
  isVisible = true;
  refusal: string | null = null;
  asked = 0;
  readonly said: string[] = [];
  #released: () => void = () => {};
  #seen: () => void = () => {};

  hold(): void {
    const request = (): Promise<{ addEventListener(type: 'release', listener: () => void): void }> => {
      this.asked += 1;
      if (this.refusal !== null) return Promise.reject(new Error(this.refusal));
      return Promise.resolve({
        addEventListener: (_type, listener) => {
          this.#released = listener;
        },
      });
    };
    const surroundings = {
      request,
      isSecure: true,
      isVisible: () => this.isVisible,
      onVisibility: (listener: () => void) => {
        this.#seen = listener;
      },
    };
    holdWakeLock(surroundings, (state) => this.said.push(words(state)));
  }

  take(): void {
    this.#released();
  }

  show(isVisible: boolean): void {
    this.isVisible = isVisible;
    if (!isVisible) this.#released();
    this.#seen();
  }
}

const words = (state: WakeLock): string => (state.phase === 'refused' ? state.reason : state.phase);

test('asked for at once, and held', async () => {
  const browser = new Browser();
  browser.hold();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(browser.said).toEqual(['asked', 'held']);
  expect(browser.asked).toBe(1);
});

test('a page that was hidden asks again when it is seen', async () => {
  const browser = new Browser();
  browser.hold();
  await vi.advanceTimersByTimeAsync(0);
  browser.show(false);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(browser.said.at(-1)).toBe('the page is hidden');
  expect(browser.asked).toBe(1);
  browser.show(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(browser.said.slice(-2)).toEqual(['asked', 'held']);
});

test('one that the system takes back is asked for again', async () => {
  const browser = new Browser();
  browser.hold();
  await vi.advanceTimersByTimeAsync(0);
  browser.take();
  await vi.advanceTimersByTimeAsync(0);
  expect(browser.said).toEqual(['asked', 'held', 'asked', 'held']);
});

test('a refusal is said with its reason, and asked again after a while', async () => {
  const browser = new Browser();
  browser.refusal = 'the battery is low';
  browser.hold();
  await vi.advanceTimersByTimeAsync(0);
  expect(browser.said).toEqual(['asked', 'the battery is low']);
  browser.refusal = null;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(browser.said.at(-1)).toBe('held');
  expect(browser.asked).toBe(2);
});

test('without a wake lock it says why', () => {
  const said: WakeLock[] = [];
  const none = { request: undefined, isVisible: () => true, onVisibility: () => {} };
  holdWakeLock({ ...none, isSecure: false }, (state) => said.push(state));
  holdWakeLock({ ...none, isSecure: true }, (state) => said.push(state));
  expect(said.map(words)).toEqual(['insecure page', 'this browser cannot']);
});
