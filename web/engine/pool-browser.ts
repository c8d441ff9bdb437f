/** Starts a pool worker in a browser, from a page or from another worker. */
import type { FromWorker, StartWorker } from './pool-messages.ts';

export const startWorker: StartWorker = ({ onMessage, onEnd }) => {
  const worker = new Worker(new URL('./pool-worker-browser.ts', import.meta.url), { type: 'module' });
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

/** Processors of this machine, as far as the browser tells. */
export const processors = (): number => navigator.hardwareConcurrency;
