/** A browser's worker as one of a pool. */
import type { FromWorker, StartWorker } from './pool-messages.ts';

/** @param make a worker that runs `pool-worker-browser.ts`, from wherever its script lies */
export const workersFrom =
  (make: () => Worker): StartWorker =>
  ({ onMessage, onEnd }) => {
    const worker = make();
    const end = (reason: string): void => {
      worker.terminate();
      onEnd(reason);
    };
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => onMessage(data));
    worker.addEventListener('error', ({ message }) => end(message || 'its script could not be loaded'));
    worker.addEventListener('messageerror', () => end('a message could not be read'));
    return {
      post: (message, transfer) => worker.postMessage(message, [...transfer]),
      terminate: async () => worker.terminate(),
    };
  };
