/**
 * Milliseconds per file pair of the CPU engine: 2731 slices of 3072 in blocks of 160, both moments and all time
 * sums included, samples already in memory.
 *
 * One thread is this thread, so nothing but the engine is measured; a pool is given blocks that were copied before
 * the clock started, as they would come from a socket, and kept busy to its depth.
 */
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { EngineBlock, SpectrumEngine } from '../../web/engine/engine.ts';
import type { StartWorker } from '../../web/engine/pool-messages.ts';
import { cutBlock, gaussian } from '../engine/accuracy.ts';

const BINS = 3072;
const SLICES = 2731;
const SLICES_PER_BLOCK = 160;
/** Pairs that tier the code up before anything counts. */
const WARM_UP_PAIRS = 2;

export interface EngineTiming {
  readonly engine: string;
  /** 0: in the calling thread. */
  readonly workers: number;
  /** Per pair, wall clock: best and median of the pairs measured. */
  readonly bestMs: number;
  readonly medianMs: number;
}

const blocksOf = (samples: Float32Array): EngineBlock[] =>
  Array.from({ length: Math.ceil(SLICES / SLICES_PER_BLOCK) }, (_, n) => {
    const first = n * SLICES_PER_BLOCK;
    return cutBlock(samples, BINS, first, Math.min(SLICES_PER_BLOCK, SLICES - first));
  });

async function timePairMs(engine: SpectrumEngine, blocks: readonly EngineBlock[]): Promise<number> {
  const started = performance.now();
  const flying: Promise<unknown>[] = [];
  for (const block of blocks) {
    if (flying.length >= engine.depth) await flying.shift();
    flying.push(engine.process(block));
  }
  await Promise.all(flying);
  return performance.now() - started;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** @param workers 0 for this thread; otherwise `startWorker` starts them */
export async function timeEngine(
  workers: number,
  { pairs = 12, startWorker }: { pairs?: number; startWorker?: StartWorker } = {},
): Promise<EngineTiming> {
  const engine = await createCpuEngine({
    bins: BINS,
    window: 'none',
    workers,
    ...(startWorker && { startWorker }),
  });
  try {
    const samples = gaussian(2 * SLICES * BINS, 1, 0.1);
    const times: number[] = [];
    for (let n = 0; n < WARM_UP_PAIRS + pairs; n++) times.push(await timePairMs(engine, blocksOf(samples)));
    const counted = times.slice(WARM_UP_PAIRS);
    return {
      engine: engine.description.name,
      workers,
      bestMs: Math.min(...counted),
      medianMs: median(counted),
    };
  } finally {
    await engine.dispose();
  }
}
