/**
 * Where the page begins: the worker is started before anything else is loaded, so that it has its socket by the time
 * there is a page to draw on.
 */
import type { StartedWorker } from './page.tsx';

function startWorker(): StartedWorker {
  const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), {
    type: 'module',
    name: 'haloscope',
  });
  const failure = new Promise<ErrorEvent>((resolve) => {
    worker.addEventListener('error', resolve);
  });
  return { worker, failure };
}

const first = startWorker();
const { openPage } = await import('./page.tsx');
openPage(first, startWorker);
