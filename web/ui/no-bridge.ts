/**
 * A live page that some web server gives, and no bridge: it hands over to the offline page beside it, which needs
 * nobody. A bridge that is away for a while does not give pages, so this is no mistake of a moment.
 */
import { effect } from '@preact/signals';
import type { Model } from './model/model.ts';

export function leadWithoutBridge(model: Model): void {
  // A wall display has nobody who could drop a file.
  if (model.isKiosk) return;
  let isKnown = false;
  effect(() => {
    const { phase } = model.connection.value;
    if (isKnown || phase === 'connecting') return;
    isKnown = true;
    if (phase === 'lost') void lead();
  });
}

async function lead(): Promise<void> {
  try {
    const health = await fetch('./healthz', { cache: 'no-store' });
    // Some servers give their one page for whatever is not there.
    const isPage = health.headers.get('Content-Type')?.startsWith('text/html') ?? false;
    if (health.status === 404 || isPage) location.replace('./offline.html');
  } catch {
    // Nothing answers: a bridge that has gone, which may come back.
  }
}
