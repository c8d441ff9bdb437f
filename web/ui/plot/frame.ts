/**
 * At most one redraw of a plot per animation frame, however many reasons there are, and no more plots in a frame
 * than there is time for: the others follow in the next one, so that no number of panels blocks the page.
 */
export interface FrameRequester {
  request(): void;
  cancel(): void;
}

interface Drawing {
  readonly draw: () => void;
  draws: number;
  lastMs: number;
}

/** One frame at 60 Hz: where everything fits, nothing is put off. */
const BUDGET_MS = 16;
/** So often a drawing takes longer than it will, because its code is compiled meanwhile: it gets a frame of its own. */
const COLD_DRAWS = 3;

/** In the order of their requests; whoever was drawn stands at the end again. */
const waiting = new Set<Drawing>();
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

/** One at least, and then as many as will be done in time if each takes as long as it last did. */
function drawFor(budgetMs: number): void {
  const sinceMs = performance.now();
  let spentMs = 0;
  // As they stand now: what a plot asks for while it is drawn belongs to the next frame.
  const due = Array.from(waiting);
  for (const drawing of due) {
    const expectedMs = drawing.draws < COLD_DRAWS ? BUDGET_MS : drawing.lastMs;
    if (spentMs > 0 && spentMs + expectedMs > budgetMs) break;
    waiting.delete(drawing);
    drawing.draw();
    drawing.draws += 1;
    drawing.lastMs = performance.now() - sinceMs - spentMs;
    spentMs += drawing.lastMs;
  }
}

function schedule(): void {
  if (handle === 0 && waiting.size > 0) handle = requestAnimationFrame(drawWaiting);
}

export function onNextFrame(draw: () => void): FrameRequester {
  const drawing: Drawing = { draw, draws: 0, lastMs: 0 };
  return {
    request(): void {
      waiting.add(drawing);
      schedule();
    },
    cancel(): void {
      waiting.delete(drawing);
    },
  };
}
