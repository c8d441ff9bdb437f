/**
 * Exchange between two stages: where in workgroup memory word a of N lies, so that no bank is asked twice.
 *
 * Memory has 32 banks, and 32 neighbouring threads t go to it at once. After a stage of radix R and span L they
 *
 *     write  a = ⌊t/L⌋·L·R + t mod L + k·L      k = 0 … R−1
 *     read   a = t + r·B                        B butterflies in the next stage
 *
 * Padded (all lengths but 4096): the first exchange, L = 1, lies at a + ⌊a/32⌋; the second, after which B = L·R, at
 * a + L·⌊a/(L·R)⌋. Both come to a base that depends on t alone plus a constant per k or r, so an access costs no
 * arithmetic, and both are free of conflicts.
 *
 * Compilers clamp every index that they cannot prove to lie inside of the array. They know that t is below the number
 * of threads, but not what an enclosing `if` says: hence `u`, which is t, and seen to be below the number of
 * butterflies.
 *
 * Swizzled (4096, which fills the 16 KiB that every device has, with no room for padding): a ⊕ (⌊a/16⌋ mod 32), which
 * permutes within 32 words.
 */
import type { SpectrumPlan, Stage } from './plan.ts';

/** Workgroup memory that every WebGPU device has without asking, in words of 4 bytes. */
const MOST_WORDS = 4096;
const BANKS = 32;

export interface Exchange {
  /** Words of workgroup memory that it takes. */
  readonly words: number;
  /** Where word a lies. */
  readonly place: (a: number) => number;
  /** WGSL: declarations of what the thread's accesses share, and the index of its output k. */
  readonly writeBase: string;
  readonly write: (k: number) => string;
  /** The same for its input r. */
  readonly readBase: string;
  readonly read: (r: number) => string;
}

/** WGSL of the swizzled layout; only the text for 4096 bins calls it. */
export const SWIZZLE = `\
// Where word a of the exchange lies.
fn place(a: u32) -> u32 {
  return a ^ ((a >> 4u) & 31u);
}`;

/** The thread that writes, with its bound in sight. */
const writer = ({ butterflies }: Stage): string => `let u = min(t, ${butterflies - 1}u);`;

function swizzled(bins: number, from: Stage, to: Stage): Exchange {
  const { radix, span } = from;
  return {
    words: bins,
    place: (a) => a ^ ((a >> 4) & 31),
    writeBase:
      span === 1
        ? `let first = t * ${radix}u;`
        : `let first = (t / ${span}u) * ${span * radix}u + t % ${span}u;`,
    write: (k) => `place(first + ${k * span}u)`,
    readBase: 'let own = t;',
    read: (r) => `place(own + ${r * to.butterflies}u)`,
  };
}

/** After the first stage. R divides 32, so that k never carries into ⌊a/32⌋. */
function paddedFirst(bins: number, from: Stage, to: Stage): Exchange {
  const place = (a: number): number => a + Math.floor(a / BANKS);
  const isAligned = to.butterflies % BANKS === 0;
  return {
    words: place(bins),
    place,
    writeBase: `${writer(from)} let first = u * ${from.radix}u + u / ${BANKS / from.radix}u;`,
    write: (k) => `first + ${k}u`,
    readBase: isAligned ? `let own = t + t / ${BANKS}u;` : 'let own = t;',
    read: (r) => {
      const a = r * to.butterflies;
      return isAligned ? `own + ${place(a)}u` : `own + ${a}u + (own + ${a}u) / ${BANKS}u`;
    },
  };
}

/** Before the last stage, whose butterflies are as many as this one's block L·R is long. */
function paddedLast(bins: number, from: Stage): Exchange {
  const { radix, span } = from;
  const block = span * radix;
  const place = (a: number): number => a + span * Math.floor(a / block);
  return {
    words: place(bins),
    place,
    writeBase: `${writer(from)} let first = (u / ${span}u) * ${place(block)}u + u % ${span}u;`,
    write: (k) => `first + ${k * span}u`,
    readBase: 'let own = t;',
    read: (r) => `own + ${place(r * block)}u`,
  };
}

/** The exchanges of a plan, the n-th being between stages n and n + 1. */
export function exchangesOf({ bins, stages }: SpectrumPlan): readonly Exchange[] {
  const pairs = stages.slice(1).map((to, n) => [stages[n] as Stage, to] as const);
  const padded = pairs.map(([from, to]) =>
    from.span === 1 ? paddedFirst(bins, from, to) : paddedLast(bins, from),
  );
  if (padded.every(({ words }) => words <= MOST_WORDS)) return padded;
  return pairs.map(([from, to]) => swizzled(bins, from, to));
}
