/** The plan and the printed kernels, without a GPU: index formulas, tables and limits. */
import { expect, test } from 'vitest';
import { type Codelet, dftCodelet, type Op } from '../../shaders/codelet.ts';
import { exchangesOf } from '../../shaders/exchange.ts';
import { gpuLengths, type SpectrumPlan, spectrumPlan, type Stage, twiddleTable } from '../../shaders/plan.ts';
import { f32Literal, spectrumKernel } from '../../shaders/spectrum.ts';
import { gaussian } from '../engine/accuracy.ts';
import { ReferenceFft } from '../engine/reference.ts';

/** What every WebGPU device has without asking. */
const DEFAULT_THREADS = 256;
const DEFAULT_WORKGROUP_BYTES = 16_384;

/** Twiddles are float32, everything else here float64: u·√stages, 4 u to be safe. */
const PLAN_TOLERANCE = 2.5e-7;

/** Evaluates a codelet in float64. */
function evaluate(codelet: Codelet, input: readonly number[]): number[] {
  const values: number[] = [];
  const at = (i: number): number => values[i] as number;
  const one = (op: Op): number => {
    switch (op.kind) {
      case 'input':
        return input[op.index] as number;
      case 'const':
        return op.value;
      case 'add':
        return at(op.a) + at(op.b);
      case 'sub':
        return at(op.a) - at(op.b);
      case 'mul':
        return at(op.a) * at(op.b);
      case 'neg':
        return -at(op.a);
    }
  };
  for (const op of codelet.ops) values.push(one(op));
  return codelet.outputs.flatMap(({ re, im }) => [at(re), at(im)]);
}

/** The stages as the plan's header describes them, one thread after the other. */
function runPlan(plan: SpectrumPlan, re: ArrayLike<number>, im: ArrayLike<number>) {
  const table = twiddleTable(plan);
  let from = Array.from({ length: plan.bins }, (_, n) => [re[n] as number, im[n] as number]);
  for (const { radix, span, butterflies, twiddles } of plan.stages) {
    const to = Array.from({ length: plan.bins }, (): number[] => []);
    const codelet = dftCodelet(radix);
    for (let t = 0; t < butterflies; t++) {
      const input = Array.from({ length: radix }, (_, r) => {
        const [a, b] = from[t + r * butterflies] as [number, number];
        if (r === 0 || span === 1) return [a, b];
        const w = 2 * (twiddles + (r - 1) * span + (t % span));
        const [c, s] = [table[w] as number, table[w + 1] as number];
        return [a * c - b * s, a * s + b * c];
      });
      const output = evaluate(codelet, input.flat());
      for (let k = 0; k < radix; k++) {
        to[Math.floor(t / span) * span * radix + (t % span) + k * span] = output.slice(2 * k, 2 * k + 2);
      }
    }
    from = to;
  }
  return from as [number, number][];
}

test.each(gpuLengths)('the plan of %i bins is the transform', (bins) => {
  const re = gaussian(bins, 5);
  const im = gaussian(bins, 6);
  const reference = new ReferenceFft(bins);
  reference.transform(re, im);
  const found = runPlan(spectrumPlan(bins), re, im);
  const worst = found.reduce(
    (most, [a, b], k) =>
      Math.max(most, Math.hypot(a - (reference.re[k] as number), b - (reference.im[k] as number))),
    0,
  );
  expect(worst / Math.sqrt(2 * bins)).toBeLessThan(PLAN_TOLERANCE);
});

test.each(gpuLengths)('%i bins need no more than every device has', (bins) => {
  const plan = spectrumPlan(bins);
  expect(plan.threads).toBeLessThanOrEqual(DEFAULT_THREADS);
  expect(Math.log2(plan.threads) % 1).toBe(0); // the reductions halve
  for (const { words } of exchangesOf(plan)) expect(4 * words).toBeLessThanOrEqual(DEFAULT_WORKGROUP_BYTES);
  for (const stage of plan.stages) expect(stage.butterflies).toBeLessThanOrEqual(plan.threads);
});

test('lengths that the GPU does not transform are refused by name', () => {
  expect(() => spectrumPlan(6144)).toThrow('256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096 bins, not 6144');
});

/** Of each exchange, for the accesses of 32 neighbouring threads, as its header claims. */
test.each(gpuLengths)('the exchanges of %i bins lose no word and have no bank conflict', (bins) => {
  const plan = spectrumPlan(bins);
  for (const [n, { place, words }] of exchangesOf(plan).entries()) {
    const places = new Set(Array.from({ length: bins }, (_, a) => place(a)));
    expect(places.size).toBe(bins);
    expect(Math.max(...places)).toBeLessThan(words);
    const from = plan.stages[n] as Stage;
    const to = plan.stages[n + 1] as Stage;
    const { radix, span } = from;
    const write = (t: number, k: number) => Math.floor(t / span) * span * radix + (t % span) + k * span;
    const read = (t: number, r: number) => t + r * to.butterflies;
    expect(conflicts(from, (t, k) => place(write(t, k)))).toBe(0);
    // 48 threads read from where no multiple of 32 lies: bins of two rows, one word in 32 twice.
    expect(conflicts(to, (t, r) => place(read(t, r)))).toBeLessThanOrEqual(bins === 384 ? 16 : 0);
  }
});

/** Words that have to wait for another one of the same bank. */
function conflicts({ radix, butterflies }: Stage, address: (t: number, point: number) => number): number {
  let waiting = 0;
  for (let first = 0; first < butterflies; first += 32) {
    const threads = Array.from({ length: Math.min(32, butterflies - first) }, (_, i) => first + i);
    for (let point = 0; point < radix; point++)
      waiting += threads.length - new Set(threads.map((t) => address(t, point) % 32)).size;
  }
  return waiting;
}

test('literals read back to the float32 they stand for', () => {
  expect(f32Literal(1)).toBe('1.0f');
  expect(f32Literal(-0.5)).toBe('-0.5f');
  expect(f32Literal(1e-20)).toMatch(/^9\.99\d+e-21f$/);
  for (const value of [Math.SQRT1_2, Math.sqrt(3) / 2, Math.cos(Math.PI / 8), 1e-20, 3e38]) {
    expect(Math.fround(Number(f32Literal(value).slice(0, -1)))).toBe(Math.fround(value));
  }
});

test('the kernel of the default length has the proposed shape', () => {
  const text = spectrumKernel(spectrumPlan(3072), false);
  expect(text).toContain('radices 16·16·12');
  expect(text).toContain('const threads = 256u;');
  expect(text).not.toContain('taper');
  const loop = text.slice(text.indexOf('for (var s ='), text.indexOf('let partial ='));
  // Two exchanges, two parts each, a barrier after writing and one after reading.
  expect(loop.match(/workgroupBarrier\(\);/g)).toHaveLength(8);
  // Once on the way, and once more in the loop that counts what is clipped.
  expect(loop.match(/samples\[at_[iq]/g)).toHaveLength(32 + 2);
  expect(loop.match(/twiddles\[/g)).toHaveLength(15 + 11);
  expect(loop).toContain('let u = min(t, 191u); let first = u * 16u + u / 2u;');
  expect(loop).toContain('let u = min(t, 191u); let first = (u / 16u) * 272u + u % 16u;');
  expect(text).toContain('moments[row + 2816u] = mean11; moments[row + bins + 2816u] = spread11;');
  expect(spectrumKernel(spectrumPlan(3072), true)).toContain('* taper[t + 2880u]');
});
