/**
 * The offline page: files that are dropped into it go to a worker, which owns them, the engine and the sums. It talks
 * to no server.
 */
import { wrap } from 'comlink';
import { startOffline } from './ui/offline/start.tsx';
import type { OfflineWorker } from './worker/offline-worker.ts';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no element #app: it was not built from web/offline.html');
const worker = new Worker(new URL('./worker/offline-worker.ts', import.meta.url), {
  type: 'module',
  name: 'haloscope offline',
});
const sayFailed = startOffline(root, wrap<OfflineWorker>(worker));
worker.addEventListener('error', (event) =>
  sayFailed(event.message || 'its script could not be loaded, or it ran out of memory'),
);
