/** Hands tasks to a worker, because that is where engines live. */
import type { Answer, Task } from './tasks.ts';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

window.runTask = (task: Task) =>
  new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  });
