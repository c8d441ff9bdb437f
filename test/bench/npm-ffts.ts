/** A transform from npm that is measured in Node only. */
import FFT from 'fft.js';
import type { SliceFft } from './contest.ts';

/** `fft.js`, JavaScript: powers of two only, and nothing for other lengths. */
export function fftJs(bins: number): SliceFft | undefined {
  if (!Number.isInteger(Math.log2(bins))) return undefined;
  const plan = new FFT(bins);
  const input = plan.createComplexArray() as number[];
  const output = plan.createComplexArray() as number[];
  return {
    name: 'fft.js',
    input,
    transform: () => {
      plan.transform(output, input);
      return output;
    },
  };
}
