/**
 * The legend: one button per trace, which shows and hides it, with the n and the integration time behind it.
 */
import { useComputed } from '@preact/signals';
import type { SpectrumFrame, Trace } from '../../../bridge/protocol/frames.ts';
import type { Geometry } from '../../../bridge/protocol/geometry.ts';
import { integrationSeconds } from '../../analysis/exposure.ts';
import { grouped } from '../format/numbers.ts';
import { span } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { storedOf } from '../model/stored.ts';
import type { LineName } from '../model/view.ts';
import { TRACE_NAMES } from './names.ts';
import { Swatch } from './swatch.tsx';

const ORDER: readonly Trace[] = ['run', 'latest', 'progress'];
/** Files are read faster than anybody could watch them grow. */
const OFFLINE_ORDER: readonly Trace[] = ['run', 'latest'];

/** What is averaged, in a line: «n 2731 · 4.19 s». */
export function exposureText(spectrum: SpectrumFrame | null, g: Geometry): string {
  if (spectrum === null) return 'n –';
  return `n ${grouped(spectrum.slices)} · ${span(integrationSeconds(spectrum.slices, g))}`;
}

function nameOf(trace: Trace, spectrum: SpectrumFrame | null, isChosen: boolean): string {
  if (spectrum === null || trace === 'run') return TRACE_NAMES[trace];
  if (isChosen) return `file ${spectrum.file}`;
  return trace === 'latest' ? `latest file ${spectrum.file}` : `in progress ${spectrum.file}`;
}

export function toggleTrace(model: Model, trace: LineName): void {
  const shown = new Set(model.view.traces.peek());
  if (!shown.delete(trace)) shown.add(trace);
  model.view.traces.value = shown;
}

/** A person has chosen the file, so it need not be the latest one. */
const isChosen = ({ offline }: Model): boolean => (offline.value?.shown ?? null) !== null;

function LegendEntry({ model, trace }: { model: Model; trace: Trace }) {
  // Where a stored row is shown, none of them is: the row's own note says what is.
  const spectrum = useComputed(() => (storedOf(model).value === null ? model.spectra[trace].value : null));
  const name = useComputed(() => nameOf(trace, spectrum.value, isChosen(model)));
  const exposure = useComputed(() => exposureText(spectrum.value, model.geometry.value));
  const isShown = model.view.traces.value.has(trace);
  const content = (
    <>
      <Swatch />
      <span class="legend-text">
        <span class="legend-name">{name}</span>
        <span class="legend-exposure">{exposure}</span>
      </span>
    </>
  );
  if (model.isKiosk) return isShown ? <span class={`legend-entry ${trace}`}>{content}</span> : null;
  return (
    <button
      type="button"
      class={`legend-entry ${trace}`}
      aria-pressed={isShown}
      title={`${isShown ? 'Hide' : 'Show'} the ${TRACE_NAMES[trace]} (key ${ORDER.indexOf(trace) + 1})`}
      onClick={() => toggleTrace(model, trace)}
    >
      {content}
    </button>
  );
}

export function Legend({ model }: { model: Model }) {
  return (
    <div class="legend" role="group" aria-label="Traces">
      {(model.isOffline ? OFFLINE_ORDER : ORDER).map((trace) => (
        <LegendEntry key={trace} model={model} trace={trace} />
      ))}
    </div>
  );
}
