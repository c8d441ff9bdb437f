/**
 * What people have noted at the run; a click shows a frequency, and operators take a note away.
 */
import { useState } from 'preact/hooks';
import type { Annotation } from '../../../bridge/protocol/operator.ts';
import { binWidthHz } from '../../../bridge/protocol/geometry.ts';
import { utc } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { withinBand } from '../plot/zoom.ts';
import { operate } from '../run/operate.ts';
import { placeText } from '../run/places.ts';

/** Bins shown on either side of an annotation that was clicked. */
const AROUND = 60;

function show(model: Model, { at }: Annotation): void {
  if (at.kind !== 'frequency') return;
  const g = model.geometry.peek();
  const reach = AROUND * binWidthHz(g);
  const offset = at.hz - g.loHz;
  model.view.x.value = withinBand({ min: offset - reach, max: offset + reach }, g);
}

const madeText = ({ author, madeUtc }: Annotation): string =>
  `${author === '' ? 'Noted' : `${author},`} ${utc(Date.parse(madeUtc))}`;

function Row({ model, annotation }: { model: Model; annotation: Annotation }) {
  const [isGoing, setGoing] = useState(false);
  const { id, text, at } = annotation;
  const remove = async (): Promise<void> => {
    setGoing(true);
    await operate(model, { kind: 'remove', annotation: id });
    setGoing(false);
  };
  return (
    <li>
      <button
        type="button"
        class="annotation"
        title={`${madeText(annotation)}${at.kind === 'frequency' ? '. Click to see it.' : ''}`}
        onClick={() => show(model, annotation)}
      >
        <span class="where">{placeText(annotation, model.geometry.value, model.todayMs.value)}</span>
        <span class="text">{text}</span>
      </button>
      {model.operatorReason.value === '' && (
        <button
          type="button"
          class="close-panel"
          aria-label={`Remove the annotation: ${text}`}
          title="Remove"
          disabled={isGoing}
          onClick={() => void remove()}
        >
          ×
        </button>
      )}
    </li>
  );
}

export function Annotations({ model }: { model: Model }) {
  const annotations = model.annotations.value;
  return (
    <section class="annotations">
      <h2>
        Annotations <span class="hint">{annotations.length === 0 ? 'key !' : ''}</span>
      </h2>
      <ul>
        {annotations.toReversed().map((annotation) => (
          <Row key={annotation.id} model={model} annotation={annotation} />
        ))}
      </ul>
    </section>
  );
}
