/**
 * Beside the plots: what lies under the cursor, the markers, what is held and compared, and the flagged lines.
 */
import type { Model } from '../model/model.ts';
import { Compare } from './compare.tsx';
import { CursorFacts } from './cursor-facts.tsx';
import { Flagged } from './flagged.tsx';
import { Markers } from './markers.tsx';

export function Side({ model }: { model: Model }) {
  return (
    <aside class="side" aria-label="Cursor, markers, comparison, flagged lines">
      <CursorFacts model={model} />
      <Markers model={model} />
      <Compare model={model} />
      <Flagged model={model} />
    </aside>
  );
}
