/** What the merge kernel must give, in float64: moments of the union, in ascending frequency. */

export interface MergeTwinPartial {
  readonly slices: number;
  /** [bins] in the order of the FFT. */
  readonly mean: ArrayLike<number>;
  readonly m2: ArrayLike<number>;
}

export interface MergeTwinResult {
  /** [bins], ascending frequency. */
  readonly mean: Float64Array;
  readonly m2: Float64Array;
}

/** Mean and second moment about zero add up; M2 = Σ(M2_g + n_g·mean_g²) − n·mean². */
export function mergeTwin(bins: number, partials: readonly MergeTwinPartial[]): MergeTwinResult {
  const mean = new Float64Array(bins);
  const m2 = new Float64Array(bins);
  const n = partials.reduce((sum, p) => sum + p.slices, 0);
  for (let k = 0; k < bins; k++) {
    const total = partials.reduce((sum, p) => sum + p.slices * (p.mean[k] as number), 0);
    const about0 = partials.reduce(
      (sum, p) => sum + (p.m2[k] as number) + p.slices * (p.mean[k] as number) ** 2,
      0,
    );
    const to = k < bins / 2 ? k + bins / 2 : k - bins / 2;
    mean[to] = total / n;
    m2[to] = about0 - total ** 2 / n;
  }
  return { mean, m2 };
}
