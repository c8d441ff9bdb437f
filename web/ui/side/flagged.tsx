/**
 * The flagged lines: where, how strong, what kind, whether an image, and since when. A click shows the line.
 */
import { binFrequencyHz, binWidthHz } from '../../../bridge/protocol/geometry.ts';
import type { FlaggedLine } from '../../analysis/flagged.ts';
import { fixed, grouped, signed, signedGrouped } from '../format/numbers.ts';
import { counted, offsetFrequency, utcShort } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { withinBand } from '../plot/zoom.ts';

/** Bins shown on either side of a line that was clicked. */
const AROUND = 60;
/** More than so many tell nobody anything: then the baseline does not fit. */
const MOST_LISTED = 40;

function showLine(model: Model, line: FlaggedLine): void {
  const g = model.geometry.peek();
  const reach = AROUND * binWidthHz(g);
  model.view.x.value = withinBand({ min: line.offsetHz - reach, max: line.offsetHz + reach }, g);
  model.cursorBin.value = line.bin;
}

/** z grows with √n without bound: three digits are enough. */
const zText = (z: number): string => (Math.abs(z) < 100 ? signed(z, 1) : signedGrouped(Math.round(z)));

/** UTC, as everything here. */
const sinceText = (line: FlaggedLine, model: Model): string =>
  `since ${utcShort(line.sinceMs, model.todayMs.value).replace(/ UTC$/, '')}`;

function imageText(model: Model, line: FlaggedLine): string {
  if (line.bin === model.geometry.value.bins / 2) return 'DC, leakage of the LO';
  if (line.mirrorBin === null || Number.isNaN(line.mirrorZ)) return 'no image';
  return `image in bin ${grouped(line.mirrorBin)}: z ${zText(line.mirrorZ)}`;
}

function Row({ model, line }: { model: Model; line: FlaggedLine }) {
  const g = model.geometry.value;
  const hz = binFrequencyHz(g, line.bin);
  return (
    <li>
      <button
        type="button"
        class="flagged-line"
        title={`${grouped(hz / 1e9, 9)} GHz, bins ${line.from} to ${line.to - 1}. ${imageText(model, line)}. Click to see it.`}
        onClick={() => showLine(model, line)}
      >
        <span class="where">{offsetFrequency(hz - g.loHz)}</span>
        <span class="z">z {zText(line.z)}</span>
        <span class="detail">
          SK {fixed(line.kurtosis, 3)} · {sinceText(line, model)}
        </span>
        <span class="detail">{imageText(model, line)}</span>
      </button>
    </li>
  );
}

export function Flagged({ model }: { model: Model }) {
  const analysis = model.analysis.value;
  const lines = analysis?.lines ?? [];
  return (
    <section class="flagged">
      <h2>
        Flagged lines{' '}
        <span class="hint">{analysis === null ? '' : `above ${fixed(analysis.threshold, 1)} σ`}</span>
      </h2>
      {lines.length === 0 ? (
        <p class="hint">{analysis === null ? 'waiting for a spectrum' : 'none'}</p>
      ) : (
        <ul>
          {lines.slice(0, MOST_LISTED).map((line) => (
            <Row key={line.bin} model={model} line={line} />
          ))}
        </ul>
      )}
      {lines.length > MOST_LISTED && (
        <p class="hint">and {counted(lines.length - MOST_LISTED, 'more line')}: does the baseline fit?</p>
      )}
    </section>
  );
}
