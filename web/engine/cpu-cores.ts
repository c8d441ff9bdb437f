/** The two CPU implementations by name. */
import type { CpuCore, CpuKind } from './cpu-core.ts';
import type { EngineOptions } from './engine.ts';
import { TsCore } from './ts/ts-core.ts';
import { WasmCore } from './wasm/wasm-core.ts';

/** @throws {EngineError} `unavailable` */
export async function createCore(kind: CpuKind, options: EngineOptions): Promise<CpuCore> {
  return kind === 'wasm' ? WasmCore.create(options) : new TsCore(options);
}
