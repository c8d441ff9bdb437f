/**
 * Cursor, markers and annotated frequencies as lines through every panel over frequency.
 */
import { binWidthHz } from '../../../bridge/protocol/geometry.ts';
import type { Annotation } from '../../../bridge/protocol/operator.ts';
import type { Model } from '../model/model.ts';
import { binOfAnnotation } from '../run/places.ts';
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

function Note({ model, annotation }: { model: Model; annotation: Annotation }) {
  const share = shareOf(model, binOfAnnotation(annotation, model.geometry.value));
  if (share === null) return null;
  return (
    <div class={`frequency-line note ${share > 0.85 ? 'right' : ''}`} style={{ left: `${100 * share}%` }}>
      <span class="note-text">{annotation.text}</span>
    </div>
  );
}

const CursorLine = ({ model }: { model: Model }) => (
  <Line model={model} bin={model.cursorBin.value} kind="cursor" />
);

export function FrequencyLines({ model }: { model: Model }) {
  return (
    <div class="frequency-lines" aria-hidden="true">
      {model.annotations.value.map((annotation) => (
        <Note key={annotation.id} model={model} annotation={annotation} />
      ))}
      <Line model={model} bin={model.view.a.value} kind="a" />
      <Line model={model} bin={model.view.b.value} kind="b" />
      <CursorLine model={model} />
    </div>
  );
}
