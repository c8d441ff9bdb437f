/**
 * The question with a known answer that every engine is asked before it may work.
 *
 * Two slices of noise with an offset, and copies of them with other gains, as two segments with a gap between
 * them. The answer is computed in float64 from the definition of the transform, split once into rows and
 * columns so that it takes milliseconds; it shares nothing with the engines.
 */
import {
  type BlockMoments,
  addBlock,
  emptyMoments,
  type SpectrumMoments,
} from '../../bridge/protocol/moments.ts';
import { type EngineBlock, EngineError, type EngineOptions, type SpectrumEngine } from './engine.ts';
import { windowCoefficients } from '../../bridge/protocol/window.ts';

/**
 * Error allowed in mean and M2, relative to the bin and to the average over the bins together. A float32
 * transform errs by about 1e-6 of that; a wrong twiddle, bin or slice by 1e-2 or more.
 */
const TOLERANCE = 2e-5;

/** Slower than this for eight slices, 12 ms of data, and the engine could never keep up. */
const LIMIT_MS = 2000;

/** Gains of the copies, powers of two: the k-th is of the first noise for even k, of the second for odd k. */
const GAINS = [1, 0.5, 2, 1, 0.5, 4, 1, 2];
/** Slices of the first segment in the list; it lies behind the other one in memory. */
const FIRST_SEGMENT = 5;
/** Samples that belong to no slice; large, so that nobody can read them unnoticed. */
const GAP = 7;
const GAP_VALUE = 1e3;
const CLIP_LEVEL = 0.25;

/** Deviates in [−0.1, 0.1) around an offset, rounded to float32: xorshift32 of Marsaglia (2003). */
function noise(length: number, seed: number, offset: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 / 5 - 0.1 + offset;
  });
}

interface Slice {
  readonly i: Float32Array;
  readonly q: Float32Array;
}

/** |FFT|² by X[k] = Σ_b W_N^(b·k) · Σ_a W_A^(a·k) · x[B·a + b], N = A·B, in ascending frequency. */
function powerOf({ i, q }: Slice, taper: ArrayLike<number> | undefined): Float64Array {
  const n = i.length;
  let rows = Math.floor(Math.sqrt(n));
  while (n % rows !== 0) rows--;
  const columns = n / rows;
  const cos = Float64Array.from({ length: n }, (_, k) => Math.cos((2 * Math.PI * k) / n));
  const sin = Float64Array.from({ length: n }, (_, k) => -Math.sin((2 * Math.PI * k) / n));
  const innerRe = new Float64Array(n);
  const innerIm = new Float64Array(n);
  for (let b = 0; b < columns; b++) {
    for (let k = 0; k < rows; k++) {
      for (let a = 0; a < rows; a++) {
        const t = columns * a + b;
        const w = ((a * k) % rows) * columns;
        const re = (i[t] as number) * (taper?.[t] ?? 1);
        const im = (q[t] as number) * (taper?.[t] ?? 1);
        const at = b * rows + k;
        innerRe[at] = (innerRe[at] as number) + re * (cos[w] as number) - im * (sin[w] as number);
        innerIm[at] = (innerIm[at] as number) + re * (sin[w] as number) + im * (cos[w] as number);
      }
    }
  }
  const power = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let re = 0;
    let im = 0;
    for (let b = 0; b < columns; b++) {
      const at = b * rows + (k % rows);
      const w = (b * k) % n;
      re += (innerRe[at] as number) * (cos[w] as number) - (innerIm[at] as number) * (sin[w] as number);
      im += (innerRe[at] as number) * (sin[w] as number) + (innerIm[at] as number) * (cos[w] as number);
    }
    power[(k + Math.floor(n / 2)) % n] = re * re + im * im;
  }
  return power;
}

const scaled = ({ i, q }: Slice, gain: number): Slice => ({
  i: i.map((v) => v * gain),
  q: q.map((v) => v * gain),
});

/** Sums of one slice. */
function addSlice(into: SpectrumMoments, { i, q }: Slice, power: Float64Array): void {
  const sum = (a: Float32Array, b?: Float32Array) => a.reduce((s, v, t) => s + v * (b?.[t] ?? 1), 0);
  const least = (a: Float32Array) => a.reduce((m, v) => Math.min(m, v), Infinity);
  const clipped = (a: Float32Array) => a.filter((v) => Math.abs(v) >= CLIP_LEVEL).length;
  const time = {
    samples: i.length,
    minI: least(i),
    maxI: -least(i.map((v) => -v)),
    minQ: least(q),
    maxQ: -least(q.map((v) => -v)),
    clipped: clipped(i) + clipped(q),
    sumI: sum(i),
    sumQ: sum(q),
    sumII: sum(i, i),
    sumQQ: sum(q, q),
    sumIQ: sum(i, q),
  };
  const moments = { count: 1, scaleExponent: 0, mean: power, m2: new Float64Array(power.length), time };
  addBlock(into, moments as unknown as BlockMoments);
}

export interface SelfTest {
  readonly block: () => EngineBlock;
  readonly answer: SpectrumMoments;
}

/** The question and its answer for one length and window. */
export function makeSelfTest({ bins, window }: EngineOptions): SelfTest {
  const taper = window === 'none' ? undefined : windowCoefficients(window, bins);
  const sources: Slice[] = [
    { i: noise(bins, 0x2545f491, 0.03), q: noise(bins, 0x1234567, 0.02) },
    { i: noise(bins, 0x9e3779b, -0.01), q: noise(bins, 0x51ed270b, 0.01) },
  ];
  const powers = sources.map((source) => powerOf(source, taper));
  const answer = emptyMoments(bins);
  const slices = GAINS.map((gain, k) => scaled(sources[k % 2] as Slice, gain));
  slices.forEach((slice, k) => {
    const power = powers[k % 2] as Float64Array;
    addSlice(
      answer,
      slice,
      power.map((p) => p * (GAINS[k] as number) ** 2),
    );
  });

  const behind = 2 * bins * (GAINS.length - FIRST_SEGMENT) + GAP;
  const block = (): EngineBlock => {
    const samples = new Float32Array(2 * bins * GAINS.length + GAP).fill(GAP_VALUE);
    const place = (own: readonly Slice[], offset: number): void => {
      own.forEach(({ i, q }, s) => {
        samples.set(i, offset + s * bins);
        samples.set(q, offset + (own.length + s) * bins);
      });
    };
    place(slices.slice(0, FIRST_SEGMENT), behind);
    place(slices.slice(FIRST_SEGMENT), 0);
    return {
      samples,
      segments: [
        { offset: behind, slices: FIRST_SEGMENT },
        { offset: 0, slices: GAINS.length - FIRST_SEGMENT },
      ],
      clipLevel: CLIP_LEVEL,
    };
  };
  return { block, answer };
}

const average = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** First thing that is wrong, in words. */
function difference(actual: SpectrumMoments, expected: SpectrumMoments): string | undefined {
  if (actual.count !== expected.count) return `slices: expected ${expected.count}, found ${actual.count}`;
  for (const name of ['mean', 'm2'] as const) {
    const floor = average(expected[name]);
    for (let k = 0; k < expected[name].length; k++) {
      const is = actual[name][k] as number;
      const should = expected[name][k] as number;
      if (!(Math.abs(is - should) <= TOLERANCE * (should + floor))) {
        return `${name} of bin ${k}: expected ${should}, found ${is}`;
      }
    }
  }
  for (const name of ['samples', 'minI', 'maxI', 'minQ', 'maxQ', 'clipped'] as const) {
    const [is, should] = [actual.time[name], expected.time[name]];
    if (is !== should) return `${name}: expected ${should}, found ${is}`;
  }
  const most = expected.time.sumII + expected.time.sumQQ;
  for (const name of ['sumI', 'sumQ', 'sumII', 'sumQQ', 'sumIQ'] as const) {
    const [is, should] = [actual.time[name], expected.time[name]];
    if (!(Math.abs(is - should) <= TOLERANCE * (Math.abs(should) + most))) {
      return `${name}: expected ${should}, found ${is}`;
    }
  }
  return undefined;
}

/**
 * Asks twice, so that only the second, warm answer is timed.
 * @throws {EngineError} `self-test`; whatever `process` throws
 */
export async function runSelfTest(
  engine: Pick<SpectrumEngine, 'process' | 'description'>,
  options: EngineOptions,
): Promise<void> {
  const { block, answer } = makeSelfTest(options);
  const { name } = engine.description;
  for (const warm of [false, true]) {
    const started = performance.now();
    const found = emptyMoments(options.bins);
    addBlock(found, await engine.process(block()));
    const tookMs = performance.now() - started;
    const wrong = difference(found, answer);
    if (wrong !== undefined) {
      throw new EngineError('self-test', `${name} computes wrong numbers and is not used: ${wrong}`);
    }
    if (warm && tookMs > LIMIT_MS) {
      throw new EngineError(
        'self-test',
        `${name} is too slow: ${GAINS.length} slices in ${Math.round(tookMs)} ms, at most ${LIMIT_MS} ms`,
      );
    }
  }
}
