/** The fused pass: slices to partial moments and sums, one record per workgroup. */
import { spectrumPlan, twiddleTable } from '../../../shaders/plan.ts';
import { PARAMS_BYTES, spectrumKernel } from '../../../shaders/spectrum.ts';
import { BUFFER_USAGE, bufferBinding } from './flags.ts';

export interface SpectrumBuffers {
  readonly samples: GPUBuffer;
  readonly slices: GPUBuffer;
  readonly moments: GPUBuffer;
  readonly sums: GPUBuffer;
  readonly params: GPUBuffer;
}

export interface SpectrumParams {
  readonly slices: number;
  readonly workgroups: number;
  /** Index of the first record that this dispatch writes. */
  readonly firstPartial: number;
  readonly clipBits: number;
  readonly scaleExponent: number;
}

const layoutEntries = (windowed: boolean): GPUBindGroupLayoutEntry[] => [
  bufferBinding(0, 'read-only-storage'),
  bufferBinding(1, 'read-only-storage'),
  bufferBinding(2, 'read-only-storage'),
  bufferBinding(3, 'storage'),
  bufferBinding(4, 'storage'),
  bufferBinding(5, 'uniform'),
  ...(windowed ? [bufferBinding(6, 'read-only-storage')] : []),
];

function createTable(device: GPUDevice, label: string, data: Float32Array<ArrayBuffer>): GPUBuffer {
  const usage = BUFFER_USAGE.storage | BUFFER_USAGE.copyTarget;
  const buffer = device.createBuffer({ label, size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

export class SpectrumPass {
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #layout: GPUBindGroupLayout;
  readonly #twiddles: GPUBuffer;
  readonly #taper: GPUBuffer | undefined;
  readonly #params = new DataView(new ArrayBuffer(PARAMS_BYTES));

  /**
   * @param taper window, [bins]; nothing for none
   * @throws {RangeError} for a length that the GPU does not transform
   * @throws {GPUPipelineError} when the driver refuses the kernel
   */
  static async create(
    device: GPUDevice,
    bins: number,
    taper: Float32Array<ArrayBuffer> | undefined,
  ): Promise<SpectrumPass> {
    const label = `spectrum of ${bins} bins${taper ? ', windowed' : ''}`;
    const plan = spectrumPlan(bins);
    const layout = device.createBindGroupLayout({ label, entries: layoutEntries(taper !== undefined) });
    const pipeline = await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: {
        module: device.createShaderModule({ label, code: spectrumKernel(plan, taper !== undefined) }),
        entryPoint: 'spectrum',
      },
    });
    const twiddles = createTable(device, `twiddles of ${bins} bins`, twiddleTable(plan));
    return new SpectrumPass(
      device,
      pipeline,
      layout,
      twiddles,
      taper && createTable(device, `window of ${bins} bins`, taper),
    );
  }

  private constructor(
    device: GPUDevice,
    pipeline: GPUComputePipeline,
    layout: GPUBindGroupLayout,
    twiddles: GPUBuffer,
    taper: GPUBuffer | undefined,
  ) {
    this.#device = device;
    this.#pipeline = pipeline;
    this.#layout = layout;
    this.#twiddles = twiddles;
    this.#taper = taper;
  }

  bind(label: string, buffers: SpectrumBuffers): GPUBindGroup {
    const { samples, slices, moments, sums, params } = buffers;
    const inOrder = [samples, slices, this.#twiddles, moments, sums, params];
    if (this.#taper) inOrder.push(this.#taper);
    const entries = inOrder.map((buffer, binding) => ({ binding, resource: { buffer } }));
    return this.#device.createBindGroup({ label, layout: this.#layout, entries });
  }

  /** Takes effect for what is submitted after this, not before. */
  writeParams(buffer: GPUBuffer, params: SpectrumParams): void {
    const view = this.#params;
    view.setUint32(0, params.slices, true);
    view.setUint32(4, params.workgroups, true);
    view.setUint32(8, params.firstPartial, true);
    view.setUint32(12, params.clipBits, true);
    view.setFloat32(16, 2 ** params.scaleExponent, true);
    this.#device.queue.writeBuffer(buffer, 0, view.buffer);
  }

  run(
    encoder: GPUCommandEncoder,
    group: GPUBindGroup,
    workgroups: number,
    timestampWrites?: GPUComputePassTimestampWrites,
  ): void {
    const pass = encoder.beginComputePass({ label: 'spectrum', ...(timestampWrites && { timestampWrites }) });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups);
    pass.end();
  }
}
