/**
 * Dark by default, light where the system or a person asks for it.
 */
import { effect } from '@preact/signals';
import type { Model } from './model/model.ts';
import type { Theme } from './model/view.ts';

const systemTheme = (): Theme => (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');

export function flipTheme(model: Model): void {
  const now = model.view.theme.peek() ?? systemTheme();
  const other: Theme = now === 'dark' ? 'light' : 'dark';
  model.view.theme.value = other === systemTheme() ? null : other;
}

/** Writes the theme where the style sheet looks for it; the system's own needs no mark. */
export function followTheme(model: Model): void {
  effect(() => {
    const theme = model.view.theme.value;
    if (theme === null) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  });
}
