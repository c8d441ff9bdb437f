/** Entry of a pool worker in a browser: a module worker. */
import type { ToWorker } from './pool-messages.ts';
import { serveBlocks } from './pool-worker.ts';

/** The part of `DedicatedWorkerGlobalScope` that is used; its types clash with those of the page. */
interface WorkerScope {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
  addEventListener(type: 'messageerror', listener: () => void): void;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const handle = serveBlocks((message, transfer) => scope.postMessage(message, transfer));
scope.addEventListener('message', ({ data }) => handle(data));
scope.addEventListener('messageerror', () => {
  throw new Error('a block could not be read');
});
// A rejected promise does not reach the owner's `onerror`; an exception of a timer does.
scope.addEventListener('unhandledrejection', ({ reason }) => {
  setTimeout(() => {
    throw reason;
  });
});
