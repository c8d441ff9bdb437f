/** Sums and recordings as spectra for the panels, and those of the last files, to be looked at again. */
import { exportedPowerScale } from '../../../bridge/protocol/exports.ts';
import type { SpectrumFrame } from '../../../bridge/protocol/frames.ts';
import { type SpectrumMoments, sampleStd } from '../../../bridge/protocol/moments.ts';
import { windowFigures } from '../../../bridge/protocol/window.ts';
import type { Common } from './intake.ts';

/** [bins] normalised as published. */
export function spectrumOf(
  moments: SpectrumMoments,
  { run, geometry, window }: Common,
  what: Pick<SpectrumFrame, 'trace' | 'file' | 'files' | 'slicesExpected' | 'newestUtcMs'>,
): SpectrumFrame {
  const scale = exportedPowerScale(geometry, windowFigures(window));
  return {
    ...what,
    run,
    sequence: 0,
    slices: moments.count,
    time: { ...moments.time },
    mean: Float32Array.from(moments.mean, (value) => value * scale),
    std: Float32Array.from(moments.mean, (_, k) => sampleStd(moments, k) * scale),
  };
}

/** 24 KB each at 3072 bins. */
const SHELF_BYTES = 48 * 1024 * 1024;

/** Spectra of files by path; those that were put there first go first. */
export class Shelf {
  readonly #spectra = new Map<string, SpectrumFrame>();
  #bytes = 0;

  put(path: string, spectrum: SpectrumFrame): void {
    this.#spectra.set(path, spectrum);
    this.#bytes += bytesOf(spectrum);
    for (const [oldest, { mean, std }] of this.#spectra) {
      if (this.#bytes <= SHELF_BYTES) break;
      this.#spectra.delete(oldest);
      this.#bytes -= mean.byteLength + std.byteLength;
    }
  }

  get(path: string): SpectrumFrame | undefined {
    return this.#spectra.get(path);
  }
}

const bytesOf = ({ mean, std }: SpectrumFrame): number => mean.byteLength + std.byteLength;
