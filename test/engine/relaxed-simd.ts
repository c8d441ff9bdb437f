/** Relaxed SIMD, so that tests in Node see both kernels: Node 20 has it behind a flag, later ones as it is. */
import { setFlagsFromString } from 'node:v8';
import { vi } from 'vitest';

if (Number(process.versions.node.split('.')[0]) < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');

/** Makes what only an engine without relaxed SIMD would make. */
export async function withoutRelaxedSimd<T>(make: () => Promise<T>): Promise<T> {
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  try {
    return await make();
  } finally {
    validate.mockRestore();
  }
}
