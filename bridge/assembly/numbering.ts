/**
 * File numbers of senders without headers: sixteen bits in the key, weeks in a run.
 *
 * The number is continued beyond 65535 when the step modulo 65536 is small and forwards, or back within the few
 * files that partitions may lie apart. Anything else is a jump: the sender was restarted or something else writes
 * to the topic, and the data belong to another run.
 */

/** Largest step forwards, in files, that still continues a run. */
export const MAX_STEP_FILES = 1024;

/** Files that may be open at once because partitions are read at different speed; G of the delivery rules. */
export const REORDER_FILES = 8;

const MODULUS = 65536;

export type Continuation =
  | { readonly kind: 'continues'; readonly file: number }
  | { readonly kind: 'jump'; readonly file: number };

/** Full number of a 16-bit one, given the highest full number of the run so far (null: none yet). */
export function continueNumber(file16: number, highest: number | null): Continuation {
  if (highest === null) return { kind: 'continues', file: file16 };
  const step = (((file16 - highest) % MODULUS) + MODULUS) % MODULUS;
  if (step <= MAX_STEP_FILES) return { kind: 'continues', file: highest + step };
  const back = MODULUS - step;
  if (back <= REORDER_FILES && highest - back >= 0) return { kind: 'continues', file: highest - back };
  return { kind: 'jump', file: file16 };
}
