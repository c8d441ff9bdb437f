/**
 * What an engine has to reach: named tolerances, the inputs they hold for, and one check for any engine.
 *
 * Errors are relative to the float64 reference, worst bin. u = 2⁻²⁴ = 6.0e-8 is float32's unit roundoff.
 * A float32 FFT of length N with correctly rounded twiddles has an rms error of about 0.6·u·√log2 N relative
 * to the rms of the whole spectrum (Schatzman 1996), 1.2e-7 at 3072. It is therefore small against a bin that
 * is as strong as its neighbours, and large against a weak bin next to a strong one.
 */
import { addBlock, emptyMoments, type SpectrumMoments, sampleStd } from '../../bridge/protocol/moments.ts';
import type { EngineBlock, SpectrumEngine } from '../../web/engine/engine.ts';
import { type ReferenceMoments, referenceMoments } from './reference.ts';

/** Slices in a file of nominal length. */
const WHOLE_FILE_SLICES = 2731;

/** Largest relative error of a bin's mean and sample standard deviation. */
export interface Tolerance {
  readonly mean: number;
  readonly std: number;
}

/** Noise: 8 u. Rounding of single slices averages out; what stays is twiddle and window rounding, and output. */
const NOISE_TOLERANCE: Tolerance = { mean: 5e-7, std: 5e-7 };

/** Line of 1e3 × the noise power of its bin: it leaves the others alone; 33 u where it leaks between bins. */
export const TONE_TOLERANCE: Tolerance = { mean: 2e-6, std: 1e-5 };

/**
 * Tone of 1e3 × the whole noise's power, 3e6 × that of its bin, 1700 × a noise bin's amplitude. Rounded twiddles
 * are wrong by u in the same way in every slice, and the error of a bin is in phase with the tone: up to
 * u/4 · 1700 = 3e-5 of a noise bin's amplitude, and where a tone between two bins leaks in as well, the product
 * of both counts. All float32 plans tried are within a factor of two of each other here.
 */
const BROAD_TONE_TOLERANCE: Tolerance = { mean: 2e-5, std: 2e-5 };

/** DC of 100 σ (power 5e3 × noise): 9e-6 of a noise bin's amplitude, the same in every slice. */
const BESIDE_DC_TOLERANCE: Tolerance = { mean: 5e-6, std: 1e-5 };

/** In the DC bin itself: mean like any strong bin; std is 1/2000 of the mean there, so u weighs 2000 times more. */
const IN_DC_TOLERANCE: Tolerance = { mean: 1e-6, std: 2e-5 };

/** Tone of 1e6 × noise power: float32's own floor, u·√1e6·√N beside the line in bins where the error is coherent. */
const BESIDE_STRONG_TONE_TOLERANCE: Tolerance = { mean: 2e-4, std: 4e-4 };
const IN_STRONG_TONE_TOLERANCE: Tolerance = { mean: 1e-6, std: 4e-4 };

/**
 * Time sums of a whole file, relative to the largest they could be (ΣI to √(n·ΣII), ΣIQ to √(ΣII·ΣQQ)):
 * partial sums of one slice in float32 err by u·√3072/3 = 1.1e-6 each, independently, and average out.
 */
const TIME_SUM_TOLERANCE = 1e-6;

/** The same for a single slice or a few, of up to 8192 samples: u·√8192/3 = 1.8e-6, and the worst of some. */
const SHORT_TIME_SUM_TOLERANCE = 6e-6;

/**
 * Blocks of a few slices, relative to the bin's mean and the average bin's together, since a single deviate may be
 * far weaker than its neighbours, whose rounding it shares. Mean: 16 u. Std hangs on the strongest slice, which
 * may be √n times std: 64 u.
 */
export const SHORT_BLOCK_TOLERANCE: Tolerance = { mean: 1e-6, std: 4e-6 };

/** Seeded uniform deviates in [0, 1): xorshift128 of Marsaglia (2003). */
export function uniform(seed: number): () => number {
  let x = seed | 0 || 1;
  let y = 362436069;
  let z = 521288629;
  let w = 88675123;
  const next = () => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return (w >>> 0) / 2 ** 32;
  };
  for (let k = 0; k < 32; k++) next();
  return next;
}

/** Normal deviates times `sigma`: polar method of Marsaglia & Bray (1964). */
export function gaussian(length: number, seed: number, sigma = 1): Float32Array<ArrayBuffer> {
  const random = uniform(seed);
  const out = new Float32Array(length);
  for (let k = 0; k < length; k += 2) {
    let a: number;
    let b: number;
    let radius: number;
    do {
      a = 2 * random() - 1;
      b = 2 * random() - 1;
      radius = a * a + b * b;
    } while (radius >= 1 || radius === 0);
    const f = sigma * Math.sqrt((-2 * Math.log(radius)) / radius);
    out[k] = a * f;
    if (k + 1 < length) out[k + 1] = b * f;
  }
  return out;
}

/** Adds amplitude·exp(2πi·cycles·t/bins) of continuous phase to one segment: all I slices, then all Q slices. */
export function addTone(samples: Float32Array, bins: number, cycles: number, amplitude: number): void {
  const half = samples.length / 2;
  for (let t = 0; t < half; t++) {
    const turns = (cycles * t) / bins;
    const angle = 2 * Math.PI * (turns - Math.floor(turns));
    samples[t] = (samples[t] as number) + amplitude * Math.cos(angle);
    samples[half + t] = (samples[half + t] as number) + amplitude * Math.sin(angle);
  }
}

/** One row of the table: an input and the bins that count as its line. */
export interface AccuracyCase {
  readonly name: string;
  /** Standard deviation of I and of Q. */
  readonly sigma: number;
  /** Power of the line relative to the whole noise's 2σ², and its frequency in bins from DC. */
  readonly line?: { readonly cycles: number; readonly power: number } | undefined;
  readonly inLine: Tolerance;
  readonly beside: Tolerance;
}

const noise = (sigma: number): AccuracyCase => ({
  name: `noise of ${sigma} V`,
  sigma,
  inLine: NOISE_TOLERANCE,
  beside: NOISE_TOLERANCE,
});

/** The table; a whole file each. */
export const ACCURACY_CASES: readonly AccuracyCase[] = [
  noise(0.1),
  noise(1e-12),
  noise(1e6),
  {
    name: 'tone of 1e3 × noise in its bin',
    sigma: 0.1,
    line: { cycles: 101, power: 1e3 / 3072 },
    inLine: TONE_TOLERANCE,
    beside: TONE_TOLERANCE,
  },
  {
    name: 'tone of 1e3 × noise in its bin, between bins',
    sigma: 0.1,
    line: { cycles: -77.37, power: 1e3 / 3072 },
    inLine: TONE_TOLERANCE,
    beside: TONE_TOLERANCE,
  },
  {
    name: 'tone of 1e3 × whole noise',
    sigma: 0.1,
    line: { cycles: 101, power: 1e3 },
    inLine: BROAD_TONE_TOLERANCE,
    beside: BROAD_TONE_TOLERANCE,
  },
  {
    name: 'tone of 1e3 × whole noise, between bins',
    sigma: 0.1,
    line: { cycles: -77.37, power: 1e3 },
    inLine: BROAD_TONE_TOLERANCE,
    beside: BROAD_TONE_TOLERANCE,
  },
  {
    name: 'DC of 100 σ',
    sigma: 0.1,
    line: { cycles: 0, power: 100 ** 2 / 2 },
    inLine: IN_DC_TOLERANCE,
    beside: BESIDE_DC_TOLERANCE,
  },
  {
    name: 'tone of 1e6 × whole noise',
    sigma: 0.1,
    line: { cycles: 101, power: 1e6 },
    inLine: IN_STRONG_TONE_TOLERANCE,
    beside: BESIDE_STRONG_TONE_TOLERANCE,
  },
];

/** Unit noise of one length, kept because a whole file of it takes most of a second to make. */
let lastNoise = new Float32Array(0);
function unitNoise(length: number): Float32Array<ArrayBuffer> {
  if (lastNoise.length !== length) lastNoise = gaussian(length, 1);
  return lastNoise;
}

/** Samples of a case: one segment, [slices][bins] of I, then the same of Q. */
function samplesOf(c: AccuracyCase, bins: number, slices: number): Float32Array<ArrayBuffer> {
  const samples = unitNoise(2 * slices * bins).map((x) => x * c.sigma);
  if (c.line) addTone(samples, bins, c.line.cycles, Math.sqrt(c.line.power * 2) * c.sigma);
  return samples;
}

/** Slices `first` … `first + slices − 1` of one large segment as a block of its own. */
export function cutBlock(
  samples: Float32Array,
  bins: number,
  first: number,
  slices: number,
  clipLevel = Infinity,
): EngineBlock {
  const q = samples.length / 2;
  const block = new Float32Array(2 * slices * bins);
  block.set(samples.subarray(first * bins, (first + slices) * bins));
  block.set(samples.subarray(q + first * bins, q + (first + slices) * bins), slices * bins);
  return { samples: block, segments: [{ offset: 0, slices }], clipLevel };
}

/** Gives a whole segment to an engine in blocks, several at a time, and merges the answers in float64. */
export async function processInBlocks(
  engine: SpectrumEngine,
  samples: Float32Array,
  bins: number,
  slicesPerBlock: number,
  clipLevel = Infinity,
): Promise<SpectrumMoments> {
  const slices = samples.length / (2 * bins);
  const total = emptyMoments(bins);
  const flying: ReturnType<SpectrumEngine['process']>[] = [];
  for (let first = 0; first < slices || flying.length > 0; first += slicesPerBlock) {
    if (first < slices)
      flying.push(
        engine.process(cutBlock(samples, bins, first, Math.min(slicesPerBlock, slices - first), clipLevel)),
      );
    if (flying.length >= Math.max(1, engine.depth) || first >= slices) {
      const oldest = await flying.shift();
      if (oldest) addBlock(total, oldest);
    }
  }
  return total;
}

/** Worst bin of one quantity in one region. */
export interface AccuracyRow {
  readonly input: string;
  readonly region: 'all' | 'line' | 'beside';
  readonly quantity: 'mean' | 'std';
  readonly bin: number;
  readonly actual: number;
  readonly expected: number;
  readonly error: number;
  readonly tolerance: number;
}

export const formatRow = (r: AccuracyRow): string =>
  `${r.error <= r.tolerance ? 'ok   ' : 'WRONG'} ${r.input}, ${r.quantity} ${r.region}: worst bin ${r.bin}, ` +
  `actual ${r.actual}, expected ${r.expected}, error ${r.error.toExponential(2)} of ${r.tolerance}`;

/** Bins from the line that a window's main lobe covers. */
const LOBE_BINS = { none: 0, hann: 1, 'blackman-harris': 3, 'flat-top': 4 } as const;

/** Compares moments with the reference; one row per quantity and region. */
function compareMoments(
  c: AccuracyCase,
  actual: SpectrumMoments,
  expected: ReferenceMoments,
  window: keyof typeof LOBE_BINS = 'none',
): AccuracyRow[] {
  const bins = expected.mean.length;
  if (actual.count !== expected.count)
    throw new Error(`${c.name}: expected ${expected.count} slices, the engine counted ${actual.count}`);
  const line = c.line ? Math.round(c.line.cycles) + Math.floor(bins / 2) : Number.NaN;
  const worst = new Map<string, AccuracyRow>();
  for (let bin = 0; bin < bins; bin++) {
    const near = Math.abs(bin - line) <= LOBE_BINS[window];
    const region = c.line ? (near ? 'line' : 'beside') : 'all';
    const tolerance = near ? c.inLine : c.beside;
    const values = {
      mean: [actual.mean[bin] as number, expected.mean[bin] as number],
      std: [sampleStd(actual, bin), Math.sqrt((expected.m2[bin] as number) / (expected.count - 1))],
    } as const;
    for (const quantity of ['mean', 'std'] as const) {
      const [is, should] = values[quantity];
      // NaN, which compares false with everything, has to count as the worst of all.
      const error = Number.isFinite(is) ? Math.abs(is - should) / should : Infinity;
      const key = `${quantity} ${region}`;
      const known = worst.get(key);
      if (!known || error > known.error)
        worst.set(key, {
          input: c.name,
          region,
          quantity,
          bin,
          actual: is,
          expected: should,
          error,
          tolerance: tolerance[quantity],
        });
    }
  }
  return [...worst.values()];
}

/** Problems of the time sums, in words; empty when all is well. */
function timeSumProblems(
  actual: SpectrumMoments['time'],
  expected: SpectrumMoments['time'],
  tolerance = TIME_SUM_TOLERANCE,
): string[] {
  const scales = {
    sumI: Math.sqrt(expected.samples * expected.sumII),
    sumQ: Math.sqrt(expected.samples * expected.sumQQ),
    sumII: expected.sumII,
    sumQQ: expected.sumQQ,
    sumIQ: Math.sqrt(expected.sumII * expected.sumQQ),
  };
  const exact = ['samples', 'minI', 'maxI', 'minQ', 'maxQ', 'clipped'] as const;
  const summed = ['sumI', 'sumQ', 'sumII', 'sumQQ', 'sumIQ'] as const;
  const wrong = [
    ...exact.filter((name) => actual[name] !== expected[name]),
    ...summed.filter((name) => !(Math.abs(actual[name] - expected[name]) <= tolerance * scales[name])),
  ];
  return wrong.map((name) => `${name}: actual ${actual[name]}, expected ${expected[name]}`);
}

/** Problems of a block of any number of slices, in words; empty when all is well. */
export function shortBlockProblems(actual: SpectrumMoments, expected: ReferenceMoments): string[] {
  const { count, mean, m2 } = expected;
  const average = mean.reduce((a, b) => a + b, 0) / mean.length;
  const problems = timeSumProblems(actual.time, expected.time, SHORT_TIME_SUM_TOLERANCE);
  if (actual.count !== count) problems.push(`count: actual ${actual.count}, expected ${count}`);
  mean.forEach((should, k) => {
    const std = Math.sqrt((m2[k] as number) / Math.max(1, count - 1));
    const isStd = Math.sqrt((actual.m2[k] as number) / Math.max(1, count - 1));
    for (const [name, is, wanted] of [
      ['mean', actual.mean[k] as number, should],
      ['std', isStd, std],
    ] as const)
      if (!(Math.abs(is - wanted) <= SHORT_BLOCK_TOLERANCE[name] * (should + average)))
        problems.push(`${name} of bin ${k}: actual ${is}, expected ${wanted}`);
  });
  return problems;
}

export interface AccuracyOptions {
  readonly bins: number;
  readonly slices?: number;
  readonly slicesPerBlock?: number;
  readonly cases?: readonly AccuracyCase[];
  readonly window?: {
    readonly name: keyof typeof LOBE_BINS;
    readonly coefficients: ArrayLike<number>;
  };
}

/** References are slow; engines tested in one file share them. Holds the last few inputs only. */
const references = new Map<string, { samples: Float32Array<ArrayBuffer>; moments: ReferenceMoments }>();

function referenceOf(c: AccuracyCase, options: AccuracyOptions, clipLevel: number) {
  const { bins, slices = WHOLE_FILE_SLICES, window } = options;
  const key = JSON.stringify([c.name, bins, slices, window?.name]);
  const known = references.get(key);
  if (known) return known;
  const samples = samplesOf(c, bins, slices);
  const segments = [{ offset: 0, slices }];
  const moments = referenceMoments(samples, segments, { bins, window: window?.coefficients, clipLevel });
  const made = { samples, moments };
  references.set(key, made);
  for (const oldest of references.keys()) {
    if (references.size <= 2) break;
    references.delete(oldest);
  }
  return made;
}

/**
 * Runs an engine through the table, case by case, and compares mean and std of every bin and the time sums.
 *
 * @returns one row per quantity and region, worst bin each, for the test to print
 * @throws {Error} naming the worst bins that are beyond their tolerance
 */
export async function checkAccuracy(
  engine: SpectrumEngine,
  options: AccuracyOptions,
): Promise<AccuracyRow[]> {
  const { bins, slices = WHOLE_FILE_SLICES, slicesPerBlock = slices, cases = ACCURACY_CASES } = options;
  const rows: AccuracyRow[] = [];
  const problems: string[] = [];
  for (const c of cases) {
    const clipLevel = 4 * c.sigma;
    const { samples, moments } = referenceOf(c, options, clipLevel);
    const actual = await processInBlocks(engine, samples, bins, slicesPerBlock, clipLevel);
    const found = compareMoments(c, actual, moments, options.window?.name);
    rows.push(...found);
    problems.push(
      ...found.filter((r) => !(r.error <= r.tolerance)).map(formatRow),
      ...timeSumProblems(actual.time, moments.time).map((p) => `${c.name}, ${p}`),
    );
  }
  if (problems.length > 0) throw new Error(`${engine.description.kind} engine:\n${problems.join('\n')}`);
  return rows;
}
