/**
 * The border between two panels: dragged, or moved with the arrow keys.
 */
import type { Model } from '../model/model.ts';
import { PANEL_NAMES, PANELS, type PanelName, resized } from '../model/panels.ts';

/** Share of the height by which a key moves it. */
const STEP = 0.02;

interface BorderProps {
  readonly model: Model;
  readonly above: PanelName;
  readonly below: PanelName;
}

export function Border({ model, above, below }: BorderProps) {
  const { panels } = model.view;
  const move = (share: number): void => {
    panels.value = resized(panels.peek(), above, below, share);
  };
  const drag = (down: PointerEvent): void => {
    const handle = down.currentTarget as HTMLElement;
    const main = handle.closest('main');
    if (main === null || down.button !== 0) return;
    down.preventDefault();
    handle.setPointerCapture(down.pointerId);
    const before = panels.peek();
    const stop = new AbortController();
    const follow = (event: PointerEvent): void => {
      panels.value = resized(before, above, below, (event.clientY - down.clientY) / main.clientHeight);
    };
    handle.addEventListener('pointermove', follow, { signal: stop.signal });
    handle.addEventListener('lostpointercapture', () => stop.abort(), { signal: stop.signal });
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    move(event.key === 'ArrowUp' ? -STEP : STEP);
  };
  const sizes = panels.value;
  const all = PANELS.reduce((sum, panel) => sum + sizes[panel], 0);
  return (
    <div
      class="border"
      role="separator"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={`Height of ${PANEL_NAMES[above]}, above ${PANEL_NAMES[below]}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round((100 * sizes[above]) / all)}
      onPointerDown={drag}
      onKeyDown={onKey}
    />
  );
}
