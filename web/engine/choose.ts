/**
 * Choice of the engine: why the GPU can or cannot be used here, and the engine that follows from it.
 *
 * A real adapter is used through WebGPU. A software one is slower than the CPU engine and used on demand only.
 * The causes are asked for in the order in which they hide each other: on an insecure page there is no
 * `navigator.gpu`, and to blame the browser or the driver for that would send people the wrong way.
 */
import { gpuLengths } from '../../shaders/plan.ts';
import { FailoverEngine, type FailoverStart } from './choose-failover.ts';
import { createCpuEngine } from './cpu.ts';
import { type EngineDescription, EngineError, type EngineOptions, type SpectrumEngine } from './engine.ts';
import { adapterName, NO_ADAPTER } from './gpu/device.ts';
import { createGpuEngine } from './gpu/engine.ts';
import type { StartWorker } from './pool-messages.ts';

export type EnginePreference = 'auto' | 'gpu' | 'cpu';

/** What decides whether there is a GPU; by default what this page, worker or Node process has. */
export interface GpuSurroundings {
  /** `isSecureContext`; nothing where there is no page, as in Node. */
  readonly secure: boolean | undefined;
  /** `navigator.gpu`. */
  readonly gpu: GPU | undefined;
}

export interface ChooseOptions extends EngineOptions {
  readonly prefer: EnginePreference;
  /** Workers of the CPU engine; its own default otherwise. */
  readonly workers?: number;
  /** How the CPU engine starts one; by default as this environment does. */
  readonly startWorker?: StartWorker;
  /** Called whenever another engine takes over, with the reason in `why`. */
  readonly onChange?: (description: EngineDescription) => void;
  readonly surroundings?: GpuSurroundings;
}

/** An engine that replaces a failed GPU by the CPU, and `description` and `depth` accordingly. */
export interface SupervisedEngine extends SpectrumEngine {
  readonly lastBlockMs: number | undefined;
}

export type GpuDiagnosis =
  | { readonly kind: 'real' | 'software'; readonly gpu: GPU; readonly name: string }
  | { readonly kind: 'insecure' | 'no-webgpu' | 'no-adapter'; readonly why: string };

const INSECURE =
  'this page is not a secure context, and browsers offer WebGPU to those only: open it over https, or from localhost';
const NO_WEBGPU =
  'this browser has no WebGPU: Chrome and Edge have it from version 113, unless a flag or policy forbids it';
const NO_WEBGPU_IN_NODE = 'Node has no WebGPU';

/** What globalThis has, in a page, a worker or Node. */
export const surroundingsHere = (): GpuSurroundings => ({
  secure: Reflect.get(globalThis, 'isSecureContext') as boolean | undefined,
  gpu: (Reflect.get(globalThis, 'navigator') as Navigator | undefined)?.gpu,
});

/** Looks for an adapter, without opening a device. */
export async function diagnoseGpu({ secure, gpu }: GpuSurroundings): Promise<GpuDiagnosis> {
  if (secure === false) return { kind: 'insecure', why: INSECURE };
  if (!gpu) return { kind: 'no-webgpu', why: secure === undefined ? NO_WEBGPU_IN_NODE : NO_WEBGPU };
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (adapter === null) return { kind: 'no-adapter', why: NO_ADAPTER };
  return { kind: adapter.info.isFallbackAdapter ? 'software' : 'real', gpu, name: adapterName(adapter) };
}

/** Faults that pass; wrong numbers and refused kernels would be the same again. */
const PASSING = new Set(['device-lost', 'out-of-memory']);

async function startWith(options: ChooseOptions, surroundings: GpuSurroundings): Promise<FailoverStart> {
  const { bins, prefer } = options;
  if (prefer === 'cpu') return { gpu: undefined, why: 'the CPU was asked for', retry: false };
  if (!gpuLengths.includes(bins)) {
    const why = `the GPU transforms ${gpuLengths.join(', ')} bins, not ${bins}`;
    return { gpu: undefined, why, retry: false };
  }
  const found = await diagnoseGpu(surroundings);
  if (!('gpu' in found)) {
    // No adapter may also mean that the browser holds it back for a while after a loss.
    return { gpu: undefined, why: found.why, retry: found.kind === 'no-adapter' };
  }
  if (found.kind === 'software' && prefer !== 'gpu') {
    const why = `the only WebGPU adapter, ${found.name}, is software and slower than the CPU engine`;
    return { gpu: undefined, why, retry: false };
  }
  try {
    const gpu = await createGpuEngine(found.gpu, options);
    const what = found.kind === 'software' ? 'a software adapter, asked for' : 'a WebGPU adapter';
    return { gpu, why: `${what}, which passed its self-test` };
  } catch (error) {
    // Whatever a browser or driver throws here, there is the CPU.
    const why = error instanceof Error ? error.message : String(error);
    return { gpu: undefined, why, retry: error instanceof EngineError && PASSING.has(error.code) };
  }
}

/**
 * The best engine of this machine, which stays usable when the GPU does not.
 *
 * @throws {EngineError} `unavailable`, `self-test`: the CPU engine cannot run either
 */
export async function createEngine(options: ChooseOptions): Promise<SupervisedEngine> {
  const { bins, window, workers, startWorker, prefer, onChange = () => {} } = options;
  const surroundings = options.surroundings ?? surroundingsHere();
  const { gpu } = surroundings;
  return FailoverEngine.start(
    {
      makeCpu: () =>
        createCpuEngine({
          bins,
          window,
          ...(workers !== undefined && { workers }),
          ...(startWorker !== undefined && { startWorker }),
        }),
      makeGpu: async () => {
        const found = await diagnoseGpu(surroundings);
        if (!gpu || !('gpu' in found))
          throw new EngineError('unavailable', 'there is still no WebGPU adapter');
        if (found.kind === 'software' && prefer !== 'gpu') {
          throw new EngineError('unavailable', `the only adapter now is ${found.name}, which is software`);
        }
        return createGpuEngine(gpu, { bins, window });
      },
      onChange,
    },
    await startWith(options, surroundings),
  );
}
