import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { drawNow, type FrameRequester, onNextFrame } from '../../web/ui/plot/frame.ts';

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
const plot = (drawn: string[], name: string, drawMs: number): FrameRequester =>
  onNextFrame(() => {
    drawn.push(name);
    nowMs += drawMs;
  });

/** Plots that have been drawn often enough to be quick. */
function warmPlots(drawn: string[], names: string, drawMs: number): FrameRequester[] {
  const plots = Array.from(names, (name) => plot(drawn, name, drawMs));
  for (let k = 0; k < 3; k++)
    for (const each of plots) {
      each.request();
      frame();
    }
  drawn.length = 0;
  return plots;
}

test('however often a plot is asked for, a frame draws it once, and all plots share the frame', () => {
  const drawn: string[] = [];
  const plots = warmPlots(drawn, 'abcd', 3);
  for (const each of [...plots, ...plots]) each.request();
  expect(frames.length).toBe(1);
  frame();
  expect(drawn.join('')).toBe('abcd');
  expect(frames.length).toBe(0);
});

test('plots that are slow to draw take turns, and none waits for ever', () => {
  const drawn: string[] = [];
  const plots = warmPlots(drawn, 'abc', 8);
  const perFrame: string[] = [];
  for (let k = 0; k < 6; k++) {
    for (const each of plots) each.request();
    frame();
    perFrame.push(drawn.splice(0).join(''));
  }
  for (const names of perFrame) expect(names).toHaveLength(2);
  for (let k = 1; k < perFrame.length; k++)
    expect(new Set(`${perFrame[k - 1]}${perFrame[k]}`)).toEqual(new Set('abc'));
});

test('one that takes longer than a frame is drawn alone', () => {
  const drawn: string[] = [];
  for (const each of warmPlots(drawn, 'ab', 40)) each.request();
  frame();
  expect(drawn.join('')).toBe('a');
  frame();
  expect(drawn.join('')).toBe('ab');
});

test('new plots come one by one, a frame each', () => {
  const drawn: string[] = [];
  for (const name of 'abc') plot(drawn, name, 1).request();
  const counts: number[] = [];
  while (frames.length > 0) {
    frame();
    counts.push(drawn.length);
  }
  expect(counts).toEqual([1, 2, 3]);
});

test('what has to be drawn now does not wait for frames', () => {
  const drawn: string[] = [];
  for (const name of 'abc') plot(drawn, name, 40).request();
  drawNow();
  expect(drawn.join('')).toBe('abc');
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
