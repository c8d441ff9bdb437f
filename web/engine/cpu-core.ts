/**
 * What the two CPU implementations have in common: one thread's worth of engine, without any promise.
 *
 * A core is made once per thread, keeps its tables and its memory, and knows nothing between blocks.
 */
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import { type EngineBlock, EngineError } from './engine.ts';
import { betterExponent } from './scale.ts';

export type CpuKind = 'wasm' | 'ts';

export interface CpuCore {
  readonly kind: CpuKind;
  /** @throws {EngineError} `bad-block`, `non-finite` */
  process(block: EngineBlock): BlockMoments;
}

/** Stretches of samples that the segments cover, I and Q of one segment together. */
function stretches({ samples, segments }: EngineBlock, bins: number): Float32Array[] {
  return segments.map(({ offset, slices }) => samples.subarray(offset, offset + 2 * slices * bins));
}

/** Largest finite |sample| of a stretch. */
function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (let k = 0; k < samples.length; k++) {
    const size = Math.abs(samples[k] as number);
    if (size > peak && size < Infinity) peak = size;
  }
  return peak;
}

/** Exponent that suits the first slice, and so nearly always the block. */
export function firstExponent({ samples, segments }: EngineBlock, bins: number): number {
  const { offset, slices } = segments[0] as EngineBlock['segments'][number];
  const i = samples.subarray(offset, offset + bins);
  const q = samples.subarray(offset + slices * bins, offset + (slices + 1) * bins);
  return betterExponent(Math.max(peakOf(i), peakOf(q)), 0) ?? 0;
}

/** Samples of either channel with |x| ≥ level. */
export function countClipped(block: EngineBlock, bins: number): number {
  let clipped = 0;
  for (const stretch of stretches(block, bins))
    for (let k = 0; k < stretch.length; k++) if (Math.abs(stretch[k] as number) >= block.clipLevel) clipped++;
  return clipped;
}

/**
 * Peak of a block whose sums overflowed: by the samples themselves, or only by their scale.
 * @throws {EngineError} `non-finite` naming the first NaN or Inf
 */
export function finitePeak(block: EngineBlock, bins: number): number {
  let peak = 0;
  for (const [index, { offset, slices }] of block.segments.entries()) {
    const stretch = block.samples.subarray(offset, offset + 2 * slices * bins);
    const bad = stretch.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      const channel = bad < slices * bins ? 'I' : 'Q';
      const slice = Math.floor(bad / bins) % slices;
      throw new EngineError(
        'non-finite',
        `sample ${bad % bins} of ${channel} in slice ${slice} of segment ${index} is ${stretch[bad]}: ` +
          'expected finite volts; the file cannot be averaged',
      );
    }
    peak = Math.max(peak, peakOf(stretch));
  }
  return peak;
}
