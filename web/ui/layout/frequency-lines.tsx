/**
 * Cursor and markers as lines through every panel over frequency.
 */
import { binWidthHz } from '../../../bridge/protocol/geometry.ts';
import type { Model } from '../model/model.ts';
import { bandLimits } from '../plot/zoom.ts';

/** Where a bin lies, as a share of the axis; null outside. */
function shareOf(model: Model, bin: number | null): number | null {
  if (bin === null) return null;
  const g = model.geometry.value;
  const x = model.view.x.value ?? bandLimits(g);
  const share = ((bin - g.bins / 2) * binWidthHz(g) - x.min) / (x.max - x.min);
  return share >= 0 && share <= 1 ? share : null;
}

function Line({ model, bin, kind }: { model: Model; bin: number | null; kind: 'cursor' | 'a' | 'b' }) {
  const share = shareOf(model, bin);
  if (share === null) return null;
  return (
    <div class={`frequency-line ${kind}`} style={{ left: `${100 * share}%` }}>
      {kind !== 'cursor' && <span class="marker-name">{kind.toUpperCase()}</span>}
    </div>
  );
}

const CursorLine = ({ model }: { model: Model }) => (
  <Line model={model} bin={model.cursorBin.value} kind="cursor" />
);

export function FrequencyLines({ model }: { model: Model }) {
  return (
    <div class="frequency-lines" aria-hidden="true">
      <Line model={model} bin={model.view.a.value} kind="a" />
      <Line model={model} bin={model.view.b.value} kind="b" />
      <CursorLine model={model} />
    </div>
  );
}
