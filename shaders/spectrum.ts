/**
 * Prints the fused kernel: slices in, running mean and M2 of |FFT|² per bin and sums over the samples out.
 *
 * One workgroup takes every G-th slice and does all of it on the chip:
 *
 *     load → (window) → ·2^e → stage 0 ─exchange─ stage 1 ─exchange─ stage 2 → |X|² → mean, M2
 *
 * A thread keeps its R points in registers re0, im0, re1, … Between stages they change places through one
 * array of N words in workgroup memory: real parts, then imaginary parts, so that N = 4096 fits into 16 KiB.
 *
 * How the words lie there is in `exchange.ts`.
 *
 * What is counted per sample is on the way of every sample, so it is little: the largest and smallest by their bits,
 * which also shows NaN and Inf, and sums. Clipped samples are counted only in slices that have any.
 *
 * Running moments: B. P. Welford, "Note on a method for calculating corrected sums of squares and products"
 * (1962): d = p − mean; mean += d/n; M2 += d·(p − mean). Sums over samples are kept as running means over
 * slices as well: a plain float32 sum drifts when the same value is added again and again.
 *
 * Denormal samples and products may be flushed to zero, as WGSL allows: a sample is off by 2^−126 at most, which
 * the scale (a power of two, chosen by the host) keeps far below any other rounding.
 *
 * Bindings (group 0)
 *
 *     0 samples   [words]           float32 as bits, because WGSL may assume that no float is NaN or Inf
 *     1 slices    [slices]          index of the first I sample, index of the first Q sample
 *     2 twiddles  `twiddleTable`
 *     3 moments   [partials][2][N]  mean, then M2; bins in the order of the FFT
 *     4 sums      [partials][12]    `SUM_FIELDS`
 *     5 params    `PARAMS_BYTES`
 *     6 taper     [N]               window; only in the text for a windowed spectrum
 */
import { type Codelet, dftCodelet, type Op } from './codelet.ts';
import { type Exchange, exchangesOf, SWIZZLE } from './exchange.ts';
import { type SpectrumPlan, type Stage, twiddleTable } from './plan.ts';

/**
 * Words of one record in `sums`. `slices` is how many the workgroup did; I and Q are of unscaled samples for
 * minimum and maximum, and of samples · 2^e for the means, which are Σ over a slice, averaged over slices.
 */
export const SUM_FIELDS = [
  'slices',
  'minI',
  'minQ',
  'maxI',
  'maxQ',
  'clipped',
  'nonFinite',
  'meanI',
  'meanQ',
  'meanII',
  'meanQQ',
  'meanIQ',
] as const;
export type SumField = (typeof SUM_FIELDS)[number];

/** slices u32, workgroups u32, first_partial u32, clip_bits u32, scale f32; rounded up to 16. */
export const PARAMS_BYTES = 32;

/** A number as a WGSL f32 literal that reads back to exactly the same float32. */
export function f32Literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Values on which an output depends; an operation always comes after its operands. */
function usedValues({ ops, outputs }: Codelet): Set<number> {
  const used = new Set(outputs.flatMap(({ re, im }) => [re, im]));
  for (let value = ops.length - 1; value >= 0; value--) {
    const op = ops[value] as Op;
    if (!used.has(value) || op.kind === 'input' || op.kind === 'const') continue;
    used.add(op.a);
    if (op.kind !== 'neg') used.add(op.b);
  }
  return used;
}

/** One line per operation; inputs are the registers, and so are the outputs. */
function printCodelet(codelet: Codelet): string[] {
  const name = (value: number): string => {
    const op = codelet.ops[value] as Op;
    if (op.kind === 'const') return f32Literal(op.value);
    if (op.kind === 'input') return `${op.index % 2 === 0 ? 're' : 'im'}${op.index >> 1}`;
    return `v${value}`;
  };
  const right = (op: Op): string | undefined => {
    switch (op.kind) {
      case 'add':
        return `${name(op.a)} + ${name(op.b)}`;
      case 'sub':
        return `${name(op.a)} - ${name(op.b)}`;
      case 'mul':
        return `${name(op.a)} * ${name(op.b)}`;
      case 'neg':
        return `-${name(op.a)}`;
      default:
        return undefined;
    }
  };
  const used = usedValues(codelet);
  const steps = codelet.ops.flatMap((op, value) => {
    const text = right(op);
    return text === undefined || !used.has(value) ? [] : [`let v${value} = ${text};`];
  });
  // An output may be an input passed through, and inputs are about to be overwritten: copy first, then store.
  const outputs = codelet.outputs.flatMap(({ re, im }, k) => [
    `let x${k} = vec2f(${name(re)}, ${name(im)});`,
  ]);
  const stores = codelet.outputs.map((_, k) => `re${k} = x${k}.x; im${k} = x${k}.y;`);
  return [...steps, ...outputs, ...stores];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));

/** Wraps lines for the threads that have a butterfly in this stage. */
const forWorkers = (plan: SpectrumPlan, stage: Stage, lines: readonly string[]): string[] =>
  stage.butterflies < plan.threads
    ? [`if (t < ${stage.butterflies}u) {`, ...indent(lines), '}']
    : ['{', ...indent(lines), '}'];

/** Rare, so a loop that reads the samples again. */
const clipLines = ({ radix, butterflies }: Stage): string[] => [
  'if (reach() >= params.clip_bits) {',
  `  for (var r = 0u; r < ${radix}u; r++) {`,
  ...(['i', 'q'] as const).map(
    (part) =>
      `    clipped += select(0.0f, 1.0f, (samples[at_${part} + r * ${butterflies}u] & magnitude) >= params.clip_bits);`,
  ),
  '  }',
  '}',
];

const loadLines = (stage: Stage, windowed: boolean): string[] => [
  'let at_i = slices[s].x + t;',
  'let at_q = slices[s].y + t;',
  ...upTo(stage.radix).flatMap((r) => {
    const step = r * stage.butterflies;
    const taper = windowed ? ` * taper[t + ${step}u]` : '';
    return [
      `let z${r} = take(vec2u(samples[at_i + ${step}u], samples[at_q + ${step}u]))${taper};`,
      `re${r} = z${r}.x; im${r} = z${r}.y;`,
    ];
  }),
  ...clipLines(stage),
];

const twiddleLines = ({ radix, span, butterflies, twiddles }: Stage): string[] => [
  `let j = ${span === butterflies ? 't' : `t % ${span}u`};`,
  ...upTo(radix - 1).flatMap((i) => {
    const r = i + 1;
    return [
      `let w${r} = twiddles[${twiddles + i * span}u + j];`,
      `let z${r} = vec2f(re${r} * w${r}.x - im${r} * w${r}.y, re${r} * w${r}.y + im${r} * w${r}.x);`,
      `re${r} = z${r}.x; im${r} = z${r}.y;`,
    ];
  }),
];

/** Hands one part of every point from the threads of `from` to those of `to`. */
const exchangeLines = (
  plan: SpectrumPlan,
  [from, to]: readonly [Stage, Stage],
  { writeBase, write, readBase, read }: Exchange,
  part: 're' | 'im',
): string[] => [
  ...forWorkers(plan, from, [
    writeBase,
    ...upTo(from.radix).map((k) => `exchange[${write(k)}] = ${part}${k};`),
  ]),
  'workgroupBarrier();',
  ...forWorkers(plan, to, [readBase, ...upTo(to.radix).map((r) => `${part}${r} = exchange[${read(r)}];`)]),
  'workgroupBarrier();',
];

function stageLines(plan: SpectrumPlan, index: number, windowed: boolean): string[] {
  const stage = plan.stages[index] as Stage;
  const before = plan.stages[index - 1];
  const way = exchangesOf(plan)[index - 1];
  const exchange =
    before && way
      ? (['re', 'im'] as const).flatMap((part) => exchangeLines(plan, [before, stage], way, part))
      : [];
  return [
    ...exchange,
    `// Stage ${index}: radix ${stage.radix} after ${stage.span}`,
    ...forWorkers(plan, stage, before ? twiddleLines(stage) : loadLines(stage, windowed)),
    ...forWorkers(plan, stage, printCodelet(dftCodelet(stage.radix))),
  ];
}

const welfordLines = (r: number): string[] => [
  `let p${r} = re${r} * re${r} + im${r} * im${r};`,
  `let d${r} = p${r} - mean${r};`,
  `mean${r} += d${r} * share;`,
  `spread${r} += d${r} * (p${r} - mean${r});`,
];

const header = (plan: SpectrumPlan, windowed: boolean): string => `\
// Power spectra of ${plan.bins} bins, radices ${plan.stages.map(({ radix }) => radix).join('·')}. \
Printed by shaders/spectrum.ts, which explains it.

struct Params {
  slices: u32,
  workgroups: u32,
  first_partial: u32,
  clip_bits: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> samples: array<u32>;
@group(0) @binding(1) var<storage, read> slices: array<vec2u>;
@group(0) @binding(2) var<storage, read> twiddles: array<vec2f, ${twiddleTable(plan).length / 2}>;
@group(0) @binding(3) var<storage, read_write> moments: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
${windowed ? '@group(0) @binding(6) var<storage, read> taper: array<f32, bins>;\n' : ''}
const bins = ${plan.bins}u;
const threads = ${plan.threads}u;
const magnitude = 0x7fffffffu;
const infinity_bits = 0x7f800000u;
const largest = 3.4028234663852886e38f;
`;

/** Words of the exchange; the reductions at the end use it as well, one word per thread. */
const exchangeWords = (plan: SpectrumPlan): number =>
  Math.max(plan.threads, ...exchangesOf(plan).map(({ words }) => words));

const isSwizzled = (plan: SpectrumPlan): boolean =>
  exchangesOf(plan).some(({ write }) => write(0).startsWith('place'));

const helpers = (plan: SpectrumPlan): string => `\
var<workgroup> exchange: array<f32, ${exchangeWords(plan)}>;

// Bits of the samples of this thread, I and Q, compared as integers. A sign bit makes a number negative as i32
// and large as u32, so among samples of both signs the largest i32 is the maximum and the largest u32 the minimum.
// Where all have one sign, the smallest u32 is the one that is still wanted. NaN and Inf are beyond all others.
var<private> top_signed = vec2i(-0x7fffffff - 1);
var<private> top = vec2u(0u);
var<private> bottom = vec2u(0xffffffffu);
var<private> clipped = 0.0f;
// Of the samples of this thread in the slice in hand.
var<private> sum = vec2f(0.0f);
var<private> square = vec2f(0.0f);
var<private> cross = 0.0f;
${isSwizzled(plan) ? `\n${SWIZZLE}\n` : ''}
// One complex sample, counted and scaled.
fn take(bits: vec2u) -> vec2f {
  top_signed = max(top_signed, bitcast<vec2i>(bits));
  top = max(top, bits);
  bottom = min(bottom, bits);
  let x = bitcast<vec2f>(bits) * params.scale;
  sum += x;
  square += x * x;
  cross += x.x * x.y;
  return x;
}

// Bits of the largest magnitude so far.
fn reach() -> u32 {
  let both = max(bitcast<vec2u>(top_signed) & vec2u(magnitude), top & vec2u(magnitude));
  return max(both.x, both.y);
}

// Smallest and largest sample so far; a thread that took none has the neutral ones.
fn lowest() -> vec2f {
  let bits = select(bottom, top, top > vec2u(magnitude));
  return select(bitcast<vec2f>(bits), vec2f(largest), bottom == vec2u(0xffffffffu));
}
fn highest() -> vec2f {
  let bits = select(bottom, bitcast<vec2u>(top_signed), top_signed >= vec2i(0));
  return select(bitcast<vec2f>(bits), vec2f(-largest), bottom == vec2u(0xffffffffu));
}

// The same reduction over the threads of the workgroup, for sums, minima and maxima.
fn sum_of_all(t: u32, value: f32) -> f32 {
  exchange[t] = value;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      exchange[t] += exchange[t + half];
    }
  }
  workgroupBarrier();
  let all = exchange[0];
  workgroupBarrier();
  return all;
}
fn least_of_all(t: u32, value: f32) -> f32 {
  exchange[t] = value;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      exchange[t] = min(exchange[t], exchange[t + half]);
    }
  }
  workgroupBarrier();
  let all = exchange[0];
  workgroupBarrier();
  return all;
}
`;

/** Expression for a field of the record; every thread evaluates it, because reductions hold barriers. */
const sumExpression = (field: SumField): string => {
  switch (field) {
    case 'slices':
      return 'n';
    case 'minI':
      return 'least_of_all(t, low.x)';
    case 'minQ':
      return 'least_of_all(t, low.y)';
    case 'maxI':
      return '-least_of_all(t, -high.x)';
    case 'maxQ':
      return '-least_of_all(t, -high.y)';
    case 'clipped':
      return 'sum_of_all(t, clipped)';
    case 'nonFinite':
      return 'sum_of_all(t, select(0.0f, 1.0f, reach() >= infinity_bits))';
    case 'meanI':
      return 'sum_of_all(t, mean_sum.x)';
    case 'meanQ':
      return 'sum_of_all(t, mean_sum.y)';
    case 'meanII':
      return 'sum_of_all(t, mean_square.x)';
    case 'meanQQ':
      return 'sum_of_all(t, mean_square.y)';
    case 'meanIQ':
      return 'sum_of_all(t, mean_cross)';
  }
};

/** WGSL text of the fused kernel; entry point `spectrum`, `plan.threads` invocations per workgroup. */
export function spectrumKernel(plan: SpectrumPlan, windowed: boolean): string {
  const points = Math.max(...plan.stages.map(({ radix }) => radix));
  const last = plan.stages.at(-1) as Stage;
  const own = upTo(last.radix);
  const slice = [
    ...upTo(points).map((r) => `var re${r} = 0.0f; var im${r} = 0.0f;`),
    'n += 1.0f;',
    'let share = 1.0f / n;',
    'sum = vec2f(0.0f);',
    'square = vec2f(0.0f);',
    'cross = 0.0f;',
    ...plan.stages.flatMap((_, index) => stageLines(plan, index, windowed)),
    '// |X|² and running moments',
    ...own.flatMap(welfordLines),
    'mean_sum += (sum - mean_sum) * share;',
    'mean_square += (square - mean_square) * share;',
    'mean_cross += (cross - mean_cross) * share;',
  ];
  const main = [
    ...own.map((r) => `var mean${r} = 0.0f; var spread${r} = 0.0f;`),
    'var mean_sum = vec2f(0.0f);',
    'var mean_square = vec2f(0.0f);',
    'var mean_cross = 0.0f;',
    'var n = 0.0f;',
    'for (var s = group.x; s < params.slices; s += params.workgroups) {',
    ...indent(slice),
    '}',
    '',
    'let partial = params.first_partial + group.x;',
    'let row = partial * 2u * bins + t;',
    ...own.map((r) => {
      const k = r * last.butterflies;
      return `moments[row + ${k}u] = mean${r}; moments[row + bins + ${k}u] = spread${r};`;
    }),
    '',
    'let low = lowest();',
    'let high = highest();',
    ...SUM_FIELDS.map((field) => `let all_${field} = ${sumExpression(field)};`),
    'if (t == 0u) {',
    ...indent(SUM_FIELDS.map((field, i) => `sums[partial * ${SUM_FIELDS.length}u + ${i}u] = all_${field};`)),
    '}',
  ];
  return [
    header(plan, windowed),
    helpers(plan),
    '@compute @workgroup_size(threads)',
    'fn spectrum(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3u) {',
    ...indent(main),
    '}',
    '',
  ].join('\n');
}
