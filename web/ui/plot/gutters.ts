/**
 * Room beside the plots, the same for all that share the frequency axis, in whole pixels: only so do their columns
 * lie above each other.
 */

export interface Gutters {
  /** For ticks and the title of the vertical axis. */
  readonly left: number;
  readonly label: number;
  /** For histogram, colour bar and conditions. */
  readonly right: number;
}

const LEFT_REM = 5.7;
const LABEL_REM = 1.8;
const RIGHT_REM = 6.6;

export const gutters = (remPixels: number): Gutters => ({
  left: Math.round(LEFT_REM * remPixels),
  label: Math.round(LABEL_REM * remPixels),
  right: Math.round(RIGHT_REM * remPixels),
});

/** The root font size in CSS pixels. */
export const remPixels = (): number => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
