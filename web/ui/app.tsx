/**
 * The page: status strip, legend and choices, the plot, and what lies over it.
 */
import type { Model } from './model/model.ts';
import { Announcer, Message } from './announcer.tsx';
import { Drawer } from './panels/drawer.tsx';
import { Controls } from './spectrum/controls.tsx';
import { Legend } from './spectrum/legend.tsx';
import { SpectrumPanel } from './spectrum/panel.tsx';
import { Strip } from './strip/strip.tsx';

export function App({ model }: { model: Model }) {
  const liveness = model.freshness.value.liveness;
  return (
    <div
      class={`app ${model.isKiosk ? 'kiosk' : ''}`}
      data-liveness={liveness}
      data-chain={model.chain.value.code}
    >
      <Strip model={model} />
      <div class="toolbar">
        <Legend model={model} />
        {!model.isKiosk && <Controls model={model} />}
      </div>
      <main>
        <SpectrumPanel model={model} />
      </main>
      <Drawer model={model} />
      <Message model={model} />
      <Announcer model={model} />
    </div>
  );
}
