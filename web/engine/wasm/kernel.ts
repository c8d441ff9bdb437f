/**
 * Prints the WebAssembly SIMD kernel of one transform length: four slices in, sums per bin out.
 *
 * Every f32x4 carries the same sample, or the same value of the transform, of four slices, so a butterfly is the
 * scalar butterfly with vector types, and any radix is as good as any other. One call of `group`:
 *
 *     first stage   4 slices × I, Q ──transpose, scale, window──▶ tile of butterflies ──▶ work
 *                   and on the way minima, maxima, ΣI ΣQ ΣI² ΣQ² ΣIQ per lane
 *     for each block r0 of `work`, which fits the L1 cache:
 *       middle stages in place
 *       last stage: |X|², transposed back to four bins per vector and one slice each,
 *                   pivot = |X|² of the block's first slice (only if `first`),
 *                   Σd += d, Σd² += d², d = |X|² − pivot, over the four slices in float32, then in float64
 *
 * Shifted sums (Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", section 3) lose no
 * digits to a strong steady line, since d is small there. Fewer than four slices left: the caller repeats the
 * block's first slice, whose d is exactly 0 because every lane computes the same operations.
 */
import {
  type Code,
  FunctionWriter,
  f32x4,
  get,
  i32,
  type Local,
  load,
  loadLane,
  ModuleWriter,
  op,
  shuffle,
  store,
} from '../../../bridge/protocol/wasm-emitter.ts';
import { type Codelet, dftCodelet } from '../../../shaders/codelet.ts';
import { COMPLEX_BYTES, type KernelPlan, LANES, type Stage } from './plan.ts';

/** Products that are added or subtracted: in one operation and rounded once, where the engine can. */
interface Arithmetic {
  /** c + a·b */
  add(c: Code, a: Code, b: Code): Code;
  /** c − a·b */
  sub(c: Code, a: Code, b: Code): Code;
  readonly fuses: boolean;
}
const PLAIN: Arithmetic = {
  add: (c, a, b) => op('f32x4.add', c, op('f32x4.mul', a, b)),
  sub: (c, a, b) => op('f32x4.sub', c, op('f32x4.mul', a, b)),
  fuses: false,
};
const FUSED: Arithmetic = {
  add: (c, a, b) => op('f32x4.relaxed_madd', a, b, c),
  sub: (c, a, b) => op('f32x4.relaxed_nmadd', a, b, c),
  fuses: true,
};

/** Complex vector value in two locals. */
interface Pair {
  readonly re: Local;
  readonly im: Local;
}

/**
 * Prints a codelet. Inputs are loaded where they are first needed and outputs handed on as soon as they are
 * there, which keeps the number of live registers down.
 */
function printCodelet(
  f: FunctionWriter,
  math: Arithmetic,
  codelet: Codelet,
  input: (index: number) => Code,
  output: (r: number, value: Pair) => void,
): void {
  const values: Code[] = [];
  const locals: Local[] = [];
  const due = new Map<number, number[]>();
  codelet.outputs.forEach(({ re, im }, r) => {
    const at = Math.max(re, im);
    due.set(at, [...(due.get(at) ?? []), r]);
  });
  const valueOf = (index: number): Code => {
    const known = values[index];
    if (known) return known;
    const local = f.local('v128');
    locals[index] = local;
    f.set(local, input((codelet.ops[index] as { index: number }).index));
    const code = get(local);
    values[index] = code;
    return code;
  };
  const products = math.fuses ? fusedProducts(codelet) : new Set<number>();
  const codeOf = (o: Exclude<Codelet['ops'][number], { kind: 'input' | 'const' }>): Code => {
    if (o.kind === 'neg') return op('f32x4.neg', valueOf(o.a));
    const product = codelet.ops[products.has(o.b) ? o.b : o.a] as { a: number; b: number };
    const other = products.has(o.b) ? o.a : o.b;
    if (o.kind === 'mul' || !(products.has(o.a) || products.has(o.b)))
      return op(`f32x4.${o.kind}`, valueOf(o.a), valueOf(o.b));
    return math[o.kind](valueOf(other), valueOf(product.a), valueOf(product.b));
  };
  codelet.ops.forEach((o, index) => {
    if (o.kind === 'input' || products.has(index)) return;
    if (o.kind === 'const') {
      values[index] = f32x4(o.value);
      return;
    }
    const code = codeOf(o);
    const local = f.let('v128', code);
    locals[index] = local;
    values[index] = get(local);
    for (const r of due.get(index) ?? []) {
      const { re, im } = codelet.outputs[r] as Codelet['outputs'][number];
      output(r, { re: locals[re] as Local, im: locals[im] as Local });
    }
  });
}

/** Products of a codelet that are only added or subtracted, and not to each other: they need no value of their own. */
function fusedProducts({ ops, outputs }: Codelet): Set<number> {
  const kept = new Set(outputs.flatMap(({ re, im }) => [re, im]));
  const isProduct = (index: number): boolean => ops[index]?.kind === 'mul';
  for (const o of ops) {
    if (o.kind === 'input' || o.kind === 'const') continue;
    if (o.kind !== 'add') kept.add(o.a);
    if (o.kind === 'mul') kept.add(o.b);
    if (o.kind === 'add' && isProduct(o.a) && isProduct(o.b)) kept.add(o.a);
  }
  return new Set([...ops.keys()].filter((index) => isProduct(index) && !kept.has(index)));
}

/** Writes value · w to `address + offset`, w = cos, sin at `twiddle + at`. */
function storeTwiddled(
  f: FunctionWriter,
  math: Arithmetic,
  { re, im }: Pair,
  address: Code,
  offset: number,
  twiddle: Code,
  at: number,
): void {
  const c = f.let('v128', load('v128.load32_splat', twiddle, at));
  const s = f.let('v128', load('v128.load32_splat', twiddle, at + 4));
  const mul = (a: Local, b: Local): Code => op('f32x4.mul', get(a), get(b));
  f.emit(store('v128.store', address, offset, math.sub(mul(re, c), get(im), get(s))));
  f.emit(store('v128.store', address, offset + 16, math.add(mul(re, s), get(im), get(c))));
}

/** One butterfly: inputs at `from`, `inputStep` bytes apart; outputs, with twiddles, at `to`. */
function butterfly(
  f: FunctionWriter,
  math: Arithmetic,
  { radix, stride, twiddles }: Stage,
  from: Code,
  fromOffset: number,
  inputStep: number,
  to: Code,
  toOffset: number,
  twiddle: Code,
): void {
  printCodelet(
    f,
    math,
    dftCodelet(radix),
    (index) => load('v128.load', from, fromOffset + (index >> 1) * inputStep + (index & 1) * 16),
    (r, value) => {
      const offset = toOffset + r * stride * COMPLEX_BYTES;
      if (r > 0) return storeTwiddled(f, math, value, to, offset, twiddle, twiddles + 8 * (r - 1));
      f.emit(store('v128.store', to, offset, get(value.re)));
      f.emit(store('v128.store', to, offset + 16, get(value.im)));
    },
  );
}

/** Four vectors, one per slice with four samples each, become four vectors, one per sample; or back. */
function transpose(f: FunctionWriter, rows: readonly Code[]): Local[] {
  const [a, b, c, d] = rows.map((row) => f.let('v128', row)) as [Local, Local, Local, Local];
  const low = [0, 4, 1, 5] as const;
  const high = [2, 6, 3, 7] as const;
  const ab0 = f.let('v128', shuffle(get(a), get(b), low));
  const ab1 = f.let('v128', shuffle(get(a), get(b), high));
  const cd0 = f.let('v128', shuffle(get(c), get(d), low));
  const cd1 = f.let('v128', shuffle(get(c), get(d), high));
  return [
    f.let('v128', shuffle(get(ab0), get(cd0), [0, 1, 4, 5])),
    f.let('v128', shuffle(get(ab0), get(cd0), [2, 3, 6, 7])),
    f.let('v128', shuffle(get(ab1), get(cd1), [0, 1, 4, 5])),
    f.let('v128', shuffle(get(ab1), get(cd1), [2, 3, 6, 7])),
  ];
}

/** Sum of vectors as a balanced tree: short dependency chains, small rounding error. */
function total(name: 'f32x4.add' | 'f32x4.pmin' | 'f32x4.pmax', values: readonly Code[]): Code {
  const [only, other] = values;
  if (!only) throw new Error('nothing to add up');
  if (!other) return only;
  const half = values.length >> 1;
  return op(name, total(name, values.slice(0, half)), total(name, values.slice(half)));
}

/** Sum of a[n]·b[n] as a balanced tree of sums of two products. */
function totalOfProducts(math: Arithmetic, a: readonly Code[], b: readonly Code[]): Code {
  const [a0, a1, ...more] = a;
  const [b0, b1] = b;
  if (!a0 || !b0) throw new Error('nothing to add up');
  if (!a1 || !b1) return op('f32x4.mul', a0, b0);
  if (more.length === 0) return math.add(op('f32x4.mul', a0, b0), a1, b1);
  const half = a.length >> 1;
  const halves = [
    [0, half],
    [half, a.length],
  ] as const;
  const [left, right] = halves.map(([from, to]) =>
    totalOfProducts(math, a.slice(from, to), b.slice(from, to)),
  );
  return op('f32x4.add', left as Code, right as Code);
}

/** Running minima, maxima and sums of the first stage; names say what is summed. */
interface Statistics {
  readonly minI: Local;
  readonly maxI: Local;
  readonly minQ: Local;
  readonly maxQ: Local;
  /** I, Q, I², Q², I·Q of one tile, in float32. */
  readonly sums: readonly Local[];
}

/** Adds vectors of samples, one slice per lane, to the statistics. */
function addStatistics(
  f: FunctionWriter,
  math: Arithmetic,
  s: Statistics,
  i: readonly Local[],
  q: readonly Local[],
): void {
  const update = (name: 'f32x4.add' | 'f32x4.pmin' | 'f32x4.pmax', into: Local, values: readonly Code[]) =>
    f.set(into, op(name, get(into), total(name, values)));
  update('f32x4.pmin', s.minI, i.map(get));
  update('f32x4.pmax', s.maxI, i.map(get));
  update('f32x4.pmin', s.minQ, q.map(get));
  update('f32x4.pmax', s.maxQ, q.map(get));
  const [sumI, sumQ, ...sumsOfProducts] = s.sums as [Local, Local, ...Local[]];
  update('f32x4.add', sumI, i.map(get));
  update('f32x4.add', sumQ, q.map(get));
  const factors = [
    [i, i],
    [q, q],
    [i, q],
  ] as const;
  factors.forEach(([a, b], n) => {
    const sum = sumsOfProducts[n] as Local;
    f.set(sum, op('f32x4.add', get(sum), totalOfProducts(math, a.map(get), b.map(get))));
  });
}

/** memory[address] (two f64x2, lanes 0–1 and 2–3) += the four float32 lanes. */
function addPromoted(f: FunctionWriter, address: Code, offset: number, vector: Local): void {
  const halves = [get(vector), shuffle(get(vector), get(vector), [2, 3, 2, 3])];
  halves.forEach((half, n) => {
    const at = offset + 16 * n;
    const sum = op('f64x2.add', load('v128.load', address, at), op('f64x2.promote_low_f32x4', half));
    f.emit(store('v128.store', address, at, sum));
  });
}

/** `tile` neighbouring samples of the four slices at byte `at`, scaled, one slice per lane. */
function loadSamples(f: FunctionWriter, plan: KernelPlan, at: Local, base: number, scale: Local): Local[] {
  const offset = (lane: number): number => base + lane * 4 * plan.bins;
  if (plan.tile === 4)
    return transpose(
      f,
      Array.from({ length: LANES }, (_, lane) =>
        op('f32x4.mul', load('v128.load', get(at), offset(lane)), get(scale)),
      ),
    );
  let vector = load('v128.load32_zero', get(at), offset(0));
  for (let lane = 1; lane < LANES; lane++) vector = loadLane(get(at), offset(lane), lane, vector);
  return [f.let('v128', op('f32x4.mul', vector, get(scale)))];
}

/** First stage: `group`'s samples from the four slices into `work`. Parameter: scale. */
function firstStage(plan: KernelPlan, math: Arithmetic, windowed: boolean): FunctionWriter {
  const f = new FunctionWriter(['f32']);
  const stage = plan.stages[0] as Stage;
  const { layout, tile } = plan;
  const { radix, stride } = stage;
  const scale = f.let('v128', op('f32x4.splat', get(f.parameter(0))));
  const range = [0, 1, 2, 3].map((n) => f.let('v128', load('v128.load', i32(layout.range + 16 * n))));
  const [minI, maxI, minQ, maxQ] = range as [Local, Local, Local, Local];
  const sums = Array.from({ length: 5 }, () => f.local('v128'));
  const j = f.local('i32');
  const at = f.local('i32');
  const end = f.local('i32');
  const slot = f.local('i32');
  const to = f.let('i32', i32(layout.work));
  const twiddle = f.let('i32', i32(0));
  f.loop(j, i32(0), i32(4 * stride), 4 * tile, () => {
    for (const sum of sums) f.set(sum, f32x4(0));
    f.set(slot, i32(0));
    f.set(end, op('i32.add', get(j), i32(4 * stride * radix)));
    f.loop(at, get(j), get(end), 4 * stride, () => {
      const i = loadSamples(f, plan, at, layout.i, scale);
      const q = loadSamples(f, plan, at, layout.q, scale);
      addStatistics(f, math, { minI, maxI, minQ, maxQ, sums }, i, q);
      const taper = (n: number, x: Local): Code =>
        windowed
          ? op('f32x4.mul', get(x), load('v128.load32_splat', get(at), layout.window + 4 * n))
          : get(x);
      for (let n = 0; n < tile; n++) {
        const offset = layout.tile + n * radix * COMPLEX_BYTES;
        f.emit(store('v128.store', get(slot), offset, taper(n, i[n] as Local)));
        f.emit(store('v128.store', get(slot), offset + 16, taper(n, q[n] as Local)));
      }
      f.set(slot, op('i32.add', get(slot), i32(COMPLEX_BYTES)));
    });
    sums.forEach((sum, n) => addPromoted(f, i32(layout.timeSums + 32 * n), 0, sum));
    f.loop(slot, i32(0), i32(tile * radix * COMPLEX_BYTES), radix * COMPLEX_BYTES, () => {
      butterfly(f, math, stage, get(slot), layout.tile, COMPLEX_BYTES, get(to), 0, get(twiddle));
      f.set(to, op('i32.add', get(to), i32(COMPLEX_BYTES)));
      f.set(twiddle, op('i32.add', get(twiddle), i32(8 * (radix - 1))));
    });
  });
  range.forEach((local, n) => f.emit(store('v128.store', i32(layout.range + 16 * n), 0, get(local))));
  return f;
}

/** A stage in place over one block. Parameters: first byte of the block, byte after it. */
function middleStage(stage: Stage, math: Arithmetic): FunctionWriter {
  const f = new FunctionWriter(['i32', 'i32']);
  const [from, end] = [f.parameter(0), f.parameter(1)];
  const { radix, stride } = stage;
  const twiddle = f.local('i32');
  const step = stride * COMPLEX_BYTES;
  f.loopWhile(
    () => {
      f.loop(twiddle, i32(0), i32(8 * (radix - 1) * stride), 8 * (radix - 1), () => {
        butterfly(f, math, stage, get(from), 0, step, get(from), 0, get(twiddle));
        f.set(from, op('i32.add', get(from), i32(COMPLEX_BYTES)));
      });
      f.set(from, op('i32.add', get(from), i32((radix - 1) * step)));
    },
    () => op('i32.ne', get(from), get(end)),
  );
  return f;
}

/** Four bins of four slices into the sums at position `row` + 4·n; `row` counts positions. */
function accumulate(
  f: FunctionWriter,
  math: Arithmetic,
  { layout }: KernelPlan,
  powers: readonly Code[],
  row: Local,
  n: number,
  isFirst: boolean,
): void {
  const slices = transpose(f, powers);
  const pivotAddress = op('i32.shl', get(row), i32(2));
  const sumAddress = op('i32.shl', get(row), i32(3));
  const pivot = isFirst
    ? (slices[0] as Local)
    : f.let('v128', load('v128.load', pivotAddress, layout.pivot + 16 * n));
  if (isFirst) f.emit(store('v128.store', pivotAddress, layout.pivot + 16 * n, get(pivot)));
  const deviations = slices.map((p) => f.let('v128', op('f32x4.sub', get(p), get(pivot))));
  const d = deviations.map(get);
  addPromoted(f, sumAddress, layout.sum + 32 * n, f.let('v128', total('f32x4.add', d)));
  addPromoted(f, sumAddress, layout.sumSquares + 32 * n, f.let('v128', totalOfProducts(math, d, d)));
}

/** Last stage over one block. Parameters: first byte of the block, byte after it, first position of its sums. */
function lastStage(plan: KernelPlan, math: Arithmetic, isFirst: boolean): FunctionWriter {
  const f = new FunctionWriter(['i32', 'i32', 'i32']);
  const [from, end, row] = [f.parameter(0), f.parameter(1), f.parameter(2)];
  const { radix } = plan.stages.at(-1) as Stage;
  f.loopWhile(
    () => {
      const powers: Code[] = [];
      const done = new Set<number>();
      printCodelet(
        f,
        math,
        dftCodelet(radix),
        (index) => load('v128.load', get(from), 16 * index),
        (r, { re, im }) => {
          powers[r] = get(f.let('v128', math.add(op('f32x4.mul', get(re), get(re)), get(im), get(im))));
          const n = r >> 2;
          const ready = [0, 1, 2, 3].every((k) => 4 * n + k >= radix || powers[4 * n + k]);
          if (!ready || done.has(n)) return;
          done.add(n);
          const four = [0, 1, 2, 3].map((k) => powers[4 * n + k] ?? f32x4(0));
          accumulate(f, math, plan, four, row, n, isFirst);
        },
      );
      f.set(from, op('i32.add', get(from), i32(radix * COMPLEX_BYTES)));
      f.set(row, op('i32.add', get(row), i32(plan.rowLength)));
    },
    () => op('i32.ne', get(from), get(end)),
  );
  return f;
}

/** Exported: `group(first, scale)`, see the top of the file. */
function group(
  plan: KernelPlan,
  indices: { first: number; middle: number[]; last: number; lastFirst: number },
) {
  const f = new FunctionWriter(['i32', 'f32']);
  const { layout, stages, bins, rowLength } = plan;
  const { stride } = stages[0] as Stage;
  const last = stages.at(-1) as Stage;
  const blockBytes = stride * COMPLEX_BYTES;
  const block = f.local('i32');
  const end = f.local('i32');
  const row = f.local('i32');
  f.call(indices.first, get(f.parameter(1)));
  f.loop(block, i32(layout.work), i32(layout.work + bins * COMPLEX_BYTES), blockBytes, () => {
    f.set(end, op('i32.add', get(block), i32(blockBytes)));
    for (const index of indices.middle) f.call(index, get(block), get(end));
    f.ifElse(
      get(f.parameter(0)),
      () => f.call(indices.lastFirst, get(block), get(end), get(row)),
      () => f.call(indices.last, get(block), get(end), get(row)),
    );
    f.set(row, op('i32.add', get(row), i32((stride / last.radix) * rowLength)));
  });
  return f;
}

export interface KernelOptions {
  readonly windowed: boolean;
  /** With multiplications and additions in one, which takes an engine with relaxed SIMD. */
  readonly fused: boolean;
}

/** The module of one length: exports `memory` and `group(first: i32, scale: f32)`. */
export function printKernel(plan: KernelPlan, { windowed, fused }: KernelOptions): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const math = fused ? FUSED : PLAIN;
  const indices = {
    first: module.add(firstStage(plan, math, windowed)),
    middle: plan.stages.slice(1, -1).map((stage) => module.add(middleStage(stage, math))),
    last: module.add(lastStage(plan, math, false)),
    lastFirst: module.add(lastStage(plan, math, true)),
  };
  module.add(group(plan, indices), 'group');
  return module.bytes(plan.layout.bytes);
}
