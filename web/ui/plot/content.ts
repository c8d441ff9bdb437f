/**
 * What a plot over frequency shows: the part in which spectrum, excess, kurtosis and waterfall differ. Everything
 * else (axes, zoom, cursor, redraws) is the same for all and lives in `FrequencyPlot`.
 */
import type { Geometry } from '../../../bridge/protocol/geometry.ts';
import type { Range } from '../../analysis/range.ts';
import type { Palette } from './palette.ts';
import type { Projection } from './strokes.ts';

/** What is in view, before anything is drawn. */
export interface Scope {
  readonly geometry: Geometry;
  /** Offsets from the LO in hertz. */
  readonly x: Range;
  /** Bins within it, `to` exclusive. */
  readonly from: number;
  readonly to: number;
}

/** A canvas to draw on. Pixels of the canvas. */
export interface Canvas {
  readonly ctx: CanvasRenderingContext2D;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly projection: Projection;
  readonly palette: Palette;
  /** Pixels of the canvas in 1 rem, and in one CSS pixel. */
  readonly rem: number;
  readonly pixelRatio: number;
  /** Of small text. */
  readonly font: string;
  /** Free room at the right of the plot. */
  readonly right: number;
}

/** An array that the cursor marks with a dot. */
export interface Marked {
  readonly values: Float64Array;
  readonly colour: (palette: Palette) => string;
}

export interface Content {
  /** Reads every signal after whose change the plot is drawn anew. */
  follow(): void;
  /** Makes ready what is drawn. */
  prepare(scope: Scope): void;
  /** Vertical range, after `prepare`. */
  y(): Range;
  yTitle(): string;
  yTicks(ticks: readonly number[], increment: number): string[];
  /** Distances of ticks to choose from; uPlot's own (1, 2, 5) where absent. */
  readonly yIncrements?: number[];
  /** Values that decide to which of the bins under a pixel the cursor snaps: the largest. Null: to the nearest. */
  peaks(): ArrayLike<number> | null;
  /** At most two, the same number always. */
  marked(): readonly (Marked | null)[];
  draw(canvas: Canvas): void;
  /** A person zooms the height; null: back to what follows from the data. */
  setY(range: Range | null): void;
  /** The cursor is at this value of the vertical axis, or gone. */
  hover?(value: number | null): void;
}
