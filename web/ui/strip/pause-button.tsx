/**
 * Pause: the view stands still while averaging goes on. Back to live: one button, and it is seen.
 */
import { utcShort } from '../format/quantities.ts';
import { goLive, type Model, pause } from '../model/model.ts';

export const togglePause = (model: Model): void =>
  model.pausedMs.peek() === null ? pause(model) : goLive(model);

export function PauseButton({ model }: { model: Model }) {
  const since = model.pausedMs.value;
  return (
    <span class="pause" role="group" aria-label="Pause">
      <button
        type="button"
        class={`plain ${since === null ? '' : 'go-live'}`}
        title={
          since === null
            ? 'The view stands still, averaging goes on (key p)'
            : 'Follow the data again (key p)'
        }
        disabled={since === null && model.newest.value === null}
        onClick={() => togglePause(model)}
      >
        {since === null ? 'Pause' : 'LIVE'}
      </button>
      <span class="pause-since">{since === null ? '' : `paused ${utcShort(since, model.nowMs.value)}`}</span>
    </span>
  );
}
