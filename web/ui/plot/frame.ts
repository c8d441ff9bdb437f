/**
 * At most one redraw per animation frame, however many reasons there are.
 */
export interface FrameRequester {
  request(): void;
  cancel(): void;
}

export function onNextFrame(draw: () => void): FrameRequester {
  let handle = 0;
  return {
    request(): void {
      if (handle !== 0) return;
      handle = requestAnimationFrame(() => {
        handle = 0;
        draw();
      });
    },
    cancel(): void {
      cancelAnimationFrame(handle);
      handle = 0;
    },
  };
}
