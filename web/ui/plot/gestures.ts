/**
 * What a mouse or trackpad does on a plot: wheel zooms, shift pans, the vertical axis has its own zoom.
 * (Drawing a box is uPlot's own gesture.)
 */
import type uPlot from 'uplot';
import type { Range } from '../../analysis/range.ts';
import { moved, scaledAbout } from './zoom.ts';

export interface GestureTarget {
  readonly x: () => Range;
  readonly y: () => Range;
  readonly setX: (range: Range) => void;
  readonly setY: (range: Range) => void;
  readonly reset: () => void;
}

/** e-folding of the zoom per pixel of wheel; a usual notch of 100 gives 16 %. */
const ZOOM_PER_PIXEL = 0.0015;
const PIXELS_PER_LINE = 16;

const pixels = (delta: number, event: WheelEvent): number =>
  event.deltaMode === WheelEvent.DOM_DELTA_LINE ? delta * PIXELS_PER_LINE : delta;

function onWheel(u: uPlot, target: GestureTarget, event: WheelEvent): void {
  event.preventDefault();
  const box = u.over.getBoundingClientRect();
  const left = event.clientX - box.left;
  const top = event.clientY - box.top;
  const across = pixels(event.shiftKey ? event.deltaX || event.deltaY : event.deltaX, event);
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const x = target.x();
    target.setX(moved(x, ((x.max - x.min) * across) / box.width));
    return;
  }
  const factor = Math.exp(pixels(event.deltaY, event) * ZOOM_PER_PIXEL);
  if (event.altKey || left < 0) target.setY(scaledAbout(target.y(), u.posToVal(top, 'y'), factor));
  else target.setX(scaledAbout(target.x(), u.posToVal(left, 'x'), factor));
}

/** Moves the picture with the pointer until the button is let go. */
function startPan(u: uPlot, target: GestureTarget, down: MouseEvent): void {
  down.preventDefault();
  const box = u.over.getBoundingClientRect();
  const x = target.x();
  const y = target.y();
  const move = (event: MouseEvent): void => {
    const right = event.clientX - down.clientX;
    const lower = event.clientY - down.clientY;
    target.setX(moved(x, (-right / box.width) * (x.max - x.min)));
    if (Math.abs(lower) > 8) target.setY(moved(y, (lower / box.height) * (y.max - y.min)));
  };
  const stop = new AbortController();
  window.addEventListener('mousemove', move, { signal: stop.signal });
  window.addEventListener('mouseup', () => stop.abort(), { signal: stop.signal });
  window.addEventListener('blur', () => stop.abort(), { signal: stop.signal });
}

export const isPan = (event: MouseEvent): boolean =>
  event.button === 1 || (event.button === 0 && event.shiftKey);

/** @returns what takes the listeners off again */
export function attachGestures(u: uPlot, target: GestureTarget): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  u.root.addEventListener('wheel', (event) => onWheel(u, target, event), { passive: false, signal });
  u.over.addEventListener('mousedown', (event) => isPan(event) && startPan(u, target, event), { signal });
  u.root.addEventListener('dblclick', () => target.reset(), { signal });
  return () => stop.abort();
}
