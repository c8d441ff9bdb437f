/**
 * What a file contains, as a number that does not depend on how it was cut into messages or in which order they came:
 * the CRC-32 of its I samples and that of its Q samples, folded with the number of slices into 32 bits.
 *
 * A CRC is the remainder of the bytes, taken as a polynomial over GF(2), so it is linear: the remainder of a file is
 * the sum of those of its parts, each multiplied by x to the bits that follow it. Here each is multiplied by
 * x^(−bits up to its end) instead, because the length of the file may not yet be known; x has an inverse, and order
 * 2^32 − 1, since CRC-32's polynomial is primitive. Bits are reversed as in zlib: x^0 is bit 31.
 *
 * The two halves of a message also give the CRC-32 of the whole message, so no byte is read twice.
 */
import { crc32 } from 'node:zlib';

const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;
const ORDER = 2 ** 32 - 1;
const ALL_BITS = 0xffffffff;

/** a · b modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = ONE, shifted = b; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(2^k). */
const SQUARES: number[] = [ONE >>> 1];
for (let k = 1; k < 32; k++) SQUARES.push(multiply(SQUARES[k - 1] as number, SQUARES[k - 1] as number));

/** Powers of x that were asked for: one for each slice of a file. More come only from nonsense. */
const powers = new Map<number, number>();
const POWERS_KEPT = 65_536;

/** x^(8 · bytes); negative: of the inverse. */
function powerOfBytes(bytes: number): number {
  const known = powers.get(bytes);
  if (known !== undefined) return known;
  const exponent = ((bytes % ORDER) * 8) % ORDER;
  let power = ONE;
  let rest = exponent < 0 ? exponent + ORDER : exponent;
  for (let k = 0; rest > 0; k++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, SQUARES[k] as number);
  }
  if (powers.size >= POWERS_KEPT) powers.clear();
  powers.set(bytes, power);
  return power;
}

/** Remainder of bytes without CRC-32's initial and final inversion, which would not be linear. */
const remainder = (bytes: Uint8Array): number => (crc32(bytes, ALL_BITS) ^ ALL_BITS) >>> 0;

/** Checksums of a message. */
export interface MessageChecksums {
  /** CRC-32 of the value. */
  readonly crc32: number;
  /** Remainders of its I half and its Q half. */
  readonly i: number;
  readonly q: number;
}

/** @param value all I, then as many bytes of Q */
export function checksumsOf(value: Uint8Array): MessageChecksums {
  const half = value.length / 2;
  const i = remainder(value.subarray(0, half));
  const q = remainder(value.subarray(half));
  const whole = multiply(powerOfBytes(half), i) ^ q;
  const inverted = multiply(powerOfBytes(value.length), ALL_BITS) ^ ALL_BITS;
  return { crc32: (whole ^ inverted) >>> 0, i, q };
}

/** Sums up a file from parts in any order. */
export class ContentSum {
  readonly #channelBytes: number;
  #i = 0;
  #q = 0;

  /** @param bins samples per slice */
  constructor(bins: number) {
    this.#channelBytes = 4 * bins;
  }

  /** Each slice once. @param end slice behind the part's last one */
  add(end: number, { i, q }: Pick<MessageChecksums, 'i' | 'q'>): void {
    const power = powerOfBytes(-end * this.#channelBytes);
    this.#i ^= multiply(power, i);
    this.#q ^= multiply(power, q);
  }

  /** 32 bits: that other content has the same one happens once in 4 · 10⁹ files. */
  fold(slices: number): number {
    return crc32(new Uint8Array(Uint32Array.of(slices, this.#i, this.#q).buffer));
  }
}

/** Odd, so that every index gives another sum; 2^32 over the golden ratio, so that indices lie far apart. */
const INDEX_FACTOR = 0x9e3779b1;

/** What a message is: with its index, so that a shorter one is not taken for the last of a file that was cut otherwise. */
export const messageDigest = (message: {
  readonly index: number;
  readonly checksums: MessageChecksums;
}): number => (message.checksums.crc32 + Math.imul(message.index, INDEX_FACTOR)) >>> 0;
