import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onNextFrame } from '../../web/ui/plot/frame.ts';

let frames: (() => void)[] = [];
let nowMs = 0;

/** The next animation frame; what it asks for comes in the one after. */
function frame(): void {
  const due = frames;
  frames = [];
  for (const callback of due) callback();
}

beforeEach(() => {
  frames = [];
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => frames.push(callback));
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  while (frames.length > 0) frame();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A plot that takes so long to draw, and writes its name. */
const plot = (drawn: string[], name: string, drawMs: number) =>
  onNextFrame(() => {
    drawn.push(name);
    nowMs += drawMs;
  });

test('however often a plot is asked for, a frame draws it once, and all plots share the frame', () => {
  const drawn: string[] = [];
  const [a, b] = [plot(drawn, 'a', 1), plot(drawn, 'b', 1)];
  a.request();
  b.request();
  a.request();
  expect(frames.length).toBe(1);
  frame();
  expect(drawn).toEqual(['a', 'b']);
  expect(frames.length).toBe(0);
});

test('plots that are slow to draw take turns, and none waits for ever', () => {
  const drawn: string[] = [];
  const plots = ['a', 'b', 'c'].map((name) => plot(drawn, name, 10));
  const perFrame: string[][] = [];
  for (let k = 0; k < 6; k++) {
    for (const each of plots) each.request();
    frame();
    perFrame.push(drawn.splice(0));
  }
  for (const names of perFrame) expect(names).toHaveLength(2);
  for (let k = 1; k < perFrame.length; k++)
    expect(new Set([...(perFrame[k - 1] ?? []), ...(perFrame[k] ?? [])])).toEqual(new Set(['a', 'b', 'c']));
});

test('a plot that is gone is not drawn', () => {
  const drawn: string[] = [];
  const [a, b] = [plot(drawn, 'a', 1), plot(drawn, 'b', 1)];
  a.request();
  b.request();
  a.cancel();
  frame();
  expect(drawn).toEqual(['b']);
});
