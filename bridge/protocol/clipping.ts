/**
 * Clip level: where a converter's range ends, told from the samples alone. Where it clips, many samples lie at the
 * largest |x|; of noise only the largest itself does.
 */
import type { TimeSums } from './moments.ts';

/**
 * Samples this little below the largest |x| count with it: the two ends of a converter's range differ by one code
 * (−2048 and 2047 of 12 bits, 2⁻¹¹; finer converters differ by less), and scaling rounds them. Of 2·10⁷ Gaussian
 * samples the largest lies at 5.3 σ, and 5.3² · 2⁻¹⁰ = 2.7 % of another one so near to it.
 */
const CLIP_MARGIN = 2 ** -10;

/**
 * So many samples at the clip level come by chance: each sample larger than all before it is one, and among n blocks
 * that is ln n + 0.6 of them: 17 ± 4 in 10⁷ blocks, which are months.
 */
export const CLIPPED_BY_CHANCE = 32;

/** Samples with |x| at or above this are clipped, where `peak` is the largest; Infinity where all are zero. */
export const clipLevelOf = (peak: number): number => (peak > 0 ? peak * (1 - CLIP_MARGIN) : Infinity);

/** Largest |x| of both channels; 0 without samples. */
export const peakOf = ({ samples, minI, maxI, minQ, maxQ }: TimeSums): number =>
  samples === 0 ? 0 : Math.max(-minI, maxI, -minQ, maxQ);
