/**
 * The waterfall of files: every row an average over all slices of one file or more.
 */
import { useComputed } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { HistoryRow } from '../../analysis/history.ts';
import { grouped } from '../format/numbers.ts';
import { counted, span, utc } from '../format/quantities.ts';
import { PanelFrame } from '../layout/panel-frame.tsx';
import type { FrequencyPanelProps } from '../layout/frequency-panel.ts';
import type { Model } from '../model/model.ts';
import { FrequencyPlot } from '../plot/frequency-plot.ts';
import { usePlot } from '../plot/use-plot.ts';
import { valueOfPower } from '../spectrum/read-out.tsx';
import { WaterfallContent } from './content.ts';

/** A pointer that has moved farther has drawn a box. */
const CLICK_PIXELS = 4;
/** A second click within this time makes it a double click. */
const DOUBLE_CLICK_MS = 250;

function depthText(model: Model): string {
  const rows = model.rows.value;
  const [oldest, newest] = [rows[0], rows.at(-1)];
  if (oldest === undefined || newest === undefined) return 'waiting for the first file';
  const files = rows.reduce((sum, row) => sum + row.files, 0);
  const slices = newest.slices / newest.files;
  const trouble = model.historyTrouble.value;
  const before = trouble === null ? '' : ` · earlier files not shown: ${trouble}`;
  return `${counted(files, 'file')} in ${span((newest.endMs - oldest.startMs) / 1000)} · n ${grouped(slices)} per file${before}`;
}

const rowUnder = (model: Model, ms: number): HistoryRow | undefined =>
  model.rows.value.find((it) => it.startMs <= ms && ms <= it.endMs);

/** A click that was no drag chooses the row; a double click shows the whole band, and chooses nothing. */
function useChoice(model: Model) {
  const down = useRef<readonly [x: number, y: number]>([0, 0]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  return {
    onMouseDown: (event: MouseEvent) => {
      down.current = [event.clientX, event.clientY];
    },
    onClick: (event: MouseEvent) => {
      clearTimeout(timer.current);
      if (event.detail > 1) return;
      const ms = model.cursorMs.peek();
      const [x, y] = down.current;
      const isDrag = Math.hypot(event.clientX - x, event.clientY - y) > CLICK_PIXELS;
      const row = ms === null || isDrag ? undefined : rowUnder(model, ms);
      if (ms === null || row === undefined) return;
      timer.current = setTimeout(() => model.requests.choose?.(row, ms), DOUBLE_CLICK_MS);
    },
  };
}

/** The row under the cursor: when, which files, how much power there. */
function hoverText(model: Model): string {
  const ms = model.cursorMs.value;
  const bin = model.cursorBin.value;
  if (ms === null || bin === null) return '';
  const row = rowUnder(model, ms);
  if (row === undefined) return `${utc(ms)}: nothing measured`;
  const files = row.files === 1 ? `file ${row.firstFile}` : `files ${row.firstFile}–${row.lastFile}`;
  const column = Math.floor((bin / model.geometry.value.bins) * row.mean.length);
  const power = valueOfPower(row.mean[column] as number, model.view.unit.value, model.view.scale.value);
  return `${utc(ms)} · ${files} · n ${grouped(row.slices)} · ${power}`;
}

export function WaterfallPanel({ model, isLowest }: FrequencyPanelProps) {
  const host = usePlot(
    model,
    (element) => new FrequencyPlot(element, model, new WaterfallContent(model), isLowest),
    [isLowest],
  );
  const choice = useChoice(model);
  const depth = useComputed(() => depthText(model));
  const hover = useComputed(() => hoverText(model));
  return (
    <PanelFrame
      model={model}
      name="waterfall"
      label="Waterfall of files"
      caption={
        <>
          <b>Waterfall</b> {model.view.waterfall.value === 'relative' ? 'of power over its mean' : 'of power'}{' '}
          against UTC · {depth} <span class="hover">{hover}</span>
        </>
      }
    >
      <div class="plot" ref={host} {...choice} />
    </PanelFrame>
  );
}
