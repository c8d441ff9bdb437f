/**
 * Colours of the canvas, read from the style sheet: one place for both themes.
 */
import type { Trace } from '../../../bridge/protocol/frames.ts';

export interface Palette {
  readonly trace: Readonly<Record<Trace, string>>;
  readonly band: Readonly<Record<Trace, string>>;
  /** Of the sample std, whose bands cover each other. */
  readonly wideBand: Readonly<Record<Trace, string>>;
  readonly text: string;
  readonly grid: string;
  readonly axis: string;
  readonly lo: string;
  readonly offScale: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    trace: { run: of('--trace-run'), latest: of('--trace-latest'), progress: of('--trace-progress') },
    band: { run: of('--band-run'), latest: of('--band-latest'), progress: of('--band-progress') },
    wideBand: { run: of('--wide-run'), latest: of('--wide-latest'), progress: of('--wide-progress') },
    text: of('--text-2'),
    grid: of('--grid'),
    axis: of('--axis'),
    lo: of('--lo'),
    offScale: of('--text-1'),
  };
}
