/** Starts a pool worker in a browser, from a page or from another worker. */
import { workersFrom } from './pool-browser-worker.ts';

export const startWorker = workersFrom(
  () => new Worker(new URL('./pool-worker-browser.ts', import.meta.url), { type: 'module' }),
);

/** Processors of this machine, as far as the browser tells. */
export const processors = (): number => navigator.hardwareConcurrency;
