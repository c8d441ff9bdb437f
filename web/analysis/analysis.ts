/**
 * Everything that is computed from one averaged spectrum for the panels: excess, kurtosis, flagged lines.
 */
import type { SpectrumFrame, Trace } from '../../bridge/protocol/frames.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { type BaselineSettings, findExcess } from './excess.ts';
import { findLines, type FlaggedLine, type LineMemory } from './flagged.ts';
import { spectralKurtosis } from './kurtosis.ts';

export interface AnalysisSettings extends BaselineSettings {
  /** Which spectrum. */
  readonly of: Trace;
}

/** Arrays are [bins]. */
export interface Analysis {
  readonly settings: AnalysisSettings;
  readonly run: string;
  readonly file: number;
  readonly files: number;
  readonly slices: number;
  /** Window that was used, which fits the spectrum. */
  readonly window: number;
  /** As published. */
  readonly baseline: Float32Array<ArrayBuffer>;
  readonly z: Float32Array<ArrayBuffer>;
  readonly cut: Uint8Array<ArrayBuffer>;
  readonly kurtosis: Float32Array<ArrayBuffer>;
  /** R, and what it is for pure noise. */
  readonly std: number;
  readonly expectedStd: number;
  /** Of the cut, in z. */
  readonly threshold: number;
  readonly lines: readonly FlaggedLine[];
}

/** Remembers in `memory` since when each line has been there. */
export function analyse(
  spectrum: SpectrumFrame,
  settings: AnalysisSettings,
  g: Geometry,
  memory: LineMemory,
): Analysis {
  const { mean, std, slices } = spectrum;
  const excess = findExcess(mean, slices, settings);
  return {
    settings,
    run: spectrum.run,
    file: spectrum.file,
    files: spectrum.files,
    slices,
    window: excess.window,
    baseline: Float32Array.from(excess.baseline),
    z: Float32Array.from(excess.z),
    cut: Uint8Array.from(excess.cut),
    kurtosis: Float32Array.from(mean, (m, k) => spectralKurtosis(m, std[k] as number, slices)),
    std: excess.std,
    expectedStd: excess.expectedStd,
    threshold: excess.threshold,
    lines: memory.remember(findLines(spectrum, excess, g), spectrum.newestUtcMs),
  };
}
