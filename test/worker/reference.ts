/** Moments by the definition: a DFT by its sum, in float64, and two passes over the slices. */
import type { Block } from '../../bridge/dispatch/lease.ts';

/** Power [bins] of one slice, ascending frequency. */
function power(re: Float32Array, im: Float32Array): Float64Array {
  const bins = re.length;
  return Float64Array.from({ length: bins }, (_, k) => {
    const cycles = k - bins / 2;
    let sumRe = 0;
    let sumIm = 0;
    for (let n = 0; n < bins; n++) {
      const angle = (-2 * Math.PI * ((cycles * n) % bins)) / bins;
      const [c, s, x, y] = [Math.cos(angle), Math.sin(angle), re[n] as number, im[n] as number];
      sumRe += x * c - y * s;
      sumIm += x * s + y * c;
    }
    return sumRe * sumRe + sumIm * sumIm;
  });
}

function slicePowers({ bins, segments }: Block): Float64Array[] {
  return segments.flatMap(({ value, slices }) => {
    const samples = new Float32Array(new Uint8Array(value).buffer);
    return Array.from({ length: slices }, (_, i) => {
      const q = (slices + i) * bins;
      return power(samples.subarray(i * bins, (i + 1) * bins), samples.subarray(q, q + bins));
    });
  });
}

export function dftMoments(blocks: readonly Block[]): {
  count: number;
  mean: Float64Array;
  m2: Float64Array;
} {
  const powers = blocks.flatMap(slicePowers);
  const count = powers.length;
  const [first] = powers;
  if (first === undefined) throw new Error('no slices');
  const mean = first.map((_, k) => powers.reduce((sum, p) => sum + (p[k] as number), 0) / count);
  const m2 = first.map((_, k) =>
    powers.reduce((sum, p) => sum + ((p[k] as number) - (mean[k] as number)) ** 2, 0),
  );
  return { count, mean, m2 };
}
