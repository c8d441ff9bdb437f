import { expect, test } from 'vitest';
import { exposureText } from '../../web/ui/spectrum/legend.tsx';
import { valueText } from '../../web/ui/spectrum/read-out.tsx';
import { exportName, slicesOf } from '../../web/ui/strip/download.ts';
import { engineLine, engineName } from '../../web/ui/strip/engine-line.ts';
import { tokenOfFragment } from '../../web/ui/model/token.ts';
import { bridgeState, processor, spectrum } from './states.ts';

const visible = (text: string): string => text.replaceAll('\u202f', ' ');
const own = { kind: 'wasm', name: '2 threads', why: 'no WebGPU adapter' } as const;

test('engine: the kind is said once', () => {
  expect(engineName(own)).toBe('CPU 2 threads');
  expect(engineName({ kind: 'gpu', name: 'NVIDIA RTX 4090' })).toBe('GPU NVIDIA RTX 4090');
  expect(engineName({ kind: 'ts', name: 'CPU, plain TypeScript' })).toBe('CPU, plain TypeScript');
});

test('a processor shows its own engine and speed, a viewer that of whoever works', () => {
  expect(engineLine(own, 'processor', bridgeState(), 'p1')).toEqual({
    name: 'CPU 2 threads',
    why: 'no WebGPU adapter',
    msPerFile: 24,
  });
  const headless = { ...processor, headless: true };
  expect(engineLine(null, 'viewer', bridgeState({ clients: [headless] }), 'v1').why).toBe(
    'headless processor: no WebGPU adapter',
  );
  expect(engineLine(null, 'viewer', bridgeState({ clients: [] }), 'v1').name).toBe('no engine');
});

test('what is averaged stands next to the name of the trace', () => {
  const geometry = { bins: 3072, sampleRateHz: 2e6, loHz: 0 };
  expect(visible(exposureText(spectrum(), geometry))).toBe('n 2 731 · 4.19 s');
  expect(exposureText(null, geometry)).toBe('n –');
});

test('the value under the cursor with its error, in the unit shown', () => {
  const s = spectrum({ slices: 2500 });
  expect(visible(valueText(s, 3, 'published', 'linear'))).toBe('(5.000 ± 0.100)·10⁻⁹');
  expect(visible(valueText(s, 3, 'per-hertz', 'linear'))).toBe('(7.071 ± 0.141)·10⁻⁹');
  expect(visible(valueText(s, 3, 'published', 'db'))).toBe('−83.010 dB');
  const one = spectrum({ slices: 1, std: new Float32Array(256).fill(Number.NaN) });
  expect(visible(valueText(one, 3, 'published', 'linear'))).toBe('5.000·10⁻⁹');
  expect(valueText(spectrum({ mean: new Float32Array(256) }), 3, 'published', 'db')).toBe('no power');
});

test('the CSV is named by run and by the n that is in it', () => {
  const csv = 'freq_Hz,power,std,count\n10352000000,4.9e-9,4.8e-9,8193\n10352000651,4.9e-9,4.8e-9,8193\n';
  expect(exportName('run404~2', 'csv', slicesOf(csv))).toBe('haloscope_run404~2_n8193.csv');
  expect(slicesOf('freq_Hz,power,std,count\n')).toBeNull();
  expect(exportName('../run', 'csv', slicesOf('not a table'))).toBe('haloscope_..-run.csv');
});

test('the token is taken from the fragment only', () => {
  expect(tokenOfFragment('#token=abc_-123')).toBe('abc_-123');
  expect(tokenOfFragment('#other=1&token=%20x%20')).toBe('x');
  expect(tokenOfFragment('#token=')).toBeNull();
  expect(tokenOfFragment('')).toBeNull();
});
