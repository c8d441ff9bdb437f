/**
 * At most one redraw of a plot per animation frame, however many reasons there are, and no more plots in a frame
 * than there is time for: the others follow in the next one, so that no number of panels blocks the page.
 */
export interface FrameRequester {
  request(): void;
  cancel(): void;
}

/** One frame at 60 Hz: where everything fits, nothing is put off. */
const BUDGET_MS = 16;

/** In the order of their requests; whoever was drawn stands at the end again. */
const waiting = new Set<() => void>();
let handle = 0;

/** Draws what waits now, however long it takes. */
export function drawNow(): void {
  drawFor(Number.POSITIVE_INFINITY);
}

function drawWaiting(): void {
  handle = 0;
  drawFor(BUDGET_MS);
  schedule();
}

function drawFor(budgetMs: number): void {
  const sinceMs = performance.now();
  // As they stand now: what a plot asks for while it is drawn belongs to the next frame.
  const due = Array.from(waiting);
  for (const each of due) {
    waiting.delete(each);
    each();
    if (performance.now() - sinceMs >= budgetMs) break;
  }
}

function schedule(): void {
  if (handle === 0 && waiting.size > 0) handle = requestAnimationFrame(drawWaiting);
}

export function onNextFrame(draw: () => void): FrameRequester {
  // Its own, so that the same function asked for twice is drawn twice.
  const own = (): void => draw();
  return {
    request(): void {
      waiting.add(own);
      schedule();
    },
    cancel(): void {
      waiting.delete(own);
    },
  };
}
