/** A worker of the pool, the same in browser and Node: one core, one block after the other. */
import { createCore } from './cpu-cores.ts';
import type { CpuCore } from './cpu-core.ts';
import { EngineError } from './engine.ts';
import type { FromWorker, ToWorker } from './pool-messages.ts';

type Reply = (message: FromWorker, transfer: ArrayBuffer[]) => void;

/** Says what an engine refuses; anything else is a fault of the worker and ends it. */
function refuse(reply: Reply, id: number | null, error: unknown): void {
  if (!(error instanceof EngineError)) throw error;
  reply({ kind: 'refused', id, code: error.code, message: error.message }, []);
}

function answer(core: CpuCore, { id, block }: Extract<ToWorker, { kind: 'block' }>, reply: Reply): void {
  try {
    const moments = core.process(block);
    const transfer = [moments.mean.buffer, moments.m2.buffer] as ArrayBuffer[];
    const { buffer } = block.samples;
    if (block.keepBuffer === true)
      reply({ kind: 'moments', id, moments, spare: buffer }, [...transfer, buffer]);
    else reply({ kind: 'moments', id, moments }, transfer);
  } catch (error) {
    refuse(reply, id, error);
  }
}

/** @returns the handler of messages, for the environment to call */
export function serveBlocks(reply: Reply): (message: ToWorker) => void {
  let core: Promise<CpuCore | undefined> | undefined;
  return (message) => {
    if (message.kind === 'start') {
      core = createCore(message.core, message.options).catch((error: unknown) => {
        refuse(reply, null, error);
        return undefined;
      });
      return;
    }
    // Without `catch`: what is thrown here has to reach the environment, which ends the worker.
    void core?.then((ready) => ready && answer(ready, message, reply));
  };
}
