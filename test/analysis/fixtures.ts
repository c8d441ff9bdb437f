/**
 * What numpy and scipy make of the same numbers; written by `fixtures/make_fixtures.py`.
 */
import { readFileSync } from 'node:fs';
import type { TimeSums } from '../../bridge/protocol/moments.ts';

interface Fixtures {
  readonly savitzkyGolay: readonly {
    readonly bins: number;
    readonly window: number;
    readonly degree: number;
    readonly gaps: readonly number[];
    readonly at: readonly number[];
    readonly smooth: readonly number[];
    readonly withGaps: readonly number[];
  }[];
  readonly kurtosis: {
    readonly slices: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly kurtosis: readonly number[];
    readonly variance: Readonly<Record<string, number>>;
  };
  readonly kurtosisOutside: {
    readonly slices: number;
    readonly trials: number;
    readonly above: number;
    readonly below: number;
  };
  readonly chance: {
    readonly z: readonly number[];
    readonly tail: readonly number[];
    readonly erfc: readonly number[];
    readonly maximum: Readonly<Record<string, number>>;
  };
  readonly efficiency: readonly {
    readonly window: number;
    readonly degree: number;
    readonly efficiency: number;
    readonly std: number;
  }[];
  readonly allan: { readonly points: readonly { readonly m: number; readonly deviation: number }[] };
  readonly digitiser: {
    readonly sums: TimeSums;
    readonly rmsI: number;
    readonly rmsQ: number;
    readonly phase: number;
    readonly gain: number;
    readonly rejectionDb: number;
  };
}

export const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/scipy.json', import.meta.url), 'utf8'),
) as Fixtures;

/** The generator of the fixtures (Park & Miller 1988, multiplier 48271), 0 to 1. */
export function lehmer(length: number, seed = 12_345): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  });
}
