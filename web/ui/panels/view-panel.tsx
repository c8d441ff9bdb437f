/**
 * Everything about the picture that is chosen more rarely: axis, baseline, waterfall, panels.
 */
import type { Signal } from '@preact/signals';
import type { Trace } from '../../../bridge/protocol/frames.ts';
import { binFrequencyHz } from '../../../bridge/protocol/geometry.ts';
import { expectedExcessStd, matchedFilterEfficiency } from '../../analysis/efficiency.ts';
import { MOST_DEGREE, usableWindow } from '../../analysis/savitzky-golay.ts';
import { fixed, THIN } from '../format/numbers.ts';
import { offsetFrequency } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { PANEL_NAMES, PANELS, toggled, DEFAULT_PANELS } from '../model/panels.ts';
import type { AxisKind, Theme, WaterfallKind } from '../model/view.ts';
import { chooseTheme } from '../theme.ts';
import { toneBin } from '../series/series.ts';
import { Choice } from '../spectrum/choice.tsx';
import { TRACE_NAMES } from '../spectrum/names.ts';

const AXES: readonly (readonly [AxisKind, string])[] = [
  ['offset', 'offset from the LO'],
  ['absolute', 'absolute'],
  ['bin', 'bin'],
];
const WATERFALLS: readonly (readonly [WaterfallKind, string])[] = [
  ['power', 'power'],
  ['relative', 'power over its mean'],
];
const THEMES: readonly (readonly [Theme, string])[] = [
  ['dark', 'dark'],
  ['light', 'light'],
  ['system', 'as the system'],
];
const SPECTRA: readonly (readonly [Trace, string])[] = [
  ['run', TRACE_NAMES.run],
  ['latest', TRACE_NAMES.latest],
  ['progress', TRACE_NAMES.progress],
];
/** Windows whose price is shown beside the chosen one. */
const WINDOWS = [91, 151, 201, 301, 501];
const HOURS: readonly (readonly [seconds: number | null, text: string])[] = [
  [600, '10 min'],
  [3600, '1 h'],
  [21_600, '6 h'],
  [86_400, '1 d'],
  [null, 'all'],
];

function NumberField(props: {
  readonly label: string;
  readonly value: Signal<number>;
  readonly least: number;
  readonly most: number;
}) {
  const { label, value, least, most } = props;
  return (
    <label class="choice">
      <span class="choice-label">{label}</span>
      <input
        type="number"
        min={least}
        max={most}
        value={value.value}
        onChange={(event) => {
          const chosen = Math.round(event.currentTarget.valueAsNumber);
          if (chosen >= least && chosen <= most) value.value = chosen;
          else event.currentTarget.value = String(value.peek());
        }}
      />
    </label>
  );
}

/** What each window keeps of an axion, the chosen one among them. */
function Efficiency({ model }: { model: Model }) {
  const g = model.geometry.value;
  const degree = model.view.degree.value;
  const used = usableWindow(model.view.window.value, degree, g.bins);
  const windows = [...new Set([...WINDOWS.map((w) => usableWindow(w, degree, g.bins)), used])].sort(
    (a, b) => a - b,
  );
  return (
    <table class="efficiency">
      <caption>What a window of degree {degree} leaves of an axion’s signal-to-noise ratio</caption>
      <thead>
        <tr>
          <th scope="col">bins</th>
          <th scope="col">kept</th>
          <th scope="col">R of noise</th>
        </tr>
      </thead>
      <tbody>
        {windows.map((window) => (
          <tr key={window} class={window === used ? 'chosen' : ''}>
            <th scope="row">{window}</th>
            <td>
              {fixed(100 * matchedFilterEfficiency(g, window, degree), 0)}
              {THIN}%
            </td>
            <td>{fixed(expectedExcessStd(window, degree), 3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Panels({ model }: { model: Model }) {
  const { panels, side } = model.view;
  return (
    <fieldset>
      <legend>Panels</legend>
      {PANELS.map((panel) => (
        <label key={panel} class="check">
          <input
            type="checkbox"
            checked={panels.value[panel] > 0}
            onChange={() => {
              panels.value = toggled(panels.peek(), panel);
            }}
          />
          {PANEL_NAMES[panel]}
        </label>
      ))}
      <label class="check">
        <input
          type="checkbox"
          checked={side.value}
          onChange={() => {
            side.value = !side.peek();
          }}
        />
        cursor, markers, flagged lines
      </label>
      <button
        type="button"
        class="plain"
        onClick={() => {
          panels.value = DEFAULT_PANELS;
          side.value = true;
        }}
      >
        As they were at first
      </button>
    </fieldset>
  );
}

function Tone({ model }: { model: Model }) {
  const bin = toneBin(model);
  const g = model.geometry.value;
  return (
    <label class="choice">
      <span class="choice-label">
        Reference tone, bin {bin === null ? '' : `(${offsetFrequency(binFrequencyHz(g, bin) - g.loHz)})`}
      </span>
      <input
        type="number"
        min={0}
        max={g.bins - 1}
        placeholder="strongest line"
        value={model.view.tone.value ?? ''}
        onChange={(event) => {
          const chosen = event.currentTarget.valueAsNumber;
          model.view.tone.value = chosen >= 0 && chosen < g.bins ? Math.round(chosen) : null;
        }}
      />
    </label>
  );
}

export function ViewPanel({ model }: { model: Model }) {
  const { view } = model;
  return (
    <div class="view-panel">
      <h2>View</h2>
      <Panels model={model} />
      <fieldset>
        <legend>Axes</legend>
        <Choice label="Frequency axis" value={view.axis} options={AXES} />
        <Choice label="Waterfall" value={view.waterfall} options={WATERFALLS} />
        <Choice label="History shown" value={view.depth} options={HOURS} />
        <Tone model={model} />
        <Choice
          label="Colours"
          value={view.theme}
          options={THEMES}
          onChosen={() => chooseTheme(model, view.theme.peek())}
        />
      </fieldset>
      <fieldset>
        <legend>Excess and kurtosis</legend>
        <Choice label="Of the" value={view.of} options={SPECTRA} />
        <NumberField label="Baseline window, bins" value={view.window} least={3} most={8191} />
        <NumberField label="Degree" value={view.degree} least={0} most={MOST_DEGREE} />
        <Efficiency model={model} />
      </fieldset>
    </div>
  );
}
