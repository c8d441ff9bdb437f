/**
 * The excess over the baseline, in σ, with its threshold lines, and what chance alone would give.
 */
import { useComputed } from '@preact/signals';
import { expectedAbove, expectedMaximum } from '../../analysis/chance.ts';
import { matchedFilterEfficiency } from '../../analysis/efficiency.ts';
import { countBeyond } from '../../analysis/histogram.ts';
import { fixed, grouped, THIN } from '../format/numbers.ts';
import { PanelFrame } from '../layout/panel-frame.tsx';
import type { FrequencyPanelProps } from '../layout/frequency-panel.ts';
import type { Model } from '../model/model.ts';
import { FrequencyPlot } from '../plot/frequency-plot.ts';
import { usePlot } from '../plot/use-plot.ts';
import { analysedName } from '../spectrum/analysed-name.ts';
import { DeviationContent, EXCESS, LINE_SIGMAS } from './content.ts';

/** «above 3 σ: 5, by chance 4.1 ± 2.0 · largest by chance 3.5». */
function chanceText(model: Model): string {
  const analysis = model.analysis.value;
  if (analysis === null) return '';
  const { above, total } = countBeyond(analysis.z, analysis.cut, LINE_SIGMAS);
  const expected = expectedAbove(total, LINE_SIGMAS, analysis.expectedStd);
  return [
    '',
    `above ${LINE_SIGMAS}${THIN}σ: ${grouped(above)}, by chance ${fixed(expected, 1)}`,
    `largest by chance ${fixed(expectedMaximum(total), 1)}${THIN}σ`,
  ].join(' · ');
}

function baselineText(model: Model): string {
  const analysis = model.analysis.value;
  if (analysis === null) return 'waiting for a spectrum';
  const { window, settings, std, expectedStd } = analysis;
  const kept = matchedFilterEfficiency(model.geometry.value, window, settings.degree);
  const residue = `R ${fixed(std, 3)} (noise ${fixed(expectedStd, 3)})`;
  // A wall has room for what changes only.
  if (model.isKiosk) return residue;
  return `baseline ${window} bins, degree ${settings.degree}: keeps ${fixed(100 * kept, 0)}${THIN}% of an axion · ${residue}`;
}

export function ExcessPanel({ model, isLowest }: FrequencyPanelProps) {
  const host = usePlot(
    model,
    (element) => new FrequencyPlot(element, model, new DeviationContent(model, EXCESS), isLowest),
    [isLowest],
  );
  const chance = useComputed(() => chanceText(model));
  const baseline = useComputed(() => baselineText(model));
  return (
    <PanelFrame
      model={model}
      name="excess"
      label="Excess over the baseline"
      caption={
        <>
          <b>Excess</b> of the {analysedName(model)} · {baseline}
          {chance}
        </>
      }
    >
      <div class="plot" ref={host} />
    </PanelFrame>
  );
}
