/**
 * Beside the plots: what lies under the cursor, the markers, what is held and compared, the flagged lines, and what people
 * have noted.
 */
import type { Model } from '../model/model.ts';
import { Annotations } from './annotations.tsx';
import { Compare } from './compare.tsx';
import { CursorFacts } from './cursor-facts.tsx';
import { Flagged } from './flagged.tsx';
import { Markers } from './markers.tsx';

export function Side({ model }: { model: Model }) {
  return (
    <aside class="side" aria-label="Cursor, markers, comparison, flagged lines, annotations">
      <CursorFacts model={model} />
      <Markers model={model} />
      <Compare model={model} />
      <Flagged model={model} />
      {!model.isOffline && <Annotations model={model} />}
    </aside>
  );
}
