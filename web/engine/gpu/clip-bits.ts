/** The level of clipping as the kernel compares it: by the bits of |sample|, which order as the numbers do. */

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** Bits of the smallest float32 that is no less than `level`; samples whose bits reach them are clipped. */
export function clipBits(level: number): number {
  if (!(level > 0)) return Number.isNaN(level) ? 0x7f80_0000 : 0;
  word[0] = level;
  const rounded = bits[0] as number;
  return Math.fround(level) < level ? rounded + 1 : rounded;
}
