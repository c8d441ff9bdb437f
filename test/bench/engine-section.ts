/** Engine alone: milliseconds per pair, samples already in memory, in this thread and in workers as the commands use. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../scripts/machine.mjs';
import { startNodeWorker } from '../../web/engine/pool-node.ts';
import { timeEngine } from './engine.ts';
import { PAIR_BYTES } from './pairs.ts';
import { printTable } from './table.ts';

const WORKER = join(repository, 'dist', 'node', 'engine-worker.js');

export async function benchEngine(): Promise<void> {
  const startWorker = startNodeWorker(WORKER);
  const timings = [await timeEngine(0), await timeEngine(availableParallelism(), { startWorker })];
  printTable(
    'CPU engine alone: milliseconds per pair',
    ['engine', 'workers', 'best', 'median', 'MB/s'],
    timings.map(({ engine, workers, bestMs, medianMs }) => [
      engine,
      String(workers),
      bestMs,
      medianMs,
      PAIR_BYTES / 1e3 / medianMs,
    ]),
  );
}
