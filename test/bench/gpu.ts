/**
 * `npm run bench -- gpu`: the fused kernel over a gigabyte of distinct data, through Dawn, against what the same
 * device copies in that time, and against cuFFT and VkFFT with their separate passes where Python has CuPy.
 *
 * Only a real adapter is measured. `--software` runs the same on SwiftShader and little data: that shows that the
 * command works, and its figures say nothing about a GPU.
 */
import { type BlockMoments, addBlock, emptyMoments, sampleStd } from '../../bridge/protocol/moments.ts';
import { PARAMS_BYTES, SUM_FIELDS } from '../../shaders/spectrum.ts';
import { adapterName, requestAdapter, requestDevice, watchDevice } from '../../web/engine/gpu/device.ts';
import { createGpuEngine } from '../../web/engine/gpu/engine.ts';
import { BUFFER_USAGE, MAP_MODE_READ } from '../../web/engine/gpu/flags.ts';
import { MERGE_PARAMS_BYTES, MergePass } from '../../web/engine/gpu/merge-pass.ts';
import { SpectrumPass } from '../../web/engine/gpu/spectrum-pass.ts';
import { gaussian } from '../engine/accuracy.ts';
import { type ReferenceMoments, referenceMoments } from '../engine/reference.ts';
import { openDawn } from '../gpu/dawn.ts';
import { type CufftRow, cufftRows } from './cufft.ts';
import { type Cell, printTable, quantile } from './table.ts';

const BINS = 3072;
/** Pairs of nominal length: 16 are 1.07 GB, more than any cache. */
const REAL = { pairs: 16, slices: 2731, runs: 7, leastMs: 150, workgroups: [128, 256, 512, 1024] } as const;
const SOFTWARE = { pairs: 2, slices: 160, runs: 2, leastMs: 0, workgroups: [4] } as const;
type Scale = typeof REAL | typeof SOFTWARE;

/** As in the engine, so that one pair's merge does not wait for the next one's sums. */
const LANES = 3;
/** The goals: reading at this share of what the device copies, and so much faster than cuFFT's passes. */
const COPY_SHARE_GOAL = 0.6;
const CUFFT_GOAL = 2;
/** Accuracy of noise over a file; of a tenth of a file a little less. */
const TOLERANCE = 1e-6;
/** Of plain float32 sums in another library: enough to see that it does the same job. */
const FOREIGN_TOLERANCE = 1e-3;

const COPY_KERNEL = `\
@group(0) @binding(0) var<storage, read> source: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4u>;
@compute @workgroup_size(256)
fn copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var k = id.x; k < arrayLength(&source); k += groups.x * 256u) {
    copied[k] = source[k];
  }
}`;
const COPY_WORKGROUPS = 4096;

/** Everything resident: the pairs, a second set to copy to, and lanes of results. */
class Bed {
  readonly device: GPUDevice;
  readonly scale: Scale;
  readonly data: readonly Float32Array<ArrayBuffer>[];
  readonly pairs: readonly GPUBuffer[];
  readonly copies: readonly GPUBuffer[];

  constructor(device: GPUDevice, scale: Scale) {
    const { storage, copySource, copyTarget } = BUFFER_USAGE;
    this.device = device;
    this.scale = scale;
    this.data = distinctPairs(scale);
    const make = () =>
      device.createBuffer({ size: this.pairBytes, usage: storage | copySource | copyTarget });
    this.pairs = this.data.map(make);
    this.copies = this.data.map(make);
  }

  get pairBytes(): number {
    return this.scale.slices * BINS * 8;
  }
  get bytes(): number {
    return this.pairBytes * this.scale.pairs;
  }

  async upload(): Promise<void> {
    for (const [k, data] of this.data.entries()) {
      this.device.queue.writeBuffer(this.pairs[k] as GPUBuffer, 0, data);
      await this.device.queue.onSubmittedWorkDone();
    }
  }

  /**
   * Median of several runs, each long enough for the clock.
   * @param encode all pairs once
   * @returns milliseconds for all pairs
   */
  async time(encode: (encoder: GPUCommandEncoder) => void): Promise<number> {
    const once = async (repeats: number): Promise<number> => {
      const begun = performance.now();
      for (let n = 0; n < repeats; n++) {
        const encoder = this.device.createCommandEncoder();
        encode(encoder);
        this.device.queue.submit([encoder.finish()]);
      }
      await this.device.queue.onSubmittedWorkDone();
      return (performance.now() - begun) / repeats;
    };
    await once(1);
    const roughMs = await once(1);
    const repeats = Math.max(1, Math.ceil(this.scale.leastMs / roughMs));
    const times: number[] = [];
    for (let run = 0; run < this.scale.runs; run++) times.push(await once(repeats));
    return quantile(times, 0.5);
  }

  release(): void {
    for (const buffer of [...this.pairs, ...this.copies]) buffer.destroy();
  }
}

/** Noise; each pair is the first one turned by another stretch, and no two are equal at any place. */
function distinctPairs({ pairs, slices }: Scale): Float32Array<ArrayBuffer>[] {
  const first = gaussian(2 * slices * BINS, 1, 0.1);
  return Array.from({ length: pairs }, (_, k) => {
    const turned = new Float32Array(first.length);
    const from = (k * 1_000_003) % first.length;
    turned.set(first.subarray(from));
    turned.set(first.subarray(0, from), first.length - from);
    return turned;
  });
}

/** The kernels as the engine runs them, on resident pairs. */
class Kernels {
  readonly #bed: Bed;
  readonly #spectrum: SpectrumPass;
  readonly #merge: MergePass;
  readonly #workgroups: number;
  readonly #groups: readonly GPUBindGroup[][];
  readonly #merges: readonly GPUBindGroup[];
  readonly #merged: readonly GPUBuffer[];
  readonly #buffers: readonly GPUBuffer[];

  static async create(bed: Bed, workgroups: number): Promise<Kernels> {
    const { device } = bed;
    return new Kernels(
      bed,
      await SpectrumPass.create(device, BINS, undefined),
      await MergePass.create(device, BINS),
      workgroups,
    );
  }

  private constructor(bed: Bed, spectrum: SpectrumPass, merge: MergePass, workgroups: number) {
    const { storage, uniform, copySource, copyTarget } = BUFFER_USAGE;
    const { slices } = bed.scale;
    const made: GPUBuffer[] = [];
    const make = (size: number, usage: number = storage): GPUBuffer => {
      const buffer = bed.device.createBuffer({ size, usage: usage | copyTarget | copySource });
      made.push(buffer);
      return buffer;
    };
    const table = make(8 * slices);
    const rows = Array.from({ length: slices }, (_, s) => [s * BINS, (slices + s) * BINS]);
    bed.device.queue.writeBuffer(table, 0, Uint32Array.from(rows.flat()));
    const params = make(PARAMS_BYTES, uniform);
    const all = { slices, workgroups, firstPartial: 0, clipBits: 0x7f80_0000, scaleExponent: 0 };
    spectrum.writeParams(params, all);
    const mergeParams = make(MERGE_PARAMS_BYTES, uniform);
    merge.writeParams(mergeParams, workgroups, slices);
    const lanes = Array.from({ length: LANES }, () => ({
      moments: make(8 * BINS * workgroups),
      sums: make(4 * SUM_FIELDS.length * workgroups),
      merged: make(8 * BINS),
    }));
    this.#bed = bed;
    this.#spectrum = spectrum;
    this.#merge = merge;
    this.#workgroups = workgroups;
    this.#buffers = made;
    this.#merged = lanes.map(({ merged }) => merged);
    this.#merges = lanes.map((lane) => merge.bind('bench', { ...lane, params: mergeParams }));
    this.#groups = bed.pairs.map((samples) =>
      lanes.map((lane) => spectrum.bind('bench', { ...lane, samples, slices: table, params })),
    );
  }

  encode(encoder: GPUCommandEncoder): void {
    for (const [k, lanes] of this.#groups.entries()) {
      this.#spectrum.run(encoder, lanes[k % LANES] as GPUBindGroup, this.#workgroups);
      this.#merge.run(encoder, this.#merges[k % LANES] as GPUBindGroup);
    }
  }

  /** Moments of one pair. */
  async moments(pair: number): Promise<BlockMoments> {
    const { device, scale } = this.#bed;
    const { mapRead, copyTarget } = BUFFER_USAGE;
    const target = device.createBuffer({ size: 8 * BINS, usage: mapRead | copyTarget });
    const encoder = device.createCommandEncoder();
    this.#spectrum.run(encoder, (this.#groups[pair] as GPUBindGroup[])[0] as GPUBindGroup, this.#workgroups);
    this.#merge.run(encoder, this.#merges[0] as GPUBindGroup);
    encoder.copyBufferToBuffer(this.#merged[0] as GPUBuffer, 0, target, 0, 8 * BINS);
    device.queue.submit([encoder.finish()]);
    await target.mapAsync(MAP_MODE_READ);
    const words = new Float32Array(target.getMappedRange().slice(0));
    target.destroy();
    const { time } = emptyMoments(BINS);
    const [mean, m2] = [words.slice(0, BINS), words.slice(BINS)];
    return { count: scale.slices, scaleExponent: 0, mean, m2, time };
  }

  release(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** Largest relative error of mean and sample standard deviation. */
function worstError(moments: BlockMoments, expected: ReferenceMoments): number {
  const total = emptyMoments(BINS);
  addBlock(total, moments);
  const n = expected.count;
  let worst = 0;
  for (let k = 0; k < BINS; k++) {
    const mean = expected.mean[k] as number;
    const should = Math.sqrt((expected.m2[k] as number) / (n - 1));
    const error = Math.max(
      Math.abs((total.mean[k] as number) / mean - 1),
      Math.abs(sampleStd(total, k) / should - 1),
    );
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}

/** Best of the driver's copy and a kernel's: what the device can do, milliseconds for all pairs. */
async function timeCopy(bed: Bed): Promise<number> {
  const { device, pairs, copies, pairBytes } = bed;
  const byDriver = await bed.time((encoder) => {
    for (const [k, pair] of pairs.entries())
      encoder.copyBufferToBuffer(pair, 0, copies[k] as GPUBuffer, 0, pairBytes);
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: COPY_KERNEL }), entryPoint: 'copy' },
  });
  const groups = pairs.map((source, k) =>
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [source, copies[k] as GPUBuffer].map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  const byKernel = await bed.time((encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    for (const group of groups) {
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(COPY_WORKGROUPS);
    }
    pass.end();
  });
  return Math.min(byDriver, byKernel);
}

interface Measured {
  readonly name: string;
  /** For all pairs. */
  readonly ms: number;
  /** Bytes of samples read; twice that for a copy, which writes them as well. */
  readonly bytes: number;
}

/** Whole pairs through the engine, as many on their way as it has lanes. */
async function timeEngine(gpu: GPU, bed: Bed, expected: ReferenceMoments): Promise<[Measured, number]> {
  const { slices, pairs, runs } = bed.scale;
  const engine = await createGpuEngine(gpu, { bins: BINS, window: 'none' });
  const block = (k: number) => ({
    samples: bed.data[k] as Float32Array<ArrayBuffer>,
    segments: [{ offset: 0, slices }],
    clipLevel: Infinity,
  });
  const error = worstError(await engine.process(block(0)), expected);
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const begun = performance.now();
    const lanes = Array.from({ length: engine.depth }, async (_, lane) => {
      for (let k = lane; k < pairs; k += engine.depth) await engine.process(block(k));
    });
    await Promise.all(lanes);
    // The first run makes the lanes' buffers.
    if (run > 0) times.push(performance.now() - begun);
  }
  await engine.dispose();
  return [{ name: 'engine, with upload and read-back', ms: quantile(times, 0.5), bytes: bed.bytes }, error];
}

async function timeUpload(bed: Bed): Promise<Measured> {
  const times: number[] = [];
  for (let run = 0; run < bed.scale.runs; run++) {
    const begun = performance.now();
    for (const [k, data] of bed.data.entries())
      bed.device.queue.writeBuffer(bed.pairs[k] as GPUBuffer, 0, data);
    await bed.device.queue.onSubmittedWorkDone();
    times.push(performance.now() - begun);
  }
  return { name: 'upload alone', ms: quantile(times, 0.5), bytes: bed.bytes };
}

async function timeKernels(bed: Bed, expected: ReferenceMoments): Promise<[Measured[], number]> {
  const rows: Measured[] = [];
  let worst = 0;
  for (const workgroups of bed.scale.workgroups) {
    const kernels = await Kernels.create(bed, workgroups);
    const ms = await bed.time((encoder) => kernels.encode(encoder));
    worst = Math.max(worst, worstError(await kernels.moments(0), expected));
    rows.push({ name: `fused kernel, ${workgroups} workgroups, resident`, ms, bytes: bed.bytes });
    kernels.release();
  }
  return [rows, worst];
}

const gigabytesPerSecond = ({ ms, bytes }: Measured): number => bytes / ms / 1e6;

function print(
  name: string,
  bed: Bed,
  rows: readonly Measured[],
  copyGBs: number,
  others: readonly CufftRow[],
) {
  const { pairs, slices } = bed.scale;
  const cells = rows.map((row): Cell[] => {
    const rate = gigabytesPerSecond(row);
    return [row.name, row.ms / pairs, rate, `${((100 * rate) / copyGBs).toFixed(0)} %`];
  });
  const foreign = others.map(({ name: what, msPerPair }): Cell[] => {
    const rate = bed.pairBytes / msPerPair / 1e6;
    return [what, msPerPair, rate, `${((100 * rate) / copyGBs).toFixed(0)} %`];
  });
  printTable(
    `${name}: ${pairs} distinct pairs of ${slices} slices, ${(bed.bytes / 1e9).toPrecision(3)} GB`,
    ['', 'ms per pair', 'GB/s', 'of copy'],
    [...cells, ...foreign],
  );
}

/** Says whether the goals are reached; a goal that is missed is said, and is no error of the command. */
function printGoals(copyGBs: number, best: Measured, others: readonly CufftRow[], pairs: number): void {
  const share = gigabytesPerSecond(best) / copyGBs;
  const word = (reached: boolean): string => (reached ? 'reached' : 'missed');
  console.log(
    `\nreading at ${(100 * share).toFixed(0)} % of copy bandwidth, goal ${100 * COPY_SHARE_GOAL} %: ${word(share >= COPY_SHARE_GOAL)}`,
  );
  for (const { name, msPerPair } of others) {
    const times = (msPerPair * pairs) / best.ms;
    console.log(
      `${times.toFixed(1)} times as fast as ${name}, goal ${CUFFT_GOAL}: ${word(times >= CUFFT_GOAL)}`,
    );
  }
}

/** @returns what is wrong with the results */
export async function benchGpu(software: boolean): Promise<string[]> {
  const gpu = openDawn(software);
  const adapter = await requestAdapter(gpu).catch(() => null);
  const isReal = adapter !== null && !adapter.info.isFallbackAdapter;
  if (adapter === null || (!isReal && !software)) {
    const what = adapter === null ? 'no WebGPU adapter' : `only ${adapterName(adapter)}, which is software`;
    console.log(`gpu: nothing was measured: ${what} here. --software shows that the command works.`);
    return [];
  }
  const name = adapterName(adapter);
  const device = await requestDevice(adapter);
  const faults: string[] = [];
  let isOver = false;
  watchDevice(device, (fault) => {
    if (!isOver) faults.push(fault.message);
  });
  const bed = new Bed(device, isReal ? REAL : SOFTWARE);
  await bed.upload();
  const { slices, pairs } = bed.scale;
  const samples = bed.data[0] as Float32Array<ArrayBuffer>;
  const expected = referenceMoments(samples, [{ offset: 0, slices }], { bins: BINS, clipLevel: Infinity });
  const copy = { name: 'copy, bytes read plus written', ms: await timeCopy(bed), bytes: 2 * bed.bytes };
  const [fused, fusedError] = await timeKernels(bed, expected);
  const upload = await timeUpload(bed);
  const [whole, engineError] = await timeEngine(gpu, bed, expected);
  isOver = true;
  bed.release();
  device.destroy();
  // After the GPU is ours no longer.
  const others = isReal ? await cufftRows({ bins: BINS, slices, pairs }) : [];
  const copyGBs = gigabytesPerSecond(copy);
  print(
    isReal ? name : `${name} (software: not a measurement)`,
    bed,
    [copy, ...fused, upload, whole],
    copyGBs,
    others,
  );
  console.log(
    `\nworst error of mean and std: kernel ${fusedError.toExponential(1)}, engine ${engineError.toExponential(1)}`,
  );
  const best = fused.toSorted((a, b) => a.ms - b.ms)[0];
  if (isReal && best !== undefined) printGoals(copyGBs, best, others, pairs);
  return [
    ...faults,
    ...[fusedError, engineError]
      .filter((error) => !(error <= TOLERANCE))
      .map((error) => `error ${error}, at most ${TOLERANCE}`),
    ...others
      .filter((row) => !(row.error <= FOREIGN_TOLERANCE))
      .map((row) => `${row.name}: error ${row.error}`),
  ];
}
