/**
 * Flagged lines: runs of neighbouring cut bins, each named by its strongest, and since when each has been there.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import type { Averaged } from './display.ts';
import type { Excess } from './excess.ts';
import { spectralKurtosis } from './kurtosis.ts';

export interface Line {
  /** Strongest bin. */
  readonly bin: number;
  /** First bin cut, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  readonly z: number;
  readonly kurtosis: number;
  /** Bin at the same distance on the other side of the LO, where an I/Q imbalance puts an image; null for bin 0. */
  readonly mirrorBin: number | null;
  /** z in the mirror bin; NaN where there is none. */
  readonly mirrorZ: number;
  /** From the LO, which is where DC lies. */
  readonly offsetHz: number;
}

export interface FlaggedLine extends Line {
  /** UTC in milliseconds of the newest datum when it was first flagged. */
  readonly sinceMs: number;
}

/** Index bins/2 is the LO, so k and bins − k are images of each other; bin 0 (−fs/2) is its own. */
export const mirrorBin = (bin: number, bins: number): number | null => (bin === 0 ? null : bins - bin);

/** In ascending frequency. */
export function findLines(spectrum: Averaged, excess: Excess, g: Geometry): readonly Line[] {
  const { cut } = excess;
  const lines: Line[] = [];
  for (let from = 0; from < cut.length; from++) {
    if (cut[from] !== 1) continue;
    let to = from;
    while (cut[to] === 1) to++;
    lines.push(lineOf(spectrum, excess, g, from, to));
    from = to;
  }
  return lines;
}

function lineOf(spectrum: Averaged, { z }: Excess, g: Geometry, from: number, to: number): Line {
  let bin = from;
  for (let k = from; k < to; k++) if ((z[k] as number) > (z[bin] as number)) bin = k;
  const mirror = mirrorBin(bin, g.bins);
  return {
    bin,
    from,
    to,
    z: z[bin] as number,
    kurtosis: spectralKurtosis(spectrum.mean[bin] as number, spectrum.std[bin] as number, spectrum.slices),
    mirrorBin: mirror,
    mirrorZ: mirror === null ? Number.NaN : (z[mirror] ?? Number.NaN),
    offsetHz: (bin - Math.floor(g.bins / 2)) * binWidthHz(g),
  };
}

/** Remembers lines from one look to the next: the same line is one that overlaps where it was. */
export class LineMemory {
  #known: readonly FlaggedLine[] = [];

  /** @param utcMs of the newest datum in which these lines were found */
  remember(lines: readonly Line[], utcMs: number): readonly FlaggedLine[] {
    this.#known = lines.map((line) => {
      const before = this.#known.find((known) => known.from < line.to && line.from < known.to);
      return { ...line, sinceMs: before?.sinceMs ?? utcMs };
    });
    return this.#known;
  }

  forget(): void {
    this.#known = [];
  }
}
