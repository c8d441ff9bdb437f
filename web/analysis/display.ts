/**
 * A spectrum as it is drawn: mean and band edges in the chosen unit and scale, in arrays that are reused.
 *
 * Averages stay linear; decibels are taken last, of the mean and of the band's edges. (Averaging decibels would
 * read 2.5 dB low on noise.)
 */
import { type BandKind, bandFactor, errorOfMean } from './bands.ts';
import { type PowerScale, type PowerUnit, powerFactor, toDecibel } from './power.ts';

/** Mean and sample std per bin as published, [bins], and n. */
export interface Averaged {
  readonly slices: number;
  readonly mean: ArrayLike<number>;
  readonly std: ArrayLike<number>;
  /** [bins] error of the mean that comes from a reference, added in quadrature; none where absent. */
  readonly referenceError?: ArrayLike<number>;
  /** [bins] the largest of what a mean stands for; then the band reaches from the mean to it. */
  readonly largest?: ArrayLike<number>;
}

export interface DisplayChoice {
  readonly unit: PowerUnit;
  readonly scale: PowerScale;
  readonly band: BandKind;
}

/**
 * [bins] each. NaN in `mean` is a gap; NaN in an edge is a band that does not exist there. In decibels an edge at
 * or below zero power is −Infinity.
 */
export interface DisplayArrays {
  readonly mean: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export const displayArrays = (bins: number): DisplayArrays => ({
  mean: new Float64Array(bins).fill(Number.NaN),
  low: new Float64Array(bins).fill(Number.NaN),
  high: new Float64Array(bins).fill(Number.NaN),
});

/** Fills `out` in place; arrays of different length are a programming error. */
export function fillDisplay(out: DisplayArrays, spectrum: Averaged, choice: DisplayChoice): void {
  const bins = out.mean.length;
  if (spectrum.mean.length !== bins || spectrum.std.length !== bins)
    throw new RangeError(`a display of ${bins} bins cannot show a spectrum of ${spectrum.mean.length}`);
  const power = powerFactor(choice.unit);
  const halfWidth = choice.band === 'none' ? Number.NaN : bandFactor(choice.band, spectrum.slices) * power;
  const isDb = choice.scale === 'db';
  const shared = choice.band === 'error' ? spectrum.referenceError : undefined;
  const { largest } = spectrum;
  for (let k = 0; k < bins; k++) {
    const mean = (spectrum.mean[k] as number) * power;
    const own = (spectrum.std[k] as number) * halfWidth;
    const half = shared === undefined ? own : Math.hypot(own, (shared[k] as number) * power);
    out.mean[k] = isDb ? toDecibel(mean) : mean;
    const low = largest === undefined ? mean - half : mean;
    const high = largest === undefined ? mean + half : (largest[k] as number) * power;
    out.low[k] = isDb ? toDecibel(low) : low;
    out.high[k] = isDb ? toDecibel(high) : high;
  }
}

/** Bins looked at for a typical error: enough for a median, few enough to cost nothing. */
const SAMPLED_BINS = 63;

/**
 * Typical error of the mean per bin in the unit and scale shown: the median over some bins, which no line moves.
 * 0 where a single slice has none. In decibels σ_dB = 10/ln 10 · σ/m.
 */
export function typicalError(spectrum: Averaged, { unit, scale }: DisplayChoice): number {
  const stride = Math.max(1, Math.floor(spectrum.mean.length / SAMPLED_BINS));
  const errors: number[] = [];
  for (let k = 0; k < spectrum.mean.length; k += stride) {
    const error = errorOfMean(spectrum.std[k] as number, spectrum.slices);
    const shown =
      scale === 'db' ? ((10 / Math.LN10) * error) / (spectrum.mean[k] as number) : error * powerFactor(unit);
    if (Number.isFinite(shown)) errors.push(shown);
  }
  return errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)] ?? 0;
}
