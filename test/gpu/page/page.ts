/** Hands tasks to a worker, because that is where engines live. */
import type { Answer, Task } from './tasks.ts';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

window.runTask = (task: Task) =>
  new Promise<Answer>((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => resolve(data), { once: true });
    worker.addEventListener('error', (event) => reject(new Error(event.message)), { once: true });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- workers have no origin to name
    worker.postMessage(task);
  });
