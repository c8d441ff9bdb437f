/** Entry of a pool worker in Node: `dist/node/engine-worker.js` in the build. */
import { parentPort } from 'node:worker_threads';
import type { ToWorker } from './pool-messages.ts';
import { serveBlocks } from './pool-worker.ts';

const port = parentPort;
if (port === null) throw new Error('engine-worker.js is started by the engine, not by hand');
const handle = serveBlocks((message, transfer) => port.postMessage(message, transfer));
port.on('message', (message: ToWorker) => handle(message));
port.on('messageerror', (error) => {
  throw error;
});
