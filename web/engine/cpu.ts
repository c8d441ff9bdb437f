/**
 * The CPU engine: WebAssembly SIMD in a pool of workers where that works, and what comes next where it does not.
 *
 * Tried in this order, each asked the self-test's question before it may work: WebAssembly in workers, WebAssembly
 * in this thread, TypeScript in workers, TypeScript in this thread. `description.why` says what was skipped.
 */
import { isSupportedLength } from '../../bridge/protocol/geometry.ts';
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import { checkBlock } from './block.ts';
import type { CpuCore, CpuKind } from './cpu-core.ts';
import { createCore } from './cpu-cores.ts';
import {
  type EngineBlock,
  type EngineDescription,
  EngineError,
  type EngineOptions,
  type SpectrumEngine,
} from './engine.ts';
import { WorkerPool } from './pool.ts';
import type { StartWorker } from './pool-messages.ts';
import { runSelfTest } from './self-test.ts';

/** One worker per core, at most this many: memory and transport are full long before. */
const MOST_WORKERS = 8;

export interface CpuEngineOptions extends EngineOptions {
  /** Worker threads; 0: compute in the calling thread. By default one per core, at most 8. */
  readonly workers?: number;
  /** Implementations to try, in this order. */
  readonly kinds?: readonly CpuKind[];
  /** How to start a worker; by default as this environment does. */
  readonly startWorker?: StartWorker;
}

/** Where blocks are computed: a pool, or this thread. */
interface Runner {
  readonly depth: number;
  process(block: EngineBlock): Promise<BlockMoments>;
  spareBuffer?(bytes: number): ArrayBuffer | undefined;
  dispose(): Promise<void>;
}

const TITLE: Readonly<Record<CpuKind, string>> = { wasm: 'WebAssembly SIMD', ts: 'TypeScript' };

class CpuEngine implements SpectrumEngine {
  readonly description: EngineDescription;
  readonly depth: number;
  readonly #runner: Runner;
  readonly #bins: number;
  #disposed = false;

  constructor(description: EngineDescription, runner: Runner, bins: number) {
    this.#bins = bins;
    this.description = description;
    this.depth = runner.depth;
    this.#runner = runner;
  }

  async process(block: EngineBlock): Promise<BlockMoments> {
    if (this.#disposed) throw new EngineError('disposed', 'the engine was shut down; make a new one');
    // Here, because a block that was given away before has no samples left, which a worker would never hear of.
    checkBlock(block, this.#bins);
    return this.#runner.process(block);
  }

  spareBuffer(bytes: number): ArrayBuffer | undefined {
    return this.#runner.spareBuffer?.(bytes);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#runner.dispose();
  }
}

const inThread = (core: CpuCore): Runner => ({
  depth: 1,
  process: async (block) => core.process(block),
  dispose: async () => {},
});

/** The build keeps the one import that its environment can run. */
async function environment(): Promise<{ startWorker: StartWorker; processors: () => number }> {
  return import.meta.env.SSR ? import('./pool-node.ts') : import('./pool-browser.ts');
}

async function makeRunner(kind: CpuKind, workers: number, options: CpuEngineOptions): Promise<Runner> {
  const { bins, window } = options;
  if (workers === 0) return inThread(await createCore(kind, { bins, window }));
  const startWorker = options.startWorker ?? (await environment()).startWorker;
  return new WorkerPool({ workers, core: kind, options: { bins, window }, startWorker });
}

const nameOf = (kind: CpuKind, workers: number): string =>
  workers === 0 ? TITLE[kind] : `${TITLE[kind]}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

async function tryEngine(
  kind: CpuKind,
  workers: number,
  options: CpuEngineOptions,
  skipped: readonly string[],
): Promise<SpectrumEngine> {
  const runner = await makeRunner(kind, workers, options);
  const why = ['the CPU engine of this machine, which passed its self-test', ...skipped].join('; ');
  const engine = new CpuEngine({ kind, name: nameOf(kind, workers), why }, runner, options.bins);
  try {
    await runSelfTest(engine, options);
    return engine;
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

/**
 * @throws {EngineError} `unavailable`, `self-test`: no implementation works here; the message has every reason
 */
export async function createCpuEngine(options: CpuEngineOptions): Promise<SpectrumEngine> {
  if (!isSupportedLength(options.bins)) {
    const message = `expected a slice length 2^a·3^b from 256 to 8192, found ${options.bins}`;
    throw new EngineError('unavailable', message);
  }
  const workers = options.workers ?? Math.min(MOST_WORKERS, (await environment()).processors());
  const skipped: string[] = [];
  let last: EngineError | undefined;
  for (const kind of options.kinds ?? (['wasm', 'ts'] as const)) {
    for (const threads of workers === 0 ? [0] : [workers, 0]) {
      try {
        return await tryEngine(kind, threads, options, skipped);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        last = error;
        skipped.push(`not ${nameOf(kind, threads)}: ${error.message}`);
      }
    }
  }
  throw new EngineError(last?.code ?? 'unavailable', `no CPU engine works here: ${skipped.join('; ')}`);
}
