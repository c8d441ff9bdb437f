/**
 * How the fuzzing is run: every property has a name, a fixed number of cases and a fixed seed, so that a run can be
 * repeated and the cases counted.
 *
 *   FUZZ_SEED=N   another seed for every property; a failure prints the seed and the path to its smallest case
 *   FUZZ_TIMES=N  so many times as many cases
 */
import { appendFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { CASES, type PropertyName } from './cases.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** File into which every property writes how many cases it has run. */
    fuzzCounts: string;
  }
}

const DEFAULT_SEED = 20_261_123;
/** A loaded machine of two cores must come to the end of the longest. */
const TIMEOUT_MS = 240_000;

const numberOf = (name: string, fallback: number): number => {
  const value = Number(process.env[name] ?? fallback);
  if (!Number.isInteger(value)) throw new Error(`${name}: expected a whole number`);
  return value;
};

/** Another seed for every property, so that they do not all draw the same. */
const seedOf = (name: string): number =>
  Array.from(name).reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619),
    numberOf('FUZZ_SEED', DEFAULT_SEED),
  );

/**
 * A test that asserts `holds` for as many arbitrary values as `CASES` says. `holds` may throw, or be asynchronous.
 */
export function fuzz<T>(
  name: PropertyName,
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => void | Promise<void>,
): void {
  const cases = CASES[name] * numberOf('FUZZ_TIMES', 1);
  test(`${name}: ${cases} cases`, { timeout: TIMEOUT_MS * numberOf('FUZZ_TIMES', 1) }, async () => {
    let run = 0;
    const property = fc.asyncProperty(arbitrary, async (value) => {
      run++;
      // Awaiting what is no promise costs a turn for each of a hundred thousand cases.
      const outcome = holds(value);
      if (outcome !== undefined) await outcome;
    });
    report(await fc.check(property, { seed: seedOf(name), numRuns: cases }));
    expect(run).toBe(cases);
    appendFileSync(inject('fuzzCounts'), `${run} ${name}\n`);
  });
}

/** How much of a case that fails is worth reading; seed and path bring back the whole. */
const SHOWN_LETTERS = 2_000;

/** Like fast-check's own words, of a length that can be read. */
function report<T>(outcome: fc.RunDetails<[T]>): void {
  if (!outcome.failed) return;
  const { seed, counterexamplePath, numRuns, counterexample, errorInstance } = outcome;
  const shown = fc.stringify(counterexample).slice(0, SHOWN_LETTERS);
  throw new Error(
    `after ${numRuns} cases, with { seed: ${seed}, path: '${counterexamplePath}' }: ${shown}\n${String(errorInstance)}`,
    { cause: errorInstance },
  );
}
