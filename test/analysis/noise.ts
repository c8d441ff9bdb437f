/**
 * Powers of Gaussian noise for tests: |FFT|² per bin is exponential with mean 1. Seeded, so equal everywhere.
 */

/** Mulberry32: 32 bits of state, enough for statistics of some thousand draws. */
function* uniform(seed: number): Generator<number, never> {
  let state = seed >>> 0;
  for (;;) {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    yield (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  }
}

export function gaussianNoisePowers(seed: number, count: number): number[] {
  const draws = uniform(seed * 2654435761);
  return Array.from({ length: count }, () => -Math.log(draws.next().value));
}
