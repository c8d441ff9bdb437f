/** Annotated moments across an axis of time: where the lines lie, and that labels stay within the plot. */
import { expect, test } from 'vitest';
import type { Annotation } from '../../bridge/protocol/operator.ts';
import { drawMoments } from '../../web/ui/plot/moments.ts';
import type { Palette } from '../../web/ui/plot/palette.ts';

const BOX = { left: 100, top: 50, width: 400, height: 200 };
const LETTER = 6;

const at = (seconds: number, text: string): Annotation => ({
  id: `note-${seconds}`,
  at: { kind: 'moment', utcMs: 1000 * seconds },
  text,
  author: '',
  madeUtc: '',
});

/** A canvas that keeps lines and texts. */
function canvas() {
  const lines: [number, number, number, number][] = [];
  const texts: { readonly text: string; readonly x: number; readonly y: number }[] = [];
  let from: [number, number] = [0, 0];
  const ctx = {
    save() {},
    restore() {},
    beginPath() {},
    rect() {},
    clip() {},
    setLineDash() {},
    stroke() {},
    fillRect() {},
    measureText: (text: string) => ({ width: text.length * LETTER }),
    moveTo(x: number, y: number) {
      from = [x, y];
    },
    lineTo: (x: number, y: number) => lines.push([...from, x, y]),
    fillText: (text: string, x: number, y: number) => texts.push({ text, x, y }),
  };
  return { lines, texts, ctx: ctx as unknown as CanvasRenderingContext2D };
}

function draw(annotations: readonly Annotation[], isUpwards: boolean) {
  const { lines, texts, ctx } = canvas();
  // A second is a pixel, from the left, or from below.
  const toPixel = (seconds: number): number =>
    isUpwards ? BOX.top + BOX.height - seconds : BOX.left + seconds;
  const palette = { text: 'white', missing: 'black' } as Palette;
  const on = { ctx, box: BOX, palette, pixelRatio: 1, rem: 10, font: '', isUpwards, toPixel };
  drawMoments(annotations, on);
  return { lines, texts };
}

test('time to the right: lines stand at their time, and what lies outside is not drawn', () => {
  const { lines, texts } = draw([at(-1, 'before'), at(30, 'tuner'), at(401, 'after')], false);
  expect(lines).toEqual([[130.5, 50, 130.5, 250]]);
  expect(texts.map(({ text }) => text)).toEqual(['tuner']);
});

test('time upwards: lines lie at their time', () => {
  expect(draw([at(30, 'tuner'), at(201, 'after')], true).lines).toEqual([[100, 220.5, 500, 220.5]]);
});

test('labels stay within the plot at its edges, and long ones are cut', () => {
  const long = 'helium refilled by the night shift';
  const right = draw([at(399, long)], false).texts[0];
  expect(right?.text).toBe('helium refilled by the …');
  expect((right?.x ?? 0) + LETTER * (right?.text.length ?? 0)).toBeLessThanOrEqual(BOX.left + BOX.width);
  const lowest = draw([at(1, long)], true).texts[0];
  expect(lowest?.y).toBeLessThan(BOX.top + BOX.height);
});

test('frequencies are drawn elsewhere', () => {
  const frequency: Annotation = { ...at(30, 'line'), at: { kind: 'frequency', hz: 1e10 } };
  expect(draw([frequency], false)).toEqual({ lines: [], texts: [] });
});
