/** The merge pass: partial moments of all workgroups of a block to its moments, in ascending frequency. */
import mergeKernel from '../../../shaders/merge.wgsl?raw';
import { SUM_FIELDS } from '../../../shaders/spectrum.ts';
import { bufferBinding } from './flags.ts';

export interface MergeBuffers {
  readonly moments: GPUBuffer;
  readonly sums: GPUBuffer;
  readonly merged: GPUBuffer;
  readonly params: GPUBuffer;
}

/** partials u32, slices f32; rounded up to 16. */
export const MERGE_PARAMS_BYTES = 16;

/** As `@workgroup_size` in merge.wgsl says. */
const THREADS = 64;

export class MergePass {
  readonly #device: GPUDevice;
  readonly #bins: number;
  readonly #pipeline: GPUComputePipeline;
  readonly #layout: GPUBindGroupLayout;
  readonly #params = new DataView(new ArrayBuffer(MERGE_PARAMS_BYTES));

  /** @throws {GPUPipelineError} when the driver refuses the kernel */
  static async create(device: GPUDevice, bins: number): Promise<MergePass> {
    const label = `merge of ${bins} bins`;
    const layout = device.createBindGroupLayout({
      label,
      entries: [
        bufferBinding(0, 'read-only-storage'),
        bufferBinding(1, 'read-only-storage'),
        bufferBinding(2, 'storage'),
        bufferBinding(3, 'uniform'),
      ],
    });
    const pipeline = await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: {
        module: device.createShaderModule({ label, code: mergeKernel }),
        entryPoint: 'merge',
        constants: { bins, record: SUM_FIELDS.length },
      },
    });
    return new MergePass(device, bins, pipeline, layout);
  }

  private constructor(
    device: GPUDevice,
    bins: number,
    pipeline: GPUComputePipeline,
    layout: GPUBindGroupLayout,
  ) {
    this.#device = device;
    this.#bins = bins;
    this.#pipeline = pipeline;
    this.#layout = layout;
  }

  bind(label: string, { moments, sums, merged, params }: MergeBuffers): GPUBindGroup {
    const entries = [moments, sums, merged, params].map((buffer, binding) => ({
      binding,
      resource: { buffer },
    }));
    return this.#device.createBindGroup({ label, layout: this.#layout, entries });
  }

  /** Takes effect for what is submitted after this, not before. */
  writeParams(buffer: GPUBuffer, partials: number, slices: number): void {
    this.#params.setUint32(0, partials, true);
    this.#params.setFloat32(4, slices, true);
    this.#device.queue.writeBuffer(buffer, 0, this.#params.buffer);
  }

  run(
    encoder: GPUCommandEncoder,
    group: GPUBindGroup,
    timestampWrites?: GPUComputePassTimestampWrites,
  ): void {
    const pass = encoder.beginComputePass({ label: 'merge', ...(timestampWrites && { timestampWrites }) });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(this.#bins / THREADS));
    pass.end();
  }
}
