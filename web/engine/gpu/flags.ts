/** Bit flags whose values the WebGPU standard fixes; their global names do not exist in Node. */

const SHADER_STAGE_COMPUTE = 4;
export const MAP_MODE_READ = 1;

export const BUFFER_USAGE = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
} as const;

/** One line of an explicit layout. `layout: 'auto'` would drop bindings that a kernel happens not to use. */
export const bufferBinding = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
  binding,
  visibility: SHADER_STAGE_COMPUTE,
  buffer: { type },
});
