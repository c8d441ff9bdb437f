/**
 * File numbers of senders without headers: sixteen bits in the key, weeks in a run.
 *
 * Within one partition files lie in the order in which they were sent, whatever the partitions' pace. So a number is
 * continued from the file before it *in its partition*: a small step forwards modulo 65536, or back by a few files
 * (a sender that sent some messages again). Anything else is a jump: the sender began anew, or something else writes
 * to the topic, and the data belong to another run.
 */

import { MAX_STATED_FILE_NUMBER } from '../records.ts';

/** Largest step, in files, that still continues a run. */
export const MAX_STEP_FILES = 1024;

/** Files by which a sender's own repetitions may lie back; G of the delivery rules. */
export const REORDER_FILES = 8;

const MODULUS = 65536;

/** A file of a run. */
export interface FilePlace {
  readonly run: string;
  readonly file: number;
}

/** Full number of a 16-bit one that follows `last` in its partition; null for a jump. */
export const continueNumber = (file16: number, last: number): number | null =>
  within(file16, last, MAX_STEP_FILES, REORDER_FILES);

/** Full number of a 16-bit one near the newest file of a run, seen from another partition; null when it is not. */
export const nearNumber = (file16: number, newest: number): number | null =>
  within(file16, newest, MAX_STEP_FILES, MAX_STEP_FILES);

function within(file16: number, from: number, forwards: number, backwards: number): number | null {
  const step = (((file16 - from) % MODULUS) + MODULUS) % MODULUS;
  if (step <= forwards) return from + step <= MAX_STATED_FILE_NUMBER ? from + step : null;
  const back = MODULUS - step;
  return back <= backwards && from - back >= 0 ? from - back : null;
}
