/** Cutting of blocks into uploads, and the choice of the scale: no GPU needed. */
import { array, assert, integer, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EngineBlock } from '../../web/engine/engine.ts';
import { type Chunk, planChunks } from '../../web/engine/gpu/chunks.ts';
import { clipBits } from '../../web/engine/gpu/clip-bits.ts';
import { betterExponent } from '../../web/engine/scale.ts';

const BINS = 4;

/** Every sample holds its own index, and chunks are carried out as the queue would. */
function slicesSeen(block: EngineBlock, chunks: readonly Chunk[]): number[][] {
  return chunks.flatMap((chunk) => {
    const buffer = new Float32Array(chunk.samples).fill(-1);
    for (const { from, to, samples } of chunk.uploads) {
      buffer.set(block.samples.subarray(from, from + samples), to);
    }
    return Array.from({ length: chunk.slices }, (_, s) =>
      [0, 1].flatMap((channel) => {
        const first = chunk.table[2 * s + channel] as number;
        return [...buffer.subarray(first, first + BINS)];
      }),
    );
  });
}

function blockOf(sizes: readonly number[], gap: number): EngineBlock {
  let at = gap;
  const segments = sizes.map((slices) => {
    const offset = at;
    at += 2 * slices * BINS + gap;
    return { offset, slices };
  });
  return { samples: Float32Array.from({ length: at }, (_, k) => k), segments, clipLevel: 1 };
}

const expectedSlices = ({ segments }: EngineBlock): number[][] =>
  segments.flatMap(({ offset, slices }) =>
    Array.from({ length: slices }, (_, s) => {
      const i = offset + s * BINS;
      return [i, i + slices * BINS].flatMap((first) =>
        Array.from({ length: BINS }, (_sample, n) => first + n),
      );
    }),
  );

describe('chunks', () => {
  test('a block that fits is one upload of what the segments span', () => {
    const block = blockOf([2, 1], 3);
    const chunks = planChunks(block, BINS, 4);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.uploads).toEqual([{ from: 3, to: 0, samples: 2 * 3 * BINS + 3 }]);
    expect(chunks[0] && [...chunks[0].table]).toEqual([0, 8, 4, 12, 19, 23]);
  });

  test('any segments and any size of chunk give every slice once', () => {
    const sizes = array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
    assert(
      property(sizes, nat(5), integer({ min: 1, max: 12 }), (list, gap, chunkSlices) => {
        const block = blockOf(list, gap);
        const chunks = planChunks(block, BINS, chunkSlices);
        for (const { slices, samples } of chunks) {
          expect(slices).toBeLessThanOrEqual(chunkSlices);
          expect(samples).toBeLessThanOrEqual(2 * chunkSlices * BINS);
        }
        expect(slicesSeen(block, chunks)).toEqual(expectedSlices(block));
      }),
    );
  });
});

describe('scale', () => {
  test('what is in range keeps its exponent, and zeros have any', () => {
    expect(betterExponent(0.1, 0)).toBeUndefined();
    expect(betterExponent(2 ** -16, 0)).toBeUndefined();
    expect(betterExponent(2 ** 12, 0)).toBeUndefined();
    expect(betterExponent(0, 100)).toBeUndefined();
  });

  test('what is not gets a peak between 1 and 2, once', () => {
    for (const peak of [3e-38, 1e-30, 1e-12, 2 ** -17, 5000, 1e6, 1e30, 3.4e38]) {
      const exponent = betterExponent(peak, 0) as number;
      expect(peak * 2 ** exponent).toBeGreaterThanOrEqual(1);
      expect(peak * 2 ** exponent).toBeLessThan(4);
      expect(betterExponent(peak, exponent)).toBeUndefined();
    }
  });

  test('a peak below the normal numbers ends at the largest exponent', () => {
    expect(betterExponent(1e-44, 0)).toBe(126);
    expect(betterExponent(1e-44, 126)).toBeUndefined();
  });

  test('the level of clipping is rounded up to a float32', () => {
    const samples = Float32Array.from([0.1, 0.3, 1, 2.5]);
    const words = new Uint32Array(samples.buffer);
    for (const level of [0.1, 0.3, 0.05, 1, 2.5, 2.4999999999, 3]) {
      samples.forEach((sample, k) => {
        expect((words[k] as number) >= clipBits(level), `${sample} and ${level}`).toBe(sample >= level);
      });
    }
    expect(clipBits(Infinity)).toBe(0x7f800000);
    expect(clipBits(Number.NaN)).toBe(0x7f800000);
    expect(clipBits(0)).toBe(0);
  });
});
