/**
 * Allan deviation: how long averaging a series still pays. White noise falls as 1/√τ (for a total power, as
 * 1/√(Bτ)); where it turns upwards, drift has taken over.
 *
 *   σ_A²(mτ₀) = ½ ⟨(ȳ_{k+1} − ȳ_k)²⟩  over neighbouring, disjoint averages of m values
 */

export interface AllanPoint {
  /** Values averaged. */
  readonly m: number;
  /** In the unit of the series. */
  readonly deviation: number;
  /** Differences behind it; its own relative error is about 1/√(2·differences). */
  readonly differences: number;
}

/** Fewest differences that say anything. */
const LEAST_DIFFERENCES = 3;

/** One point for m values; null where a gap-free series is too short. Averages with a NaN in them do not count. */
export function allanDeviation(series: ArrayLike<number>, m: number): AllanPoint | null {
  const groups = Math.floor(series.length / m);
  let before = Number.NaN;
  let sum = 0;
  let differences = 0;
  for (let group = 0; group < groups; group++) {
    let mean = 0;
    for (let i = 0; i < m; i++) mean += (series[group * m + i] as number) / m;
    const step = mean - before;
    if (Number.isFinite(step)) {
      sum += step * step;
      differences++;
    }
    before = mean;
  }
  if (differences < LEAST_DIFFERENCES) return null;
  return { m, deviation: Math.sqrt(sum / (2 * differences)), differences };
}

/** m = 1, 2, 4, … as far as the series reaches. */
export function allanCurve(series: ArrayLike<number>): readonly AllanPoint[] {
  const points: AllanPoint[] = [];
  for (let m = 1; ; m *= 2) {
    const point = allanDeviation(series, m);
    if (point === null) return points;
    points.push(point);
  }
}

/** Radiometer equation: relative deviation of a total power over a bandwidth and a time. */
export const idealDeviation = (bandwidthHz: number, seconds: number): number =>
  1 / Math.sqrt(bandwidthHz * seconds);
