/**
 * The address bar follows the view, so that a link shows the same picture.
 */
import { effect } from '@preact/signals';
import { queryText, type View, viewValues, writeView } from './model/view.ts';

/** Browsers limit how often an address may change; a wheel turns faster. */
const SETTLE_MS = 300;

export function followAddress(view: View): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const values = viewValues(view);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const query = queryText(writeView(values, new URLSearchParams(location.search)));
      const next = location.pathname + (query === '' ? '' : `?${query}`);
      if (next !== location.pathname + location.search) history.replaceState(history.state, '', next);
    }, SETTLE_MS);
  });
}
