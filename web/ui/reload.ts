/**
 * When a page loads itself again, and never in circles.
 *
 * A page of another version than the bridge's reloads itself once; if that does not help, it says so instead of
 * turning in circles.
 */
import { effect } from '@preact/signals';
import type { Model } from './model/model.ts';

const KEY = 'haloscope.reloaded';

/** Where storage is forbidden nothing can be remembered, and so nothing is reloaded. */
function remember(reloaded: boolean): boolean {
  try {
    if (reloaded) sessionStorage.setItem(KEY, '1');
    else sessionStorage.removeItem(KEY);
    return true;
  } catch {
    return false;
  }
}

function hasReloaded(): boolean {
  try {
    return sessionStorage.getItem(KEY) !== null;
  } catch {
    return true;
  }
}

export function reloadOnceOnMismatch(model: Model): void {
  effect(() => {
    const connection = model.connection.value;
    if (connection.phase === 'open') remember(false);
    if (connection.phase !== 'refused' || connection.code !== 'protocol') return;
    if (!hasReloaded() && remember(true)) location.reload();
  });
}

const POLICY_KEY = 'haloscope.bridges';

/** The page was sent before its bridge knew of these others; loaded again it may move to them. */
export function reloadForPolicy(bridges: string): void {
  try {
    if (sessionStorage.getItem(POLICY_KEY) === bridges) return;
    sessionStorage.setItem(POLICY_KEY, bridges);
    location.reload();
  } catch {
    // Without storage nothing can be remembered, and so nothing is reloaded.
  }
}
