/**
 * Puts a model on the screen and keeps clock, address, theme and title in step with it.
 */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { followAddress } from './address.ts';
import { App } from './app.tsx';
import { attachKeys } from './keys.ts';
import type { Model } from './model/model.ts';
import { followStored } from './model/stored.ts';
import type { PageParts } from './parts.ts';
import { followTheme } from './theme.ts';
import './page.css';
import './layout/layout.css';
import './side/side.css';
import './strip/strip.css';
import './panels/drawer.css';
import './panels/engines.css';
import './stale.css';
import './kiosk/kiosk.css';

/** Ages are shown to a tenth of a second while they are short. */
const CLOCK_MS = 200;

export function startPage(root: HTMLElement, model: Model, parts: PageParts): void {
  followTheme(model);
  // Nobody chooses anything at a kiosk, and what leans on its keyboard is not meant.
  if (!model.isKiosk) {
    followAddress(model.view);
    followStored(model);
    attachKeys(model);
  }
  // Slower in a hidden tab, where browsers throttle timers; the title still says that data are stale.
  setInterval(() => {
    model.nowMs.value = Date.now();
  }, CLOCK_MS);
  document.addEventListener('visibilitychange', () => {
    model.nowMs.value = Date.now();
  });
  effect(() => {
    document.title = `${parts.title(model)}haloscope`;
  });
  render(<App model={model} parts={parts} />, root);
}
