/**
 * Colours of the canvas, read from the style sheet: one place for both themes.
 */
import type { LineName } from '../model/view.ts';

export interface Palette {
  readonly trace: Readonly<Record<LineName, string>>;
  readonly band: Readonly<Record<LineName, string>>;
  /** Of the sample std, whose bands cover each other. */
  readonly wideBand: Readonly<Record<LineName, string>>;
  readonly text: string;
  readonly grid: string;
  readonly axis: string;
  readonly lo: string;
  /** Cut and flagged bins. */
  readonly flag: string;
  /** Threshold lines. */
  readonly threshold: string;
  /** Where nothing was measured. */
  readonly missing: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const perLine = (kind: string): Record<LineName, string> => ({
    run: of(`--${kind}-run`),
    latest: of(`--${kind}-latest`),
    progress: of(`--${kind}-progress`),
    peak: of(`--${kind}-peak`),
    least: of(`--${kind}-least`),
    reference: of(`--${kind}-reference`),
  });
  return {
    trace: perLine('trace'),
    band: perLine('band'),
    wideBand: perLine('wide'),
    text: of('--text-2'),
    grid: of('--grid'),
    axis: of('--axis'),
    lo: of('--lo'),
    flag: of('--flag'),
    threshold: of('--threshold'),
    missing: of('--missing'),
  };
}
