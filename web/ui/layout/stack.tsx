/**
 * The panels over frequency, one below the other on one axis, with one cursor line and the markers through all.
 */
import { useEffect, useRef } from 'preact/hooks';
import { Fragment } from 'preact';
import { ExcessPanel } from '../excess/excess-panel.tsx';
import { KurtosisPanel } from '../excess/kurtosis-panel.tsx';
import type { Model } from '../model/model.ts';
import { frequencyPanels, type PanelName } from '../model/panels.ts';
import { gutters, remPixels } from '../plot/gutters.ts';
import { SpectrumPanel } from '../spectrum/panel.tsx';
import { WaterfallPanel } from '../waterfall/panel.tsx';
import { Border } from './border.tsx';
import { FrequencyLines } from './frequency-lines.tsx';
import type { FrequencyPanelProps } from './frequency-panel.ts';

const COMPONENTS = {
  spectrum: SpectrumPanel,
  excess: ExcessPanel,
  kurtosis: KurtosisPanel,
  waterfall: WaterfallPanel,
} as const;

function FrequencyPanel({ name, ...props }: FrequencyPanelProps & { name: PanelName }) {
  if (name === 'power') return null;
  const Panel = COMPONENTS[name];
  return <Panel {...props} />;
}

/** Tells the style sheet where the plots lie, to the pixel. */
function useGutters() {
  const stack = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = stack.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      const { left, right } = gutters(remPixels());
      element.style.setProperty('--gutter-left', `${left}px`);
      element.style.setProperty('--gutter-right', `${right}px`);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return stack;
}

export function Stack({ model }: { model: Model }) {
  const stack = useGutters();
  const open = frequencyPanels(model.view.panels.value);
  return (
    <div class="stack" ref={stack}>
      {open.map((name, i) => {
        const before = open[i - 1];
        return (
          <Fragment key={name}>
            {before !== undefined && !model.isKiosk && <Border model={model} above={before} below={name} />}
            <FrequencyPanel model={model} name={name} isLowest={i === open.length - 1} />
          </Fragment>
        );
      })}
      <FrequencyLines model={model} />
    </div>
  );
}
