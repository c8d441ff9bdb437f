/**
 * What runs along in time: total power, reference tone, and in words the live fraction, how long averaging pays, and
 * how the digitiser is.
 */
import { useComputed } from '@preact/signals';
import { integrationSeconds } from '../../analysis/exposure.ts';
import { allanCurve, idealDeviation } from '../../analysis/allan.ts';
import { liveFraction } from '../../analysis/live-fraction.ts';
import { nominalSlicesPerFile } from '../../../bridge/protocol/geometry.ts';
import { fixed, grouped, signed, significant, THIN } from '../format/numbers.ts';
import { counted, span, utc } from '../format/quantities.ts';
import { PanelFrame } from '../layout/panel-frame.tsx';
import type { Model } from '../model/model.ts';
import { usePlot } from '../plot/use-plot.ts';
import { AdcFacts } from './adc-facts.tsx';
import { type SeriesKind, toneName, TONE_HEIGHT, TOTAL_POWER } from './series.ts';
import { TimePlot } from './time-plot.ts';

function Series({ model, kind }: { model: Model; kind: SeriesKind }) {
  const host = usePlot(model, (element) => new TimePlot(element, model, kind), [kind]);
  return <div class="plot" role="img" aria-label={kind.name} ref={host} />;
}

const percent = (share: number, decimals: number): string => `${fixed(100 * share, decimals)}${THIN}%`;

function liveText(model: Model): readonly [value: string, detail: string] {
  const { fraction, missingFiles, received, expected } = liveFraction(
    model.rows.value,
    nominalSlicesPerFile(model.geometry.value.bins),
  );
  if (Number.isNaN(fraction)) return ['–', ''];
  const missing = missingFiles === 0 ? '' : `${counted(missingFiles, 'file')} missing, `;
  return [percent(fraction, 2), `${missing}${grouped(received)} of ${grouped(expected)} slices`];
}

/** Relative Allan deviation of the total power of single files, and where it is least. */
function allanText(model: Model): readonly [value: string, detail: string] {
  const rows = model.rows.value.filter((row) => row.files === 1);
  const mean = rows.reduce((sum, row) => sum + row.totalPower, 0) / rows.length;
  const curve = allanCurve(rows.map((row) => row.totalPower / mean));
  const [first] = curve;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return ['–', ''];
  const g = model.geometry.value;
  const seconds = integrationSeconds(last.slices, g);
  const best = curve.reduce((least, point) => (point.deviation < least.deviation ? point : least));
  const ideal = idealDeviation(g.sampleRateHz, seconds);
  return [
    `${significant(100 * first.deviation, 2)}${THIN}%, ideal ${significant(100 * ideal, 2)}${THIN}%`,
    `least ${significant(100 * best.deviation, 2)}${THIN}% over ${span(best.m * seconds)}`,
  ];
}

/** Power and tone of the row under the cursor, here or in the waterfall. */
function hoverText(model: Model): string {
  const ms = model.cursorMs.value;
  const rows = model.rows.value;
  const row = ms === null ? undefined : rows.find((it) => it.startMs <= ms && ms <= it.endMs);
  if (ms === null || row === undefined) return '';
  const at = rows.indexOf(row);
  const power = TOTAL_POWER.values(rows, model)[at] as number;
  const [tone = Number.NaN] = TONE_HEIGHT.values([row], model);
  return `${utc(ms)} · ${signed(power, 3)}${THIN}% · tone ${Number.isNaN(tone) ? '–' : fixed(tone, 2)}`;
}

function Fact({ name, fact }: { name: string; fact: readonly [value: string, detail: string] }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <b>{fact[0]}</b> <span class="detail">{fact[1]}</span>
      </dd>
    </>
  );
}

export function PowerPanel({ model }: { model: Model }) {
  const live = useComputed(() => liveText(model));
  const allan = useComputed(() => allanText(model));
  const tone = useComputed(() => toneName(model));
  const hover = useComputed(() => hoverText(model));
  return (
    <PanelFrame
      model={model}
      name="power"
      label="Total power, reference tone, live fraction, digitiser"
      caption={
        <>
          <b>Total power</b> since the start · <b>reference tone</b> at {tone}, in floors of one bin · against
          UTC
          <span class="hover">{hover}</span>
        </>
      }
    >
      <div class="series">
        <Series model={model} kind={TOTAL_POWER} />
        <Series model={model} kind={TONE_HEIGHT} />
        <div class="facts">
          <dl>
            <Fact name="Live fraction" fact={live.value} />
            <Fact name="Allan deviation" fact={allan.value} />
          </dl>
          <AdcFacts model={model} />
        </div>
      </div>
    </PanelFrame>
  );
}
