/** Whether an engine's memory grows: what Node's heap and the array buffers hold, after a full collection. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { EngineBlock, SpectrumEngine } from '../../web/engine/engine.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Bytes that 2000 blocks may leave behind. An object forgotten per block is 2000 × 56 bytes or more beside what hangs
 * on it, at least one array of moments of 2 KB: 4 MB. Compiled code and a collector that rounds up come to a quarter.
 */
export const GROWTH_LIMIT_BYTES = 1e6;

export interface Usage {
  /** Objects of this thread. */
  readonly heapBytes: number;
  /** Array buffers of all threads. Those of workers are freed when the workers collect, which nobody else can order. */
  readonly bufferBytes: number;
}

export async function usage(): Promise<Usage> {
  // Buffers that workers gave back are freed a turn of the event loop later.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapBytes: heapUsed, bufferBytes: arrayBuffers };
}

/** Gives an engine so many blocks, always as many on their way as it takes. */
export async function runBlocks(
  engine: SpectrumEngine,
  blocks: number,
  make: () => EngineBlock,
): Promise<void> {
  let left = blocks;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await engine.process(make());
  };
  await Promise.all(Array.from({ length: engine.depth }, lane));
}
