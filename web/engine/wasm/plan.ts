/**
 * How the WebAssembly kernel cuts a transform of N = 2^a·3^b into stages, and where everything lies in memory.
 *
 * Decimation in frequency (Gentleman & Sande 1966), in place: with N = R·M,
 *
 *     y_r[j] = W_N^(j·r) · Σ_q x[j + M·q] · W_R^(q·r),   j < M, r < R;      X[r + R·k] = DFT_M(y_r)[k]
 *
 * y_r stays where x[j + M·r] was, so block r of M values is a transform of its own, and so on. The bin
 * r0 + R0·(r1 + R1·(r2 + …)) ends at position r0·M0 + r1·M1 + …: out of order, which costs nothing, because
 * only the sums per position are put in order, once per block of slices.
 *
 * Why not Stockham: its autosort needs a second buffer. Four slices of 3072 are 98 KB, so two buffers leave the
 * L1 and crowd the L2 cache; in place, everything after the first stage works on blocks of a few KB in L1.
 */
import { dftCodelet } from '../../../shaders/codelet.ts';

/** Slices transformed together, one per float32 lane of a vector. */
export const LANES = 4;

/** Bytes of one complex value of all lanes: a vector re, a vector im. */
export const COMPLEX_BYTES = 32;

export interface Stage {
  readonly radix: number;
  /** Values between two inputs of a butterfly; product of the radices that follow. */
  readonly stride: number;
  /** Byte address of W_(radix·stride)^(j·r): [stride][radix − 1] pairs cos, sin; the last stage has none. */
  readonly twiddles: number;
}

/** Byte addresses in the kernel's memory. */
export interface Layout {
  /** [4][bins] float32: I of the four slices. */
  readonly i: number;
  readonly q: number;
  /** [bins] float32: window times scale. */
  readonly window: number;
  /** [bins] complex vectors: the transform in place. */
  readonly work: number;
  /** Inputs of `tile` butterflies of the first stage, transposed: [tile][radix] complex vectors. */
  readonly tile: number;
  /** [positions] float32: power of the first slice, from which deviations are taken. */
  readonly pivot: number;
  /** [positions] float64: Σ d and Σ d², d = power − pivot. */
  readonly sum: number;
  readonly sumSquares: number;
  /** [4] vectors: min I, max I, min Q, max Q per lane. */
  readonly range: number;
  /** [5][4] float64: Σ I, Σ Q, Σ I², Σ Q², Σ I·Q per lane. */
  readonly timeSums: number;
  readonly bytes: number;
}

export interface KernelPlan {
  readonly bins: number;
  readonly stages: readonly Stage[];
  /** Butterflies of the first stage that are loaded at once: 4 where the length allows, otherwise 1. */
  readonly tile: 1 | 4;
  /** Results of one last butterfly, padded to whole vectors of four. */
  readonly rowLength: number;
  /** Number of sums per kind: bins, and the padding of the rows. */
  readonly positions: number;
  /** [bins]: where the sums of each bin are, bins in ascending frequency. */
  readonly positionOfBin: Int32Array;
  readonly layout: Layout;
}

/** In the order of preference among equals: a first stage of 8 spreads over the sets of the L1 cache. */
const RADICES = [8, 12, 9, 6, 4, 3, 2];

/** The last stage keeps powers and sums beside its butterfly: 4, where it divides, leaves registers for them. */
const LAST_RADIX = 4;

/** Vector operations per butterfly beside its codelet: a twiddle is 6 per value, loading and storing 4. */
const TWIDDLE_OPERATIONS = 6;
const MEMORY_OPERATIONS = 4;
/** Complex values in half of x64's sixteen registers; the others are spilled and reloaded. Fitted to timings. */
const VALUES_IN_REGISTERS = 4;
const SPILL_OPERATIONS = 5;

const operationsOf = new Map(
  RADICES.map((radix) => [
    radix,
    dftCodelet(radix).ops.filter(({ kind }) => kind !== 'input' && kind !== 'const').length,
  ]),
);

/** Estimated vector operations per value of one stage. */
function stageCost(radix: number, isLast: boolean): number {
  const spills = SPILL_OPERATIONS * Math.max(0, radix - VALUES_IN_REGISTERS);
  const twiddles = isLast ? 0 : TWIDDLE_OPERATIONS * (radix - 1);
  return ((operationsOf.get(radix) as number) + spills + twiddles) / radix + MEMORY_OPERATIONS;
}

/** All ordered factorisations of n into radices. */
function factorisations(n: number): number[][] {
  if (n === 1) return [[]];
  return RADICES.filter((r) => n % r === 0).flatMap((r) => factorisations(n / r).map((rest) => [r, ...rest]));
}

/**
 * The cheapest radices by count of operations. Multiples of four want tiles of four neighbours in the first
 * stage and whole vectors of bins in the last one.
 */
export function chooseRadices(bins: number): number[] {
  const cost = (radices: readonly number[]): number =>
    radices.reduce((sum, radix, s) => sum + stageCost(radix, s === radices.length - 1), 0);
  const suits = (radices: readonly number[]): boolean =>
    bins % 4 !== 0 || ((bins / (radices[0] as number)) % 4 === 0 && radices.at(-1) === LAST_RADIX);
  const candidates = factorisations(bins).filter((radices) => radices.length > 1 && suits(radices));
  const [best] = candidates.sort((a, b) => cost(a) - cost(b));
  if (!best) throw new Error(`the kernel transforms 2^a·3^b from 256 to 8192, not ${bins}`);
  return best;
}

/** Position of every bin; see the top of the file. */
function positionOfBin(bins: number, radices: readonly number[], rowLength: number): Int32Array {
  const last = radices.at(-1) as number;
  return Int32Array.from({ length: bins }, (_, shifted) => {
    let rest = (shifted - Math.floor(bins / 2) + bins) % bins;
    let stride = bins;
    let position = 0;
    for (const radix of radices) {
      stride /= radix;
      position += (rest % radix) * stride;
      rest = Math.floor(rest / radix);
    }
    return Math.floor(position / last) * rowLength + (position % last);
  });
}

/** Hands out addresses, each at a multiple of a cache line. */
class Allocator {
  bytes = 64;
  take(bytes: number): number {
    const at = this.bytes;
    this.bytes += Math.ceil(bytes / 64) * 64;
    return at;
  }
}

export function planKernel(bins: number, radices: readonly number[] = chooseRadices(bins)): KernelPlan {
  const first = radices[0] as number;
  const last = radices.at(-1) as number;
  const rowLength = Math.ceil(last / 4) * 4;
  const positions = (bins / last) * rowLength;
  const tile = (bins / first) % 4 === 0 ? 4 : 1;
  const memory = new Allocator();
  let stride = bins;
  const stages = radices.map((radix, s) => {
    stride /= radix;
    const pairs = s === radices.length - 1 ? 0 : stride * (radix - 1);
    return { radix, stride, twiddles: memory.take(8 * pairs) };
  });
  const sliceBytes = 4 * bins;
  const layout = {
    i: memory.take(LANES * sliceBytes),
    q: memory.take(LANES * sliceBytes),
    window: memory.take(sliceBytes),
    work: memory.take(bins * COMPLEX_BYTES),
    tile: memory.take(tile * first * COMPLEX_BYTES),
    pivot: memory.take(4 * positions),
    sum: memory.take(8 * positions),
    sumSquares: memory.take(8 * positions),
    range: memory.take(4 * 16),
    timeSums: memory.take(5 * LANES * 8),
    bytes: 0,
  };
  return {
    bins,
    stages,
    tile,
    rowLength,
    positions,
    positionOfBin: positionOfBin(bins, radices, rowLength),
    layout: { ...layout, bytes: memory.bytes },
  };
}

/** Twiddles of a stage as they lie in memory, each rounded once from float64. */
export function stageTwiddles({ radix, stride }: Stage): Float32Array<ArrayBuffer> {
  const table = new Float32Array(2 * stride * (radix - 1));
  for (let j = 0; j < stride; j++)
    for (let r = 1; r < radix; r++) {
      const angle = (-2 * Math.PI * j * r) / (radix * stride);
      const at = 2 * (j * (radix - 1) + r - 1);
      table[at] = Math.cos(angle);
      table[at + 1] = Math.sin(angle);
    }
  return table;
}
