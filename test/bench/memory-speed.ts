/**
 * How fast this machine's memory can be read by one thread and by all of them at once: no engine can scale better.
 *
 * Each thread copies a block of its own, 4 MB at a time, into 96 KB that stay in its cache, as the engine does.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const BYTES_PER_THREAD = 256 * 1024 * 1024;
const ROUNDS = 5;

/** In plain JavaScript, since it is the source of a thread; answers each message with the milliseconds it took. */
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  const from = new Float32Array(${BYTES_PER_THREAD / 4}).fill(1);
  const to = new Float32Array(24576);
  parentPort.on('message', () => {
    const begun = performance.now();
    for (let at = 0; at < from.length; at += to.length) to.set(from.subarray(at, Math.min(at + to.length, from.length)));
    parentPort.postMessage(performance.now() - begun);
  });
  parentPort.postMessage(0);
`;

/** @returns bytes per second of all `threads` together, the best of a few rounds */
export async function memorySpeed(threads: number): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(THREAD, { eval: true }));
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    let best = 0;
    for (let n = 0; n < ROUNDS; n++) {
      const answers = workers.map((worker) => once(worker, 'message') as Promise<[number]>);
      for (const worker of workers) worker.postMessage('again', []);
      const slowestMs = Math.max(...(await Promise.all(answers)).map(([ms]) => ms));
      best = Math.max(best, (threads * BYTES_PER_THREAD) / (slowestMs / 1000));
    }
    return best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
