/** Blocks for the engines, and the comparison of one block's answer with the reference. */
import { addBlock, type BlockMoments, emptyMoments } from '../../bridge/protocol/moments.ts';
import type { EngineBlock, Segment } from '../../web/engine/engine.ts';
import { gaussian, shortBlockProblems } from '../engine/accuracy.ts';
import { referenceMoments } from '../engine/reference.ts';

/** A length that compiles quickly. */
export const SHORT_BINS = 256;

/** Noise in segments of 1, 2, 3, 1, 2, 3 … slices, last one first, with one or two samples between them. */
export function oddBlock(bins: number, slices: number, seed: number, sigma = 1): EngineBlock {
  const sizes: number[] = [];
  for (let left = slices; left > 0; ) {
    const size = Math.min(left, 1 + (sizes.length % 3));
    sizes.push(size);
    left -= size;
  }
  const segments: Segment[] = [];
  let at = 1;
  for (const [k, size] of sizes.entries()) {
    segments.unshift({ offset: at, slices: size });
    at += 2 * size * bins + 1 + (k % 2);
  }
  return { samples: gaussian(at, seed, sigma), segments, clipLevel: 2 };
}

/** What is wrong with an answer, in words; empty when it is right. */
export function compareBlock(
  moments: BlockMoments,
  { samples, segments, clipLevel }: EngineBlock,
  bins: number,
  window?: ArrayLike<number>,
): string[] {
  const actual = emptyMoments(bins);
  addBlock(actual, moments);
  return shortBlockProblems(actual, referenceMoments(samples, segments, { bins, window, clipLevel }));
}
