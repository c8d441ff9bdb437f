/**
 * Dark unless a person asks for light, or for what the system has. The choice is in the address, and remembered for
 * pages whose address says nothing. On paper everything is light.
 */
import { effect } from '@preact/signals';
import { drawNow } from './plot/frame.ts';
import type { Model } from './model/model.ts';
import { readView, type Theme, type ViewValues } from './model/view.ts';

const KEY = 'haloscope.theme';
const SYSTEM_LIGHT = '(prefers-color-scheme: light)';

/** What of the view is in the address, and in the theme that a person chose last where that says nothing. */
export function viewOfPage(query: URLSearchParams): ViewValues {
  const theme = query.has('theme') ? null : remembered();
  return theme === null ? readView(query) : { ...readView(query), theme };
}

/** Storage can be forbidden by the browser's settings: then nothing is remembered. */
function remembered(): Theme | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === null ? null : readView(new URLSearchParams({ theme: text })).theme;
  } catch {
    return null;
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // The address still says it.
  }
}

export function chooseTheme(model: Model, theme: Theme): void {
  model.view.theme.value = theme;
  remember(theme);
}

export const flipTheme = (model: Model): void =>
  chooseTheme(model, model.colours.peek() === 'dark' ? 'light' : 'dark');

/** Keeps the model's colours in step with choice, system and printer, and writes them where the style sheet looks. */
export function followTheme(model: Model): void {
  const system = matchMedia(SYSTEM_LIGHT);
  let isPrinting = false;
  const decide = (): void => {
    const theme = model.view.theme.value;
    const isLight = isPrinting || theme === 'light' || (theme === 'system' && system.matches);
    document.documentElement.dataset.theme = isLight ? 'light' : 'dark';
    model.colours.value = isLight ? 'light' : 'dark';
  };
  effect(decide);
  system.addEventListener('change', decide);
  const print = (is: boolean) => (): void => {
    isPrinting = is;
    decide();
    // The paper does not wait for a frame.
    drawNow();
  };
  window.addEventListener('beforeprint', print(true));
  window.addEventListener('afterprint', print(false));
}
