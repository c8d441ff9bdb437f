/**
 * The spectrum panel: caption, plot, and over it what has to be said in words.
 */
import { useEffect, useRef } from 'preact/hooks';
import { effect } from '@preact/signals';
import type { Model } from '../model/model.ts';
import { SpectrumPlot } from '../plot/spectrum-plot.ts';
import { Conditions } from './conditions.tsx';
import { Headline } from './headline.tsx';
import { ReadOut } from './read-out.tsx';

export function SpectrumPanel({ model }: { model: Model }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return;
    const plot = new SpectrumPlot(host.current, model);
    const follow = effect(() => {
      void model.view.theme.value;
      plot.recolour();
    });
    const system = matchMedia('(prefers-color-scheme: light)');
    const recolour = (): void => plot.recolour();
    system.addEventListener('change', recolour);
    return () => {
      system.removeEventListener('change', recolour);
      follow();
      plot.dispose();
    };
  }, [model]);
  return (
    <figure class="panel spectrum" aria-label="Power spectrum">
      <figcaption>
        <ReadOut model={model} />
        <Conditions model={model} />
      </figcaption>
      <div class="plot" ref={host} />
      <Headline model={model} />
    </figure>
  );
}
