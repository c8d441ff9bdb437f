import { expect, test } from 'vitest';
import { type Codelet, dftCodelet } from '../../shaders/codelet.ts';
import { gaussian } from './accuracy.ts';
import { plainDft } from './reference.ts';

/** Float64 through at most ten levels of additions. */
const FLOAT64_TOLERANCE = 1e-13;

/** Evaluates a codelet in float64, operation by operation. */
function evaluate({ ops, outputs }: Codelet, re: ArrayLike<number>, im: ArrayLike<number>) {
  const values: number[] = [];
  const at = (index: number): number => values[index] as number;
  for (const o of ops) {
    switch (o.kind) {
      case 'input':
        values.push((o.index % 2 === 0 ? re : im)[o.index >> 1] as number);
        break;
      case 'const':
        values.push(o.value);
        break;
      case 'neg':
        values.push(-at(o.a));
        break;
      case 'add':
        values.push(at(o.a) + at(o.b));
        break;
      case 'sub':
        values.push(at(o.a) - at(o.b));
        break;
      case 'mul':
        values.push(at(o.a) * at(o.b));
        break;
    }
  }
  return outputs.map((z) => [at(z.re), at(z.im)] as const);
}

test.each([2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 27, 32, 48])(
  'radix %d is the DFT by its definition',
  (radix) => {
    const x = gaussian(2 * radix, radix);
    const re = x.subarray(0, radix);
    const im = x.subarray(radix);
    const expected = plainDft(re, im);
    evaluate(dftCodelet(radix), re, im).forEach(([a, b], k) => {
      expect(Math.abs(a - (expected.re[k] as number))).toBeLessThan(FLOAT64_TOLERANCE * radix);
      expect(Math.abs(b - (expected.im[k] as number))).toBeLessThan(FLOAT64_TOLERANCE * radix);
    });
  },
);

/** Real additions and multiplications that these lengths are known to take by these rules. */
test.each([
  [4, 16, 0],
  [8, 52, 4],
  [12, 96, 16],
  [16, 144, 24],
] as const)(
  'radix %d takes %d additions, %d multiplications and no negation',
  (radix, additions, products) => {
    const { ops } = dftCodelet(radix);
    const count = (...kinds: string[]) => ops.filter(({ kind }) => kinds.includes(kind)).length;
    expect([count('add', 'sub'), count('mul'), count('neg')]).toEqual([additions, products, 0]);
  },
);

test('every operation is used, and only after its operands', () => {
  for (const radix of [6, 9, 16, 24]) {
    const { ops, outputs } = dftCodelet(radix);
    const used = new Set(outputs.flatMap(({ re, im }) => [re, im]));
    ops.forEach((o, index) => {
      for (const operand of [...('a' in o ? [o.a] : []), ...('b' in o ? [o.b] : [])]) {
        expect(operand).toBeLessThan(index);
        used.add(operand);
      }
    });
    ops.forEach((o, index) => expect(used.has(index) || o.kind === 'input').toBe(true));
  }
});

test('a prime radix above 3 has no codelet', () => {
  expect(() => dftCodelet(5)).toThrow('no codelet for prime radix 5');
});
