/**
 * The engines that this browser has, measured one after the other beside the one that works. Each takes a fraction
 * of a second of its own threads, so live blocks wait a little and none is lost.
 */
import { type Candidate, type EngineMeasurement, measureEngine } from '../engine/measure.ts';

export type { EngineMeasurement };

/** What the page asks for one by one: quick answers first, and kernels that may take seconds to compile last. */
const ORDER: readonly Candidate[] = ['wasm', 'wasm-one', 'ts-one', 'gpu'];

const BUDGET_MS = 300;

/** @returns the `index`-th engine's figures; null behind the last one */
export async function measureNth(index: number, bins: number): Promise<EngineMeasurement | null> {
  const candidate = ORDER[index];
  if (candidate === undefined) return null;
  return measureEngine(candidate, { bins, window: 'none', budgetMs: BUDGET_MS, software: true });
}
