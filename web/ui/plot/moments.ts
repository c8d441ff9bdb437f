/**
 * Annotated moments as thin labelled lines across an axis of time.
 */
import type { Annotation } from '../../../bridge/protocol/operator.ts';
import type { Palette } from './palette.ts';

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface MomentLines {
  readonly ctx: CanvasRenderingContext2D;
  /** Pixels of the canvas, as all lengths here. */
  readonly box: Box;
  readonly palette: Palette;
  readonly pixelRatio: number;
  readonly rem: number;
  readonly font: string;
  /** Time runs upwards, and lines lie; otherwise to the right, and lines stand. */
  readonly isUpwards: boolean;
  /** Pixel of a time in seconds. */
  readonly toPixel: (seconds: number) => number;
}

/** Longer texts stand at the side in full. */
const LABEL_CHARACTERS = 24;

const labelOf = (text: string): string =>
  text.length <= LABEL_CHARACTERS ? text : `${text.slice(0, LABEL_CHARACTERS - 1)}…`;

export function drawMoments(annotations: readonly Annotation[], on: MomentLines): void {
  const { ctx, box, palette, pixelRatio, font } = on;
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.width, box.height);
  ctx.clip();
  ctx.strokeStyle = palette.text;
  ctx.lineWidth = pixelRatio;
  ctx.setLineDash([2 * pixelRatio, 3 * pixelRatio]);
  ctx.font = font;
  for (const { at, text } of annotations) {
    if (at.kind !== 'moment') continue;
    const pixel = Math.round(on.toPixel(at.utcMs / 1000)) + 0.5;
    const [from, to] = on.isUpwards ? [box.top, box.top + box.height] : [box.left, box.left + box.width];
    if (pixel >= from && pixel <= to) drawMoment(pixel, labelOf(text), on);
  }
  ctx.restore();
}

function drawMoment(pixel: number, label: string, { ctx, box, palette, rem, isUpwards }: MomentLines): void {
  ctx.beginPath();
  ctx.moveTo(isUpwards ? box.left : pixel, isUpwards ? pixel : box.top);
  ctx.lineTo(isUpwards ? box.left + box.width : pixel, isUpwards ? pixel : box.top + box.height);
  ctx.stroke();
  const width = ctx.measureText(label).width + 0.4 * rem;
  const height = 1.1 * rem;
  // Within the box, also at its edges.
  const x = isUpwards ? box.left : Math.min(pixel, box.left + box.width - width);
  const y = isUpwards ? Math.min(pixel, box.top + box.height - height) : box.top;
  ctx.fillStyle = palette.missing;
  ctx.fillRect(x, y, width, height);
  ctx.fillStyle = palette.text;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.fillText(label, x + 0.2 * rem, y + height / 2);
}
