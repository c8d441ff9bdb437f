/**
 * What the fused kernel must give, in float64 and in the plainest form: a recursive transform by the smallest
 * factor, and moments in two passes. It shares neither plan, nor table, nor codelet with the kernel.
 */

export interface SpectrumTwinInput {
  readonly bins: number;
  readonly samples: ArrayLike<number>;
  /** Index of the first I and of the first Q sample of every slice. */
  readonly slices: readonly (readonly [number, number])[];
  readonly workgroups: number;
  readonly scale: number;
  readonly clipLevel: number;
  /** [bins], or nothing for no window. */
  readonly taper?: ArrayLike<number>;
}

/** One workgroup's partial result; [bins] in the order of the FFT. */
export interface SpectrumTwinPartial {
  readonly slices: number;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
  readonly minI: number;
  readonly minQ: number;
  readonly maxI: number;
  readonly maxQ: number;
  readonly clipped: number;
  readonly nonFinite: number;
  readonly meanI: number;
  readonly meanQ: number;
  readonly meanII: number;
  readonly meanQQ: number;
  readonly meanIQ: number;
}

type ComplexList = readonly (readonly [number, number])[];

/** X[k] = Σ_p exp(−2πi·k·p/N) · X_p[k mod N/P], X_p being the transform of every P-th point from p. */
function transform(x: ComplexList): [number, number][] {
  const n = x.length;
  if (n === 1) return x.map(([re, im]) => [re, im]);
  let factor = 2;
  while (n % factor !== 0) factor++;
  const parts = Array.from({ length: factor }, (_, p) =>
    transform(x.filter((_point, i) => i % factor === p)),
  );
  const short = n / factor;
  return Array.from({ length: n }, (_, k) => {
    let re = 0;
    let im = 0;
    parts.forEach((part, p) => {
      const [a, b] = part[k % short] as [number, number];
      const angle = (-2 * Math.PI * ((k * p) % n)) / n;
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    });
    return [re, im];
  });
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function partial(input: SpectrumTwinInput, own: readonly (readonly [number, number])[]): SpectrumTwinPartial {
  const { bins, samples, scale, clipLevel, taper } = input;
  const read = (first: number): number[] =>
    Array.from({ length: bins }, (_, n) => samples[first + n] as number);
  const channels = own.map(([i, q]) => ({ i: read(i), q: read(q) }));
  const powers = channels.map(({ i, q }) =>
    transform(
      i.map((v, n) => [v * scale * (taper?.[n] ?? 1), (q[n] as number) * scale * (taper?.[n] ?? 1)]),
    ).map(([re, im]) => re * re + im * im),
  );
  const mean = Float64Array.from({ length: bins }, (_, k) => average(powers.map((p) => p[k] as number)));
  const m2 = Float64Array.from({ length: bins }, (_, k) =>
    powers.reduce((sum, p) => sum + ((p[k] as number) - (mean[k] as number)) ** 2, 0),
  );
  const allI = channels.flatMap(({ i }) => i);
  const allQ = channels.flatMap(({ q }) => q);
  const perSlice = (values: readonly number[]): number => (average(values) * values.length) / own.length;
  const both = [...allI, ...allQ];
  return {
    slices: own.length,
    mean,
    m2,
    minI: allI.reduce((a, b) => Math.min(a, b)),
    minQ: allQ.reduce((a, b) => Math.min(a, b)),
    maxI: allI.reduce((a, b) => Math.max(a, b)),
    maxQ: allQ.reduce((a, b) => Math.max(a, b)),
    clipped: both.filter((v) => Math.abs(v) >= clipLevel).length,
    nonFinite: both.filter((v) => !Number.isFinite(v)).length,
    meanI: perSlice(allI) * scale,
    meanQ: perSlice(allQ) * scale,
    meanII: perSlice(allI.map((v) => v * v)) * scale * scale,
    meanQQ: perSlice(allQ.map((v) => v * v)) * scale * scale,
    meanIQ: perSlice(allI.map((v, n) => v * (allQ[n] as number))) * scale * scale,
  };
}

/** Workgroup g has the slices g, g + G, g + 2G, … */
export const spectrumTwin = (input: SpectrumTwinInput): SpectrumTwinPartial[] =>
  Array.from({ length: input.workgroups }, (_, g) =>
    partial(
      input,
      input.slices.filter((_slice, s) => s % input.workgroups === g),
    ),
  );
