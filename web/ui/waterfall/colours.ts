/**
 * Viridis as a table for canvases: brightness rises evenly, and the colour-blind read it too.
 */
/** Written in by the build, and by the configuration of the tests. */
// oxlint-disable-next-line no-underscore-dangle -- a name that nothing else can have
declare const __VIRIDIS__: string;

/** [256] dark to bright, six hexadecimal digits each. */
const HEX: readonly string[] = __VIRIDIS__.match(/.{6}/g) ?? [];

/** [256] colours as the bytes R, G, B, A lie in an ImageData on a little-endian machine. */
export const VIRIDIS: Uint32Array = Uint32Array.from(HEX, (hex) => {
  const value = Number.parseInt(hex, 16);
  return ((255 << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
});

/** CSS colour of a share from 0 to 1. */
export const viridisCss = (share: number): string =>
  `#${HEX[Math.min(HEX.length - 1, Math.max(0, Math.floor(share * HEX.length)))]}`;
