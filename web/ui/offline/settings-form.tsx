/** How recordings shall be measured. What a recording says of itself wins, and the form says so. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import {
  binWidthHz,
  DEFAULT_LO_HZ,
  DEFAULT_SAMPLE_RATE_HZ,
  type Geometry,
} from '../../../bridge/protocol/geometry.ts';
import { isGivenRunName } from '../../../bridge/protocol/run-name.ts';
import { WINDOW_NAMES, type WindowName, windowFigures } from '../../../bridge/protocol/window.ts';
import type { OfflineSettings } from '../../offline/browser/types.ts';
import { fixed, grouped, significant, THIN } from '../format/numbers.ts';
import type { Intake } from './intake.ts';
import { frequencyOf, LENGTHS } from './settings.ts';

const WINDOW_TITLES: Readonly<Record<WindowName, string>> = {
  none: 'none, as published',
  hann: 'Hann',
  'blackman-harris': 'Blackman–Harris',
  'flat-top': 'flat-top',
};

const UNTYPED: Readonly<Record<string, 'cf32' | 'ci16'>> = { cf32: 'cf32', ci16: 'ci16' };

export function SettingsForm({ intake }: { intake: Intake }) {
  const survey = intake.survey.value;
  const settings = intake.settings.value;
  const isFixed = survey?.isFixed ?? false;
  return (
    <form class="offline-settings" aria-label="Settings" onSubmit={(event) => event.preventDefault()}>
      <RunField intake={intake} isFixed={isFixed} />
      <Field label="Samples per slice" note={resolution(survey?.geometry ?? null, settings)}>
        <select
          value={settings.bins}
          disabled={isFixed}
          onChange={({ currentTarget }) => intake.change({ bins: Number(currentTarget.value) })}
        >
          {LENGTHS.map((bins) => (
            <option key={bins} value={bins}>
              {bins}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Window" note={`ENBW ${fixed(windowFigures(settings.window).enbwBins, 3)} bins`}>
        <select
          value={settings.window}
          disabled={isFixed}
          onChange={({ currentTarget }) => intake.change({ window: currentTarget.value as WindowName })}
        >
          {WINDOW_NAMES.map((name) => (
            <option key={name} value={name}>
              {WINDOW_TITLES[name]}
            </option>
          ))}
        </select>
      </Field>
      <FrequencyField intake={intake} isFixed={isFixed} setting="sampleRateHz" />
      <FrequencyField intake={intake} isFixed={isFixed} setting="loHz" />
      <Field label="Checksums" note="SHA-512 in SigMF metadata, where there is one">
        <select
          value={settings.verify ? 'yes' : 'no'}
          disabled={isFixed}
          onChange={({ currentTarget }) => intake.change({ verify: currentTarget.value === 'yes' })}
        >
          <option value="yes">compare</option>
          <option value="no">do not compare: faster</option>
        </select>
      </Field>
      <Field label="Other files" note=".bin .dat .iq .raw, interleaved">
        <select
          value={settings.untyped ?? ''}
          onChange={({ currentTarget }) => intake.change({ untyped: UNTYPED[currentTarget.value] ?? null })}
        >
          <option value="">are no recordings</option>
          <option value="cf32">hold I, Q as float32</option>
          <option value="ci16">hold I, Q as int16</option>
        </select>
      </Field>
      {isFixed && (
        <p class="settings-fixed">Something is measured already: what is added has to fit these settings.</p>
      )}
    </form>
  );
}

function Field({ label, note, children }: { label: string; note: string; children: ComponentChildren }) {
  return (
    <label class="choice">
      <span class="choice-label">{label}</span>
      {children}
      <span class="field-note">{note}</span>
    </label>
  );
}

function resolution(geometry: Geometry | null, { bins, sampleRateHz, window }: OfflineSettings): string {
  const rateHz = geometry?.sampleRateHz ?? sampleRateHz ?? DEFAULT_SAMPLE_RATE_HZ;
  const widthHz = binWidthHz({ bins, sampleRateHz: rateHz, loHz: 0 });
  return `RBW ${significant(widthHz * windowFigures(window).enbwBins, 5)}${THIN}Hz`;
}

function RunField({ intake, isFixed }: { intake: Intake; isFixed: boolean }) {
  const typed = useSignal(intake.settings.peek().run);
  const named = intake.survey.value?.run ?? '';
  const isRight = typed.value === '' || isGivenRunName(typed.value);
  return (
    <Field label="Run" note={isRight ? 'on every export' : 'A–Z, a–z, 0–9, dot, _ and -; at most 64'}>
      <input
        type="text"
        autocomplete="off"
        spellcheck={false}
        size={14}
        placeholder={named}
        value={typed.value}
        disabled={isFixed}
        aria-invalid={!isRight}
        onInput={({ currentTarget }) => {
          typed.value = currentTarget.value.trim();
          if (typed.value === '' || isGivenRunName(typed.value)) intake.change({ run: typed.value });
        }}
      />
    </Field>
  );
}

const FREQUENCIES = {
  sampleRateHz: { label: 'Sample rate / Hz', usualHz: DEFAULT_SAMPLE_RATE_HZ },
  loHz: { label: 'LO / Hz', usualHz: DEFAULT_LO_HZ },
} as const;

interface FrequencyProps {
  readonly intake: Intake;
  readonly isFixed: boolean;
  readonly setting: keyof typeof FREQUENCIES;
}

function FrequencyField({ intake, isFixed, setting }: FrequencyProps) {
  const { label, usualHz } = FREQUENCIES[setting];
  const kept = intake.settings.peek()[setting];
  const typed = useSignal(kept === null ? '' : String(kept));
  const said = frequencyOf(typed.value);
  const usedHz = intake.survey.value?.geometry[setting] ?? null;
  const isOverruled = usedHz !== null && usedHz !== (said ?? usualHz);
  const note = Number.isNaN(said)
    ? 'expected a number of hertz, such as 2e6'
    : isOverruled
      ? `the recordings say ${grouped(usedHz)}, which counts`
      : 'where recordings do not say theirs';
  return (
    <Field label={label} note={note}>
      <input
        type="text"
        inputMode="decimal"
        autocomplete="off"
        size={14}
        placeholder={grouped(usualHz)}
        value={typed.value}
        disabled={isFixed}
        aria-invalid={Number.isNaN(said)}
        onInput={({ currentTarget }) => {
          typed.value = currentTarget.value;
          const hz = frequencyOf(currentTarget.value);
          if (!Number.isNaN(hz)) intake.change({ [setting]: hz });
        }}
      />
    </Field>
  );
}
