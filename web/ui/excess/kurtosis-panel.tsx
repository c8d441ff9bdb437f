/**
 * Spectral kurtosis per bin, with its ±3 σ lines.
 */
import { useComputed } from '@preact/signals';
import { tailAbove } from '../../analysis/chance.ts';
import { kurtosisSigma } from '../../analysis/kurtosis.ts';
import { fixed, grouped, significant } from '../format/numbers.ts';
import { PanelFrame } from '../layout/panel-frame.tsx';
import type { FrequencyPanelProps } from '../layout/frequency-panel.ts';
import type { Model } from '../model/model.ts';
import { FrequencyPlot } from '../plot/frequency-plot.ts';
import { usePlot } from '../plot/use-plot.ts';
import { analysedName } from '../spectrum/analysed-name.ts';
import { DeviationContent, KURTOSIS, LINE_SIGMAS } from './content.ts';

function linesText(model: Model): string {
  const analysis = model.analysis.value;
  if (analysis === null) return '';
  const sigma = kurtosisSigma(analysis.slices);
  let outside = 0;
  for (const value of analysis.kurtosis) if (Math.abs(value - 1) > LINE_SIGMAS * sigma) outside++;
  const expected = 2 * analysis.kurtosis.length * tailAbove(LINE_SIGMAS);
  return `1 for noise, below for a wave, above for bursts · σ ${significant(sigma, 2)} · outside ±${LINE_SIGMAS} σ: ${grouped(outside)}, by chance ${fixed(expected, 1)}`;
}

export function KurtosisPanel({ model, isLowest }: FrequencyPanelProps) {
  const host = usePlot(
    model,
    (element) => new FrequencyPlot(element, model, new DeviationContent(model, KURTOSIS), isLowest),
    [isLowest],
  );
  const lines = useComputed(() => linesText(model));
  return (
    <PanelFrame
      model={model}
      name="kurtosis"
      label="Spectral kurtosis"
      caption={
        <>
          <b>Spectral kurtosis</b> of the {analysedName(model)} · {lines}
        </>
      }
    >
      <div class="plot" ref={host} />
    </PanelFrame>
  );
}
