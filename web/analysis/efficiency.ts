/**
 * What a baseline leaves of an axion: the matched filter's signal-to-noise ratio after the baseline has been taken
 * off, as a share of that without one.
 *
 * Taking a Savitzky–Golay baseline off is the filter H = 1 − h. A line s becomes H s, white noise gets the
 * covariance σ² H Hᵀ, and a filter matched to s then sees s·Hs / (σ |Hᵀs|) instead of |s| / σ.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import { centreWeights } from './savitzky-golay.ts';

const LIGHT_SPEED = 299_792_458;
/** Speeds in the galactic halo, m/s: of the distribution, and of the Earth through it. */
const HALO_SPEED = 220e3;
const EARTH_SPEED = 232e3;
/** Points at which the line is sampled within a bin. */
const POINTS_PER_BIN = 32;
/** Speeds beyond this multiple of the halo's have no weight (exp(−9) times). */
const FASTEST = 4;

/**
 * Maxwell–Boltzmann line seen from the laboratory, mean over each bin from the rest frequency upwards, sum 1
 * (Turner, Phys. Rev. D 42, 3572, 1990): f(ν) ∝ exp(−(v² + v_E²)/v₀²) · sinh(2 v v_E/v₀²), ν = ν_a (1 + v²/2c²).
 */
export function axionLine(restHz: number, widthHz: number): Float64Array {
  const longest = (restHz * (FASTEST * HALO_SPEED) ** 2) / (2 * LIGHT_SPEED ** 2);
  const line = new Float64Array(Math.max(1, Math.ceil(longest / widthHz)));
  for (let k = 0; k < line.length; k++)
    for (let i = 0; i < POINTS_PER_BIN; i++) {
      const excess = (k + (i + 0.5) / POINTS_PER_BIN) * widthHz;
      const speed = LIGHT_SPEED * Math.sqrt((2 * excess) / restHz);
      const weight =
        Math.exp(-(speed ** 2 + EARTH_SPEED ** 2) / HALO_SPEED ** 2) *
        Math.sinh((2 * speed * EARTH_SPEED) / HALO_SPEED ** 2);
      line[k] = (line[k] as number) + weight;
    }
  const sum = line.reduce((total, value) => total + value, 0);
  return line.map((value) => value / sum);
}

/** Share of a line's signal-to-noise ratio that is left, 0 to 1; 0.79 for 201 bins and degree 4 at 10.35 GHz. */
export function matchedFilterEfficiency(g: Geometry, window: number, degree: number): number {
  const line = axionLine(g.loHz, binWidthHz(g));
  const weights = centreWeights(window, degree);
  const half = (weights.length - 1) / 2;
  let signal = 0;
  let noise = 0;
  for (let k = -half; k < line.length + half; k++) {
    let smooth = 0;
    const last = Math.min(line.length - 1, k + half);
    for (let i = Math.max(0, k - half); i <= last; i++)
      smooth += (line[i] as number) * (weights[i - k + half] as number);
    const here = line[k] ?? 0;
    signal += here * (here - smooth);
    noise += (here - smooth) ** 2;
  }
  const norm = Math.sqrt(line.reduce((sum, value) => sum + value * value, 0));
  return signal / (Math.sqrt(noise) * norm);
}

/**
 * Standard deviation of the normalised excess of pure noise against its own fitted baseline, away from the ends:
 * √(1 − h₀) with the centre weight h₀, 225/(64 W) for degree 4 and W bins.
 */
export function expectedExcessStd(window: number, degree: number): number {
  const weights = centreWeights(window, degree);
  return Math.sqrt(1 - (weights[(weights.length - 1) / 2] as number));
}
