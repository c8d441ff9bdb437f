/**
 * Pause: the view stands still while averaging goes on. Back to live: one button, and it is seen.
 */
import { utcShort } from '../format/quantities.ts';
import { goLive, type Model, pause } from '../model/model.ts';
import { stepRow, storedOf } from '../model/stored.ts';

export const togglePause = (model: Model): void =>
  model.pausedMs.peek() === null ? pause(model) : goLive(model);

/** Where the view stands, and the way to the rows before and behind it. */
function Stand({ model, sinceMs }: { model: Model; sinceMs: number }) {
  const isStored = storedOf(model).value !== null;
  const step = (by: -1 | 1, sign: string, what: string) => (
    <button type="button" class="step" aria-label={what} title={what} onClick={() => stepRow(model, by)}>
      {sign}
    </button>
  );
  return (
    <span class="pause-since">
      {step(-1, '‹', 'The stored row before (key Page Up)')}
      {/* What is stored says so itself, beside its values. */}
      {isStored ? '' : `paused ${utcShort(sinceMs, model.todayMs.value)}`}
      {step(1, '›', 'The stored row after it (key Page Down)')}
    </span>
  );
}

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
      {since !== null && <Stand model={model} sinceMs={since} />}
    </span>
  );
}
