/**
 * The page: status strip, legend and choices, the panels, what stands beside them and what lies over them.
 */
import { useComputed } from '@preact/signals';
import { Announcer, Message } from './announcer.tsx';
import { Border } from './layout/border.tsx';
import { Stack } from './layout/stack.tsx';
import type { Model } from './model/model.ts';
import { storedOf } from './model/stored.ts';
import { frequencyPanels, type PanelSizes } from './model/panels.ts';
import { Drawer } from './panels/drawer.tsx';
import type { PageParts } from './parts.ts';
import { PowerPanel } from './series/panel.tsx';
import { Side } from './side/side.tsx';
import { Controls } from './spectrum/controls.tsx';
import { Legend } from './spectrum/legend.tsx';
import { PauseButton } from './strip/pause-button.tsx';

const heightOf = (sizes: PanelSizes): number =>
  frequencyPanels(sizes).reduce((sum, panel) => sum + sizes[panel], 0);

function Main({ model }: { model: Model }) {
  const sizes = model.view.panels.value;
  const lowest = frequencyPanels(sizes).at(-1);
  const hasPower = sizes.power > 0;
  return (
    <main>
      {lowest !== undefined && (
        <div class="columns" style={{ flexGrow: heightOf(sizes) }}>
          <Stack model={model} />
          {model.view.side.value && !model.isKiosk && <Side model={model} />}
        </div>
      )}
      {lowest !== undefined && hasPower && !model.isKiosk && (
        <Border model={model} above={lowest} below="power" />
      )}
      {hasPower && <PowerPanel model={model} />}
    </main>
  );
}

export function App({ model, parts }: { model: Model; parts: PageParts }) {
  const { Strip, Over } = parts;
  // Not the objects that these are parts of: those are made anew with every tick of the clock, and all of the page
  // with them.
  const liveness = useComputed(() => model.freshness.value.liveness).value;
  const code = useComputed(() => model.chain.value.code).value;
  const isPaused = useComputed(() => model.pausedMs.value !== null).value;
  const isStored = useComputed(() => storedOf(model).value !== null).value;
  return (
    <div
      class={`app ${model.isKiosk ? 'kiosk' : ''} ${isPaused ? 'paused' : ''} ${isStored ? 'stored' : ''}`}
      data-liveness={liveness}
      data-chain={code}
    >
      <Strip model={model} />
      <section class="toolbar" aria-label="Traces and choices">
        <Legend model={model} />
        {!model.isKiosk && (
          <>
            {!model.isOffline && <PauseButton model={model} />}
            <Controls model={model} />
          </>
        )}
      </section>
      <Main model={model} />
      {Over !== null && <Over model={model} />}
      <Drawer model={model} parts={parts} />
      <Message model={model} />
      <Announcer model={model} />
    </div>
  );
}
