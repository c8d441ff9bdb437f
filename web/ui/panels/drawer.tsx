/**
 * The drawer at the right, over the plot: opened on demand, so that the plot never moves.
 */
import { useEffect, useRef } from 'preact/hooks';
import type { Model } from '../model/model.ts';
import type { PageParts } from '../parts.ts';
import { LazyRunPanel } from '../run/lazy-run-panel.tsx';
import { EnginesPanel } from './engines-panel.tsx';
import { ExportPanel } from './export-panel.tsx';
import { KeysPanel } from './keys-panel.tsx';
import { TablePanel } from './table-panel.tsx';
import { ViewPanel } from './view-panel.tsx';

const LABELS = {
  chain: 'State of the chain',
  engines: 'Engines',
  keys: 'Keys',
  view: 'View',
  export: 'Export',
  table: 'Table',
  run: 'Run',
} as const;

export function Drawer({ model, parts: { Status } }: { model: Model; parts: PageParts }) {
  const panel = model.openPanel.value;
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), [panel]);
  if (panel === null) return null;
  return (
    <aside class="drawer" aria-label={panel === 'chain' && model.isOffline ? 'Files' : LABELS[panel]}>
      <button
        ref={close}
        type="button"
        class="plain close"
        aria-label="Close"
        title="Close (Esc)"
        onClick={() => {
          model.openPanel.value = null;
        }}
      >
        ×
      </button>
      {panel === 'chain' && <Status model={model} />}
      {panel === 'engines' && <EnginesPanel model={model} />}
      {panel === 'keys' && <KeysPanel model={model} />}
      {panel === 'view' && <ViewPanel model={model} />}
      {panel === 'export' && <ExportPanel model={model} />}
      {panel === 'table' && <TablePanel model={model} />}
      {panel === 'run' && <LazyRunPanel model={model} />}
    </aside>
  );
}
