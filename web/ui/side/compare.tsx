/**
 * What the spectrum is held against: peak and minimum hold, and a reference that is frozen or loaded.
 */
import { batch } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { referenceOfCsv } from '../../analysis/reference-csv.ts';
import type { Reference, ReferenceMode } from '../../analysis/reference.ts';
import { grouped } from '../format/numbers.ts';
import { utcShort } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import type { LineName } from '../model/view.ts';
import { LINE_NAMES } from '../spectrum/names.ts';
import { toggleTrace } from '../spectrum/legend.tsx';
import { Swatch } from '../spectrum/swatch.tsx';

const MODES: readonly (readonly [ReferenceMode, string])[] = [
  ['off', 'beside it'],
  ['ratio', 'ratio to it'],
  ['difference', 'difference to it'],
];

/** In the narrow column, under «Compare». */
const SHORT_NAMES: Partial<Record<LineName, string>> = { peak: 'peak', least: 'min' };

function LineToggle({ model, line }: { model: Model; line: LineName }) {
  const isShown = model.view.traces.value.has(line);
  return (
    <button
      type="button"
      class={`line-toggle ${line}`}
      aria-pressed={isShown}
      aria-label={LINE_NAMES[line]}
      onClick={() => toggleTrace(model, line)}
    >
      <Swatch /> {SHORT_NAMES[line] ?? LINE_NAMES[line]}
    </button>
  );
}

/** Keeps the run average (or what there is) as it is now. */
export function freezeReference(model: Model): void {
  const spectrum = model.spectra.run.peek() ?? model.spectra.latest.peek() ?? model.spectra.progress.peek();
  if (spectrum === null) {
    model.message.value = 'There is no spectrum yet to freeze.';
    return;
  }
  setReference(model, {
    name: `${spectrum.run}, n ${grouped(spectrum.slices)}`,
    slices: spectrum.slices,
    mean: Float64Array.from(spectrum.mean),
    std: Float64Array.from(spectrum.std),
  });
}

function setReference(model: Model, reference: Reference): void {
  batch(() => {
    model.reference.value = reference;
    model.view.traces.value = new Set([...model.view.traces.peek(), 'reference']);
    model.view.y.value = null;
  });
}

export function nextReferenceMode(model: Model): void {
  const names = MODES.map(([mode]) => mode);
  const at = names.indexOf(model.referenceMode.peek());
  model.referenceMode.value = names[(at + 1) % names.length] ?? 'off';
  model.view.y.value = null;
}

async function loadReference(model: Model, file: File): Promise<void> {
  try {
    setReference(model, referenceOfCsv(await file.text(), file.name, model.geometry.peek()));
  } catch (error) {
    model.message.value = `${file.name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function Holds({ model }: { model: Model }) {
  const held = model.holds.value;
  return (
    <>
      <div class="row">
        <LineToggle model={model} line="peak" />
        <LineToggle model={model} line="least" />
        <button
          type="button"
          class="plain"
          aria-label="Reset the holds"
          title="Begin anew with the next file (key h)"
          disabled={held === null}
          onClick={() => model.requests.resetHolds()}
        >
          Reset
        </button>
      </div>
      <p class="held">
        {held === null
          ? 'nothing held yet'
          : `${grouped(held.files)} ${held.files === 1 ? 'file' : 'files'} since ${utcShort(held.sinceMs, model.todayMs.value)}`}
      </p>
    </>
  );
}

function ReferenceRows({ model }: { model: Model }) {
  const picker = useRef<HTMLInputElement>(null);
  const reference = model.reference.value;
  return (
    <>
      <div class="row">
        <LineToggle model={model} line="reference" />
        <button type="button" class="plain" title="Key r" onClick={() => freezeReference(model)}>
          Freeze
        </button>
        <button type="button" class="plain" onClick={() => picker.current?.click()}>
          CSV…
        </button>
        <input
          ref={picker}
          class="spoken"
          type="file"
          accept=".csv,.ecsv,text/csv"
          tabIndex={-1}
          aria-label="Reference as CSV"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file !== undefined) void loadReference(model, file);
            event.currentTarget.value = '';
          }}
        />
      </div>
      {reference !== null && (
        <div class="row">
          <span class="reference-name" title={reference.name}>
            {reference.name}
          </span>
          <select
            aria-label="Spectrum and reference"
            value={model.referenceMode.value}
            onChange={(event) => {
              model.referenceMode.value =
                MODES.find(([mode]) => mode === event.currentTarget.value)?.[0] ?? 'off';
              model.view.y.value = null;
            }}
          >
            {MODES.map(([mode, text]) => (
              <option key={mode} value={mode}>
                {text}
              </option>
            ))}
          </select>
        </div>
      )}
    </>
  );
}

export function Compare({ model }: { model: Model }) {
  return (
    <section class="compare">
      <h2>Compare</h2>
      <Holds model={model} />
      <ReferenceRows model={model} />
    </section>
  );
}
