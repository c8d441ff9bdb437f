/**
 * How fast the engines of this machine are: each is made anew, asked the self-test's question, and then given noise
 * in live blocks for a fraction of a second. Whatever engine works meanwhile is left alone.
 */
import { nominalSlicesPerFile, sliceBytes, slicesPerBlockLimit } from '../../bridge/protocol/geometry.ts';
import { diagnoseGpu, type GpuSurroundings, surroundingsHere } from './choose.ts';
import { createCpuEngine } from './cpu.ts';
import {
  type EngineBlock,
  EngineError,
  type EngineKind,
  type EngineOptions,
  type SpectrumEngine,
} from './engine.ts';
import { createGpuEngine } from './gpu/engine.ts';

/** WebGPU; WebAssembly on all cores, on one; TypeScript on one. In the order of a table. */
export const CANDIDATES = ['gpu', 'wasm', 'wasm-one', 'ts-one'] as const;
export type Candidate = (typeof CANDIDATES)[number];

/** What was found; everything survives `structuredClone` and JSON. */
export interface EngineMeasurement {
  readonly candidate: Candidate;
  readonly kind: EngineKind;
  readonly name: string;
  /** Null: it passed its self-test. Otherwise why it cannot be used, or was not measured. */
  readonly trouble: string | null;
  /** The adapter is software: right, and never the fast way. */
  readonly isSoftware: boolean;
  /** Milliseconds for a file pair of nominal length, from samples in memory to moments. */
  readonly msPerFile: number | null;
  readonly mbPerSecond: number | null;
  /** Of that, on the GPU itself, by its timestamps; null where it has none. */
  readonly gpuMsPerFile: number | null;
}

export interface MeasureOptions extends EngineOptions {
  /** For how long blocks are computed; making the engine comes on top. */
  readonly budgetMs: number;
  readonly surroundings?: GpuSurroundings;
  /** Measure a software adapter as well, whose kernels take seconds to compile. */
  readonly software: boolean;
}

const KINDS: Readonly<Record<Candidate, EngineKind>> = {
  gpu: 'gpu',
  wasm: 'wasm',
  'wasm-one': 'wasm',
  'ts-one': 'ts',
};

const TITLES: Readonly<Record<Candidate, string>> = {
  gpu: 'WebGPU',
  wasm: 'WebAssembly SIMD, all cores',
  'wasm-one': 'WebAssembly SIMD, 1 worker',
  'ts-one': 'TypeScript, 1 worker',
};

/** Blocks made before the clock runs, at most: 32 live blocks are 126 MB. */
const MOST_BLOCKS_AHEAD = 32;
/** Batches of so many blocks per place in the engine, so that filling and draining it weigh little. */
const ROUNDS_PER_BATCH = 4;

/** Deterministic noise of 0.1 V: what it is does not change the speed, as long as it is no denormal. */
function noise(length: number): Float32Array<ArrayBuffer> {
  let state = 0x9e3779b9;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31 / 10;
  });
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** An engine that may know how long its last block took on the device. */
type Measurable = SpectrumEngine & { readonly lastBlockMs?: number | undefined };

interface Pace {
  readonly msPerSlice: number;
  readonly gpuMsPerSlice: number | null;
}

async function paceOf(engine: Measurable, { bins, budgetMs }: MeasureOptions): Promise<Pace> {
  const slices = slicesPerBlockLimit(bins);
  const samples = noise((slices * sliceBytes(bins)) / Float32Array.BYTES_PER_ELEMENT);
  const block = (): EngineBlock => ({
    samples: samples.slice(),
    segments: [{ offset: 0, slices }],
    clipLevel: Infinity,
  });
  const gpuMs: number[] = [];
  const compute = async (one: EngineBlock): Promise<void> => {
    await engine.process(one);
    if (engine.lastBlockMs !== undefined) gpuMs.push(engine.lastBlockMs);
  };
  // The first block of each worker pays for compilation and page faults.
  await Promise.all(Array.from({ length: engine.depth }, () => compute(block())));
  gpuMs.length = 0;
  let blocks = 0;
  let tookMs = 0;
  const most = Math.min(MOST_BLOCKS_AHEAD, ROUNDS_PER_BATCH * engine.depth);
  for (let batch = Math.min(most, 2 * engine.depth); tookMs < budgetMs; batch = most) {
    const ready = Array.from({ length: batch }, block);
    const begun = performance.now();
    await inFlight(ready, engine.depth, compute);
    tookMs += performance.now() - begun;
    blocks += batch;
  }
  return {
    msPerSlice: tookMs / (blocks * slices),
    gpuMsPerSlice: gpuMs.length === 0 ? null : median(gpuMs) / slices,
  };
}

/** Keeps `depth` blocks on their way until all are done. */
async function inFlight(
  blocks: EngineBlock[],
  depth: number,
  compute: (block: EngineBlock) => Promise<void>,
): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let block = blocks.pop(); block !== undefined; block = blocks.pop()) await compute(block);
  };
  await Promise.all(Array.from({ length: depth }, lane));
}

interface Found {
  readonly engine: Measurable;
  readonly isSoftware: boolean;
}

/** @throws {EngineError} */
async function find(candidate: Candidate, options: MeasureOptions): Promise<Found> {
  const { bins, window } = options;
  const kinds = [KINDS[candidate] === 'ts' ? 'ts' : 'wasm'] as const;
  switch (candidate) {
    case 'gpu':
      return findGpu(options);
    case 'wasm':
      return { engine: await createCpuEngine({ bins, window, kinds }), isSoftware: false };
    case 'wasm-one':
    case 'ts-one':
      return { engine: await createCpuEngine({ bins, window, kinds, workers: 1 }), isSoftware: false };
  }
}

async function findGpu(options: MeasureOptions): Promise<Found> {
  const found = await diagnoseGpu(options.surroundings ?? surroundingsHere());
  if (!('gpu' in found)) throw new EngineError('unavailable', found.why);
  const isSoftware = found.kind === 'software';
  if (isSoftware && !options.software) throw new SoftwareAdapter(found.name);
  return { engine: await createGpuEngine(found.gpu, options), isSoftware };
}

/** No fault: it only is not worth its seconds. */
class SoftwareAdapter extends EngineError {
  readonly adapter: string;
  constructor(adapter: string) {
    super('unavailable', 'a software adapter, slower than the CPU engine: not measured');
    this.adapter = adapter;
  }
}

/**
 * One engine of this machine. What goes wrong is part of the answer.
 * @throws nothing that an engine throws
 */
export async function measureEngine(
  candidate: Candidate,
  options: MeasureOptions,
): Promise<EngineMeasurement> {
  const none = { msPerFile: null, mbPerSecond: null, gpuMsPerFile: null };
  const base = { candidate, kind: KINDS[candidate], name: TITLES[candidate], isSoftware: false };
  let found: Found | undefined;
  try {
    found = await find(candidate, options);
    const { name } = found.engine.description;
    const pace = await paceOf(found.engine, options);
    const slices = nominalSlicesPerFile(options.bins);
    const bytesPerSlice = sliceBytes(options.bins);
    return {
      ...base,
      name,
      isSoftware: found.isSoftware,
      trouble: null,
      msPerFile: pace.msPerSlice * slices,
      mbPerSecond: bytesPerSlice / pace.msPerSlice / 1e3,
      gpuMsPerFile: pace.gpuMsPerSlice === null ? null : pace.gpuMsPerSlice * slices,
    };
  } catch (error) {
    const trouble = error instanceof Error ? error.message : String(error);
    const software = error instanceof SoftwareAdapter ? { name: error.adapter, isSoftware: true } : {};
    return { ...base, ...software, ...none, trouble };
  } finally {
    await found?.engine.dispose();
  }
}
