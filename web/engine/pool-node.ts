/**
 * Starts a pool worker in Node: the thread's script is `engine-worker.js`, which the Node build writes next to the
 * file that this module ends up in. Run from source there is no such file, and the engine works in its own thread.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FromWorker, StartWorker } from './pool-messages.ts';

const BUILT_WORKER = join(dirname(fileURLToPath(import.meta.url)), 'engine-worker.js');

/** Workers from one script. @param file path of a built `pool-worker-node.ts` */
export const startNodeWorker =
  (file: string): StartWorker =>
  ({ onMessage, onEnd }) => {
    if (!existsSync(file)) throw new Error(`${file} is missing: build the project to get worker threads`);
    const worker = new Worker(file);
    worker.on('message', (message: FromWorker) => onMessage(message));
    worker.on('messageerror', (error) => onEnd(error.message));
    worker.on('error', (error) => onEnd(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (status) => onEnd(`ended with status ${status}`));
    return {
      post: (message, transfer) => worker.postMessage(message, [...transfer]),
      terminate: async () => {
        await worker.terminate();
      },
    };
  };

export const startWorker: StartWorker = startNodeWorker(BUILT_WORKER);

/** Processors that this process may use. */
export const processors = (): number => availableParallelism();
