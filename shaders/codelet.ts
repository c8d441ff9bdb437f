/**
 * Straight-line DFTs of small length as a list of real operations, from which WGSL and WebAssembly are printed.
 *
 * A codelet of radix R takes R complex inputs and gives X[k] = Σ_r x[r]·exp(−2πi·k·r/R). It is built once from
 * three rules and then only printed, so both kernels compute the same thing in the same order:
 * - R = 2, 3, 4 by hand;
 * - R = a·b with coprime a, b by Good–Thomas (no inner twiddles);
 * - any other R = a·b by Cooley–Tukey with constant twiddles in between.
 * Constants come from float64 and are rounded once, by whoever prints them.
 */

/** A value of the codelet: index into `ops`. */
export type Value = number;

export type Op =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'const'; readonly value: number }
  | { readonly kind: 'add' | 'sub' | 'mul'; readonly a: Value; readonly b: Value }
  | { readonly kind: 'neg'; readonly a: Value };

/** Complex number of the codelet. */
export interface Complex {
  readonly re: Value;
  readonly im: Value;
}

export interface Codelet {
  readonly radix: number;
  /** In order of evaluation; inputs 0 … 2R−1 are re0, im0, re1, im1, … */
  readonly ops: readonly Op[];
  readonly outputs: readonly Complex[];
}

class Builder {
  readonly ops: Op[] = [];
  readonly #constants = new Map<number, Value>();

  emit(op: Op): Value {
    return this.ops.push(op) - 1;
  }
  constant(value: number): Value {
    const known = this.#constants.get(value);
    if (known !== undefined) return known;
    const made = this.emit({ kind: 'const', value });
    this.#constants.set(value, made);
    return made;
  }
  /** The value whose negative `a` is, if it is one. */
  #negated(a: Value): Value | undefined {
    const made = this.ops[a];
    return made?.kind === 'neg' ? made.a : undefined;
  }
  /** a + b; a sign goes into the operation that uses it, which saves the negation. */
  add(a: Value, b: Value): Value {
    const [minusA, minusB] = [this.#negated(a), this.#negated(b)];
    if (minusB !== undefined) return this.emit({ kind: 'sub', a, b: minusB });
    if (minusA !== undefined) return this.emit({ kind: 'sub', a: b, b: minusA });
    return this.emit({ kind: 'add', a, b });
  }
  sub(a: Value, b: Value): Value {
    const minusB = this.#negated(b);
    if (minusB !== undefined) return this.emit({ kind: 'add', a, b: minusB });
    return this.emit({ kind: 'sub', a, b });
  }
  scale = (a: Value, factor: number): Value => this.emit({ kind: 'mul', a, b: this.constant(factor) });
  neg = (a: Value): Value => this.emit({ kind: 'neg', a });

  plus = (x: Complex, y: Complex): Complex => ({ re: this.add(x.re, y.re), im: this.add(x.im, y.im) });
  minus = (x: Complex, y: Complex): Complex => ({ re: this.sub(x.re, y.re), im: this.sub(x.im, y.im) });
}

/** x · exp(−2πi·k/n), with the multiples of 1/8 turn written without a full complex product. */
function turn(b: Builder, x: Complex, k: number, n: number): Complex {
  const eighths = (8 * (((k % n) + n) % n)) / n;
  const h = Math.SQRT1_2;
  switch (eighths) {
    case 0:
      return x;
    case 1:
      return { re: b.scale(b.add(x.re, x.im), h), im: b.scale(b.sub(x.im, x.re), h) };
    case 2:
      return { re: x.im, im: b.neg(x.re) };
    case 3:
      return { re: b.scale(b.sub(x.im, x.re), h), im: b.scale(b.add(x.re, x.im), -h) };
    case 4:
      return { re: b.neg(x.re), im: b.neg(x.im) };
    case 6:
      return { re: b.neg(x.im), im: x.re };
    default: {
      const c = Math.cos((2 * Math.PI * k) / n);
      const s = Math.sin((2 * Math.PI * k) / n);
      return {
        re: b.add(b.scale(x.re, c), b.scale(x.im, s)),
        im: b.sub(b.scale(x.im, c), b.scale(x.re, s)),
      };
    }
  }
}

function dft2(b: Builder, [p, q]: readonly Complex[]): Complex[] {
  if (!p || !q) throw new Error('dft2 needs two inputs');
  return [b.plus(p, q), b.minus(p, q)];
}

/** X0 = p + (q+r); X1,2 = p − (q+r)/2 ∓ i·(√3/2)·(q−r). */
function dft3(b: Builder, [p, q, r]: readonly Complex[]): Complex[] {
  if (!p || !q || !r) throw new Error('dft3 needs three inputs');
  const sum = b.plus(q, r);
  const diff = b.minus(q, r);
  const half = { re: b.sub(p.re, b.scale(sum.re, 0.5)), im: b.sub(p.im, b.scale(sum.im, 0.5)) };
  const h = Math.sqrt(3) / 2;
  const side = { re: b.scale(diff.im, h), im: b.scale(diff.re, h) };
  return [
    b.plus(p, sum),
    { re: b.add(half.re, side.re), im: b.sub(half.im, side.im) },
    { re: b.sub(half.re, side.re), im: b.add(half.im, side.im) },
  ];
}

function dft4(b: Builder, [p, q, r, s]: readonly Complex[]): Complex[] {
  if (!p || !q || !r || !s) throw new Error('dft4 needs four inputs');
  const evenSum = b.plus(p, r);
  const evenDiff = b.minus(p, r);
  const oddSum = b.plus(q, s);
  const oddDiff = b.minus(q, s);
  return [
    b.plus(evenSum, oddSum),
    { re: b.add(evenDiff.re, oddDiff.im), im: b.sub(evenDiff.im, oddDiff.re) },
    b.minus(evenSum, oddSum),
    { re: b.sub(evenDiff.re, oddDiff.im), im: b.add(evenDiff.im, oddDiff.re) },
  ];
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** First factor of a composite radix: 4 where it divides, so that 8 = 4·2, 12 = 4·3, 16 = 4·4. */
const firstFactor = (radix: number): number => [4, 3, 2].find((f) => radix % f === 0 && radix > f) ?? radix;

/**
 * Good–Thomas for coprime a·b = n: input index (b·i1 + a·i2) mod n; output k with k ≡ k1 mod a, k ≡ k2 mod b.
 */
function goodThomas(b: Builder, x: readonly Complex[], n1: number, n2: number): Complex[] {
  const n = n1 * n2;
  const columns = Array.from({ length: n2 }, (_column, i2) =>
    dft(
      b,
      Array.from({ length: n1 }, (_, i1) => x[(n2 * i1 + n1 * i2) % n] as Complex),
    ),
  );
  const out = new Array<Complex>(n);
  for (let k1 = 0; k1 < n1; k1++) {
    const row = dft(
      b,
      columns.map((column) => column[k1] as Complex),
    );
    for (let k = 0; k < n; k++) if (k % n1 === k1) out[k] = row[k % n2] as Complex;
  }
  return out;
}

/** Cooley–Tukey: input index n2·i1 + i2, twiddle W_n^(i2·k1), output index k1 + n1·k2. */
function cooleyTukey(b: Builder, x: readonly Complex[], n1: number, n2: number): Complex[] {
  const n = n1 * n2;
  const columns = Array.from({ length: n2 }, (_column, i2) =>
    dft(
      b,
      Array.from({ length: n1 }, (_, i1) => x[n2 * i1 + i2] as Complex),
    ).map((value, k1) => turn(b, value, i2 * k1, n)),
  );
  const out = new Array<Complex>(n);
  for (let k1 = 0; k1 < n1; k1++) {
    const row = dft(
      b,
      columns.map((column) => column[k1] as Complex),
    );
    for (let k2 = 0; k2 < n2; k2++) out[k1 + n1 * k2] = row[k2] as Complex;
  }
  return out;
}

function dft(b: Builder, x: readonly Complex[]): Complex[] {
  const n = x.length;
  if (n === 1) return [...x];
  if (n === 2) return dft2(b, x);
  if (n === 3) return dft3(b, x);
  if (n === 4) return dft4(b, x);
  const n1 = firstFactor(n);
  const n2 = n / n1;
  if (n1 === n) throw new Error(`no codelet for prime radix ${n}`);
  return gcd(n1, n2) === 1 ? goodThomas(b, x, n1, n2) : cooleyTukey(b, x, n1, n2);
}

/** Drops operations that nothing uses: negations whose sign went elsewhere. Inputs stay. */
function withoutUnused({ radix, ops, outputs }: Codelet): Codelet {
  const used = new Set(outputs.flatMap(({ re, im }) => [re, im]));
  for (let index = ops.length - 1; index >= 0; index--) {
    const made = ops[index] as Op;
    if (!used.has(index)) continue;
    if ('a' in made) used.add(made.a);
    if ('b' in made) used.add(made.b);
  }
  const kept = ops.flatMap((made, index) => (used.has(index) || made.kind === 'input' ? [index] : []));
  const moved = new Map(kept.map((from, to) => [from, to]));
  const at = (value: Value): Value => moved.get(value) as Value;
  return {
    radix,
    ops: kept.map((from) => {
      const made = ops[from] as Op;
      if (made.kind === 'input' || made.kind === 'const') return made;
      return made.kind === 'neg' ? { ...made, a: at(made.a) } : { ...made, a: at(made.a), b: at(made.b) };
    }),
    outputs: outputs.map(({ re, im }) => ({ re: at(re), im: at(im) })),
  };
}

/** The forward DFT of `radix` points; radix = 2^a · 3^b. */
export function dftCodelet(radix: number): Codelet {
  const b = new Builder();
  const inputs = Array.from({ length: radix }, (_, r) => ({
    re: b.emit({ kind: 'input', index: 2 * r }),
    im: b.emit({ kind: 'input', index: 2 * r + 1 }),
  }));
  const outputs = dft(b, inputs);
  return withoutUnused({ radix, ops: b.ops, outputs });
}
