import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSupportedLength } from '../../bridge/protocol/geometry.ts';
import {
  addBlock,
  type BlockMoments,
  emptyMoments,
  type SpectrumMoments,
} from '../../bridge/protocol/moments.ts';
import type { CpuCore } from '../../web/engine/cpu-core.ts';
import { createCore } from '../../web/engine/cpu-cores.ts';
import { EngineError, type Segment } from '../../web/engine/engine.ts';
import { type WindowName, windowCoefficients } from '../../bridge/protocol/window.ts';
import { addTone, gaussian, SHORT_BLOCK_TOLERANCE, shortBlockProblems } from './accuracy.ts';
import { referenceMoments } from './reference.ts';

const LENGTHS = Array.from({ length: 8193 }, (_, n) => n).filter(isSupportedLength);
const WINDOWS: readonly WindowName[] = ['none', 'hann', 'blackman-harris', 'flat-top'];

const trueScale = (bins: number, block: BlockMoments): SpectrumMoments => {
  const total = emptyMoments(bins);
  addBlock(total, block);
  return total;
};

/** Segments one after the other, with a gap of 3 samples before each, in the order of `slices`. */
function layOut(slices: readonly number[], bins: number): { segments: Segment[]; length: number } {
  let length = 0;
  const segments = slices.map((count) => {
    const offset = length + 3;
    length = offset + 2 * count * bins;
    return { offset, slices: count };
  });
  return { segments, length };
}

describe.each(['wasm', 'ts'] as const)('%s', (kind) => {
  const cores = new Map<string, Promise<CpuCore>>();
  const coreFor = (bins: number, window: WindowName = 'none'): Promise<CpuCore> => {
    const key = `${bins} ${window}`;
    const made = cores.get(key) ?? createCore(kind, { bins, window });
    cores.set(key, made);
    return made;
  };

  async function problems(
    samples: Float32Array<ArrayBuffer>,
    segments: readonly Segment[],
    bins: number,
    { window = 'none', clipLevel = Infinity }: { window?: WindowName; clipLevel?: number } = {},
  ): Promise<string[]> {
    const core = await coreFor(bins, window);
    const found = trueScale(bins, core.process({ samples, segments, clipLevel }));
    const coefficients = window === 'none' ? undefined : windowCoefficients(window, bins);
    return shortBlockProblems(
      found,
      referenceMoments(samples, segments, { bins, window: coefficients, clipLevel }),
    );
  }

  test.each(LENGTHS)('%d bins', async (bins) => {
    const samples = gaussian(2 * 6 * bins, bins, 0.2);
    addTone(samples, bins, 5.3, 0.5);
    expect(await problems(samples, [{ offset: 0, slices: 6 }], bins, { clipLevel: 0.7 })).toEqual([]);
  });

  test.each(WINDOWS)('window %s', async (window) => {
    for (const bins of [256, 486, 729, 3072]) {
      const samples = gaussian(2 * 9 * bins, 4, 0.2);
      addTone(samples, bins, -20.5, 3);
      expect(await problems(samples, [{ offset: 0, slices: 9 }], bins, { window })).toEqual([]);
    }
  });

  test.each([1, 2, 3, 4, 5, 159, 160, 161])('blocks of %d slices', async (slices) => {
    const samples = gaussian(2 * slices * 256, slices, 0.1);
    expect(await problems(samples, [{ offset: 0, slices }], 256)).toEqual([]);
  });

  test('one slice has no spread at all', async () => {
    const core = await coreFor(3072);
    const block = { samples: gaussian(6144, 1), segments: [{ offset: 0, slices: 1 }], clipLevel: Infinity };
    expect(core.process(block).m2.every((x) => x === 0)).toBe(true);
  });

  test('segments of odd sizes, in any order, with gaps that are not read', async () => {
    for (const slices of [
      [1, 1, 1],
      [3, 40, 1, 5],
      [40, 40, 40, 11],
      [2, 7],
    ]) {
      const { segments, length } = layOut(slices, 384);
      const samples = gaussian(length, 8, 0.1);
      for (const { offset } of segments) samples.fill(Number.NaN, offset - 3, offset);
      expect(await problems(samples, segments, 384)).toEqual([]);
      expect(await problems(samples, segments.toReversed(), 384)).toEqual([]);
    }
  });

  test.each([1e-44, 1e-38, 1e-30, 1e-12, 1e-7, 1e-3, 1, 1e3, 1e6, 1e15, 1e30, 1e37])(
    'noise of %f V keeps its digits',
    async (sigma) => {
      const samples = gaussian(2 * 7 * 768, 2, sigma);
      expect(await problems(samples, [{ offset: 0, slices: 7 }], 768)).toEqual([]);
    },
  );

  test('a scale that the first slice did not announce', async () => {
    for (const [first, rest] of [
      [0, 1e-9],
      [1e-12, 1e9],
      [1e9, 1e-3],
    ] as const) {
      const samples = gaussian(2 * 5 * 256, 2, rest);
      for (const at of [0, 5 * 256])
        for (let t = 0; t < 256; t++) samples[at + t] = ((samples[at + t] as number) / rest) * first;
      expect(await problems(samples, [{ offset: 0, slices: 5 }], 256)).toEqual([]);
    }
  });

  test('zeros give zeros', async () => {
    const core = await coreFor(512);
    const block = { samples: new Float32Array(4096), segments: [{ offset: 0, slices: 4 }], clipLevel: 1 };
    const { count, scaleExponent, mean, m2, time } = core.process(block);
    expect([count, scaleExponent]).toEqual([4, 0]);
    expect([...mean, ...m2].every((x) => x === 0)).toBe(true);
    expect(time).toMatchObject({ samples: 2048, minI: 0, maxQ: 0, clipped: 0, sumII: 0 });
  });

  test('NaN and Inf are found wherever they are, by channel, slice and segment', async () => {
    const core = await coreFor(384);
    const { segments, length } = layOut([4, 3, 1], 384);
    const clean = gaussian(length, 3);
    for (const bad of [Number.NaN, Infinity, -Infinity])
      for (const [index, { offset, slices }] of segments.entries())
        for (const channel of [0, 1])
          for (const slice of new Set([0, slices - 1]))
            for (const at of [0, 1, 3, 191, 380, 383]) {
              const samples = clean.slice();
              samples[offset + (channel * slices + slice) * 384 + at] = bad;
              const where = `sample ${at} of ${channel === 0 ? 'I' : 'Q'} in slice ${slice} of segment ${index} is ${bad}`;
              const run = () => core.process({ samples, segments, clipLevel: 1 });
              expect(run).toThrow(EngineError);
              expect(run).toThrow(where);
            }
    expect(core.process({ samples: clean, segments, clipLevel: 1 }).count).toBe(8);
  });

  test('clipping counts |x| ≥ level exactly', async () => {
    const samples = gaussian(2 * 5 * 256, 9, 0.3);
    samples.set([1, -1, 0.5, -0.5], 700);
    const segments = [{ offset: 0, slices: 5 }];
    for (const clipLevel of [1, 0.5, 0.1, 1e-9, 0, Infinity, 1 + 1e-12])
      expect(await problems(samples, segments, 256, { clipLevel })).toEqual([]);
  });

  test.each([
    [[{ offset: 0, slices: 3 }]],
    [[{ offset: 1, slices: 2 }]],
    [[{ offset: -1, slices: 1 }]],
    [[{ offset: 0.5, slices: 1 }]],
    [[{ offset: 0, slices: 0 }]],
    [[]],
  ])('segments that do not fit are refused: %j', async (segments) => {
    const core = await coreFor(256);
    const block = { samples: new Float32Array(1024), segments, clipLevel: Infinity };
    expect(() => core.process(block)).toThrow(expect.objectContaining({ code: 'bad-block' }));
  });

  describe('properties', () => {
    const bins = 768;
    const slices = 5;
    const segments = [{ offset: 0, slices }];
    /** Seeds, so that a counterexample is a number and not an array. */
    const seeds = fc.integer({ min: 1, max: 1e9 });
    const noise = (seed: number) => gaussian(2 * slices * bins, seed);
    const run = async (samples: Float32Array<ArrayBuffer>) =>
      trueScale(bins, (await coreFor(bins)).process({ samples, segments, clipLevel: Infinity }));
    /** Bins in which two spectra differ by more than two answers may. */
    const differences = (a: Float64Array, b: Float64Array): number[] => {
      const average = b.reduce((x, y) => x + y, 0) / bins;
      const tolerance = 2 * SHORT_BLOCK_TOLERANCE.mean;
      return [...a.keys()].filter((k) => {
        const other = b[k] as number;
        return !(Math.abs((a[k] as number) - other) <= tolerance * (other + average));
      });
    };
    /** The spectrum with bin k where bin `from(k)` was. */
    const moved = (mean: Float64Array, from: (k: number) => number): Float64Array =>
      mean.map((_, k) => mean[(from(k) + bins) % bins] as number);
    /** Applies `f` to every slice of either channel. */
    const bySlice = (
      samples: Float32Array,
      f: (slice: Float32Array) => Float32Array,
    ): Float32Array<ArrayBuffer> => {
      const out = new Float32Array(samples.length);
      for (let at = 0; at < samples.length; at += bins) out.set(f(samples.subarray(at, at + bins)), at);
      return out;
    };

    test('a circular shift in time leaves the power as it is', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, fc.integer({ min: 1, max: bins - 1 }), async (seed, by) => {
          const samples = noise(seed);
          const shifted = bySlice(samples, (x) => Float32Array.of(...x.subarray(by), ...x.subarray(0, by)));
          expect(differences((await run(shifted)).mean, (await run(samples)).mean)).toEqual([]);
        }),
        { numRuns: 15 },
      );
    });

    test('a shift by k bins in frequency moves the spectrum', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, fc.constantFrom(192, 384, 576), async (seed, by) => {
          const samples = noise(seed);
          // Multiples of bins/4 turn by exact quarter turns: no rounding of the input.
          const half = samples.length / 2;
          const turned = samples.slice();
          for (let t = 0; t < half; t++) {
            const [a, b] = [samples[t] as number, samples[half + t] as number];
            const quarter = ((by / 192) * t) % 4;
            const [re, im] = [
              [a, b],
              [-b, a],
              [-a, -b],
              [b, -a],
            ][quarter] as [number, number];
            turned[t] = re;
            turned[half + t] = im;
          }
          const back = moved((await run(turned)).mean, (k) => k + by);
          expect(differences(back, (await run(samples)).mean)).toEqual([]);
        }),
        { numRuns: 15 },
      );
    });

    test('swapping I and Q mirrors the spectrum; so real input has a symmetric one', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
          const samples = noise(seed);
          const half = samples.length / 2;
          const swapped = Float32Array.of(...samples.subarray(half), ...samples.subarray(0, half));
          const mirrored = moved((await run(swapped)).mean, (k) => -k);
          expect(differences(mirrored, (await run(samples)).mean)).toEqual([]);
          const real = (await run(samples.slice().fill(0, half))).mean;
          const realMirrored = moved(real, (k) => -k);
          expect(differences(realMirrored, real)).toEqual([]);
        }),
        { numRuns: 10 },
      );
    });

    test('power is homogeneous: twice the voltage, four times the power, digit for digit', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, fc.integer({ min: -20, max: 20 }), async (seed, e) => {
          const samples = noise(seed);
          const scaled = await run(samples.map((x) => x * 2 ** e));
          const plain = await run(samples);
          expect(scaled.mean).toEqual(plain.mean.map((p) => p * 4 ** e));
        }),
        { numRuns: 10 },
      );
    });

    test('parallelogram law, the linearity that power can show: |a+b|² + |a−b|² = 2|a|² + 2|b|²', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, seeds, async (seedA, seedB) => {
          const [a, b] = [noise(seedA), noise(seedB)];
          const spectra = [
            a.map((x, t) => x + (b[t] as number)),
            a.map((x, t) => x - (b[t] as number)),
            a,
            b,
          ];
          const [sum, difference, pa, pb] = (await Promise.all(spectra.map(run))).map(({ mean }) => mean) as [
            Float64Array,
            Float64Array,
            Float64Array,
            Float64Array,
          ];
          const left = sum.map((p, k) => p + (difference[k] as number));
          const right = pa.map((p, k) => 2 * (p + (pb[k] as number)));
          expect(differences(left, right)).toEqual([]);
        }),
        { numRuns: 10 },
      );
    });

    test('Parseval: the mean power of all bins is bins · Σ|x|² per slice', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
          const samples = noise(seed);
          const found = await run(samples);
          const inBins = found.mean.reduce((a, b) => a + b, 0);
          const inTime = (bins * samples.reduce((sum, x) => sum + x * x, 0)) / slices;
          expect(Math.abs(inBins / inTime - 1)).toBeLessThan(SHORT_BLOCK_TOLERANCE.mean);
        }),
        { numRuns: 15 },
      );
    });

    test('the order of slices does not matter', async () => {
      await fc.assert(
        fc.asyncProperty(
          seeds,
          fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
          async (seed, order) => {
            const samples = noise(seed);
            const half = samples.length / 2;
            const shuffled = samples.slice();
            order.forEach((from, to) => {
              for (const channel of [0, half])
                shuffled.set(
                  samples.subarray(channel + from * bins, channel + (from + 1) * bins),
                  channel + to * bins,
                );
            });
            const [a, b] = [await run(shuffled), await run(samples)];
            expect(differences(a.mean, b.mean)).toEqual([]);
            expect(differences(a.m2.map(Math.sqrt), b.m2.map(Math.sqrt))).toEqual([]);
          },
        ),
        { numRuns: 10 },
      );
    });
  });
});
