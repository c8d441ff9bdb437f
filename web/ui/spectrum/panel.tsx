/**
 * The spectrum panel: caption, plot, under which conditions it holds, and over it what has to be said in words.
 */
import { PanelFrame } from '../layout/panel-frame.tsx';
import type { FrequencyPanelProps } from '../layout/frequency-panel.ts';
import { FrequencyPlot } from '../plot/frequency-plot.ts';
import { usePlot } from '../plot/use-plot.ts';
import { Conditions } from './conditions.tsx';
import { SpectrumContent } from './content.ts';
import { Headline } from './headline.tsx';
import { ReadOut } from './read-out.tsx';
import { StoredNote } from './stored-note.tsx';

export function SpectrumPanel({ model, isLowest }: FrequencyPanelProps) {
  const host = usePlot(
    model,
    (element) => new FrequencyPlot(element, model, new SpectrumContent(model), isLowest),
    [isLowest],
  );
  return (
    <PanelFrame
      model={model}
      name="spectrum"
      label="Power spectrum"
      caption={
        <>
          <b>Spectrum</b> <StoredNote model={model} /> <ReadOut model={model} />
        </>
      }
    >
      <div class="plot" ref={host} />
      <Conditions model={model} />
      <Headline model={model} />
    </PanelFrame>
  );
}
