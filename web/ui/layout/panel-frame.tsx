/**
 * What every panel has: a line with its name, what its numbers mean, and a button that closes it.
 */
import type { ComponentChildren } from 'preact';
import type { Model } from '../model/model.ts';
import { PANEL_NAMES, type PanelName, toggled } from '../model/panels.ts';

interface PanelFrameProps {
  readonly model: Model;
  readonly name: PanelName;
  readonly label: string;
  readonly caption: ComponentChildren;
  readonly children: ComponentChildren;
}

export function PanelFrame({ model, name, label, caption, children }: PanelFrameProps) {
  return (
    <figure class={`panel ${name}`} aria-label={label} style={{ flexGrow: model.view.panels.value[name] }}>
      <figcaption>
        <span class="caption">{caption}</span>
        {!model.isKiosk && <CloseButton model={model} name={name} />}
      </figcaption>
      {children}
    </figure>
  );
}

function CloseButton({ model, name }: { model: Model; name: PanelName }) {
  return (
    <button
      type="button"
      class="close-panel"
      aria-label={`Close the panel: ${PANEL_NAMES[name]}`}
      title="Close; «View» brings it back"
      onClick={() => {
        model.view.panels.value = toggled(model.view.panels.value, name);
      }}
    >
      ×
    </button>
  );
}
