/** Starts the pool workers of the offline page, which have to start without a network, too. */
import { workersFrom } from '../engine/pool-browser-worker.ts';

export const startOfflineWorker = workersFrom(
  () => new Worker(new URL('./offline-pool-worker.ts', import.meta.url), { type: 'module' }),
);
