/**
 * References: pictures that somebody has looked at and accepted, and what is drawn now held against them.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pixelmatch from 'pixelmatch';
import sharp, { type PngOptions } from 'sharp';
import { repository } from '../../scripts/machine.mjs';

const REFERENCES = join(repository, 'test', 'pictures', 'references');
const RESULTS = join(repository, 'test-results', 'pictures');

/** Accepts what is drawn now instead of comparing. */
export const isAccepting = process.env['UPDATE_PICTURES'] === '1';

/**
 * Difference of colour below which a pixel is the same, as a share of that of black and white: references have a
 * palette of 256 colours, which moves a colour by a few hundredths at most.
 */
const SAME_COLOUR = 0.1;

/**
 * How many pixels of any square of 32 may differ. A digit of the smallest type (10 px) inks about 12 pixels; when a
 * label moves by 4 px, those that it leaves and those that it takes differ: 24 for one digit. The edges of smoothed
 * lines, which another version of the browser may draw otherwise, are not counted by pixelmatch.
 */
const SQUARE = 32;
const MOST_PER_SQUARE = 12;

interface Raw {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

async function decode(png: Buffer | string): Promise<Raw> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

const referenceOf = (name: string): string => join(REFERENCES, `${name}.png`);

/** Most differing pixels in any square; the squares tile the picture. */
function worstSquare(mask: Uint8Array, width: number, height: number): number {
  const across = Math.ceil(width / SQUARE);
  const counts = new Uint32Array(across * Math.ceil(height / SQUARE));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (mask[4 * (y * width + x) + 3] !== 0) {
        const square = Math.floor(y / SQUARE) * across + Math.floor(x / SQUARE);
        counts[square] = (counts[square] as number) + 1;
      }
  return counts.reduce((most, count) => Math.max(most, count), 0);
}

/** From the fewest bytes to every colour: the first that passes its own comparison is kept. */
const ENCODINGS: readonly PngOptions[] = [
  { palette: true, quality: 90, dither: 0, effort: 10 },
  { palette: true, quality: 100, dither: 0, effort: 10 },
  { compressionLevel: 9 },
];

/** Writes the picture as the reference. */
export async function accept(name: string, png: Buffer): Promise<void> {
  mkdirSync(REFERENCES, { recursive: true });
  for (const encoding of ENCODINGS) {
    await sharp(png).png(encoding).toFile(referenceOf(name));
    if ((await compare(name, png)) === null) return;
  }
}

/** What is wrong with a picture. */
export interface Mismatch {
  readonly reason: string;
  /** The differing pixels as a PNG, where there is something of the same size to compare with. */
  readonly diff: Buffer | null;
}

/** Null where the picture is that of the reference. */
export async function compare(name: string, png: Buffer): Promise<Mismatch | null> {
  const reference = referenceOf(name);
  if (!existsSync(reference)) return { reason: 'there is no reference', diff: null };
  const [was, is] = await Promise.all([decode(reference), decode(png)]);
  const { width, height } = is;
  if (was.width !== width || was.height !== height)
    return { reason: `expected ${was.width} × ${was.height} pixels, found ${width} × ${height}`, diff: null };
  const mask = new Uint8Array(is.data.length);
  pixelmatch(was.data, is.data, mask, width, height, { threshold: SAME_COLOUR, diffMask: true });
  const worst = worstSquare(mask, width, height);
  if (worst <= MOST_PER_SQUARE) return null;
  return {
    reason: `${worst} pixels differ in one square of ${SQUARE} × ${SQUARE}, where ${MOST_PER_SQUARE} may`,
    diff: await sharp(mask, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer(),
  };
}

/** Puts the picture and the difference where a person finds them; says where and what to do. */
export function keep(name: string, png: Buffer, { reason, diff }: Mismatch): string {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.png`), png);
  if (diff !== null) writeFileSync(join(RESULTS, `${name}.diff.png`), diff);
  return `${name}: ${reason}; see test-results/pictures/${name}${diff === null ? '' : '.diff'}.png`;
}
