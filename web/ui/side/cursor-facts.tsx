/**
 * Excess and kurtosis under the cursor.
 */
import { binFrequencyHz } from '../../../bridge/protocol/geometry.ts';
import { fixed, grouped, signed } from '../format/numbers.ts';
import { offsetFrequency } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';

export function CursorFacts({ model }: { model: Model }) {
  const bin = model.cursorBin.value;
  const analysis = model.analysis.value;
  const g = model.geometry.value;
  const at = bin ?? Number.NaN;
  const z = analysis?.z[at];
  const kurtosis = analysis?.kurtosis[at];
  return (
    <section>
      <h2>Cursor</h2>
      <dl class="pairs">
        <dt>f − LO</dt>
        <dd>{bin === null ? '–' : offsetFrequency(binFrequencyHz(g, bin) - g.loHz)}</dd>
        <dt>bin</dt>
        <dd>{bin === null ? '–' : grouped(bin)}</dd>
        <dt>z</dt>
        <dd>{z === undefined ? '–' : signed(z, 2)}</dd>
        <dt>kurtosis</dt>
        <dd>{kurtosis === undefined ? '–' : fixed(kurtosis, 3)}</dd>
      </dl>
    </section>
  );
}
