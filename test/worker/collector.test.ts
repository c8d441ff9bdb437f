import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Analysis } from '../../web/analysis/analysis.ts';
import { DEFAULT_BASELINE } from '../../web/analysis/excess.ts';
import type { HistoryRow } from '../../web/analysis/history.ts';
import type { HeldSpectrum } from '../../web/analysis/hold.ts';
import { Collector } from '../../web/worker/collector.ts';
import { geometry, NOW, spectrum } from '../ui/states.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const rows: HistoryRow[] = [];
  const holds: (HeldSpectrum | null)[] = [];
  const analyses: Analysis[] = [];
  const collector = new Collector({
    row: (row) => rows.push(row),
    holds: (held) => holds.push(held),
    analysis: (analysis) => analyses.push(analysis),
  });
  collector.geometry(geometry);
  onTestFinished(() => collector.stop());
  return { collector, rows, holds, analyses };
}

const withLine = (height: number) => {
  const mean = new Float32Array(geometry.bins).fill(5e-9).map((p, k) => p * (1 + 0.001 * Math.sin(k * 12.9)));
  mean[200] = 5e-9 * height;
  return { mean, std: mean.slice() };
};

test('every file is one row with its time and its power, also when it is sent again', () => {
  const { collector, rows } = start();
  collector.spectrum(spectrum({ file: 7 }), NOW);
  collector.spectrum(spectrum({ file: 7, sequence: 9 }), NOW + 1000);
  collector.spectrum(spectrum({ file: 8, newestUtcMs: Number.NaN }), NOW + 5000);
  collector.spectrum(spectrum({ file: 9, trace: 'progress' }), NOW);
  expect(rows.map(({ firstFile, endMs }) => [firstFile, endMs])).toEqual([
    [7, NOW - 500],
    [8, NOW + 5000],
  ]);
  // 2731 slices of 256 samples at 2 MS/s; 5e-9 V²/Hz over 2 MHz.
  expect((rows[0]?.endMs ?? 0) - (rows[0]?.startMs ?? 0)).toBeCloseTo(349.568, 3);
  expect(rows[0]?.totalPower).toBeCloseTo(0.01, 8);
});

test('what is handed on is a copy: the received buffers go to the page', () => {
  const { collector, rows, holds } = start();
  const frame = spectrum();
  collector.spectrum(frame, NOW);
  frame.mean.fill(0);
  expect(rows[0]?.mean[3]).toBeCloseTo(5e-9, 15);
  expect(holds[0]?.peak[3]).toBeCloseTo(5e-9, 15);
});

test('the chosen spectrum is analysed soon, and not more often than people look', () => {
  const { collector, analyses } = start();
  for (let file = 1; file <= 20; file++)
    collector.spectrum(spectrum({ trace: 'run', file, ...withLine(3) }), NOW);
  vi.advanceTimersByTime(1);
  expect(analyses.map(({ file }) => file)).toEqual([20]);
  expect(analyses[0]?.lines.map(({ bin }) => bin)).toEqual([200]);
  for (let file = 21; file <= 40; file++) {
    collector.spectrum(spectrum({ trace: 'run', file, ...withLine(3) }), NOW);
    vi.advanceTimersByTime(50);
  }
  expect(analyses.length).toBeLessThanOrEqual(4);
  vi.advanceTimersByTime(1000);
  expect(analyses.at(-1)?.file).toBe(40);
});

test('another choice is analysed without waiting for new data', () => {
  const { collector, analyses } = start();
  collector.spectrum(spectrum({ trace: 'run', file: 1 }), NOW);
  collector.spectrum(spectrum({ trace: 'latest', file: 2, ...withLine(9) }), NOW);
  vi.advanceTimersByTime(1000);
  collector.analyse({ ...DEFAULT_BASELINE, of: 'latest', window: 31 });
  vi.advanceTimersByTime(1000);
  expect(analyses.map(({ file, settings: { of }, window }) => [file, of, window])).toEqual([
    [1, 'run', 201],
    [2, 'latest', 31],
  ]);
});

test('a line keeps its beginning; another run has its own lines, rows and holds', () => {
  const { collector, analyses, holds } = start();
  collector.spectrum(spectrum({ trace: 'run', file: 1, newestUtcMs: 1000, ...withLine(3) }), NOW);
  vi.advanceTimersByTime(1000);
  collector.spectrum(spectrum({ trace: 'run', file: 2, newestUtcMs: 2000, ...withLine(3) }), NOW);
  collector.spectrum(spectrum({ file: 2 }), NOW);
  vi.advanceTimersByTime(1000);
  expect(analyses.map(({ lines }) => lines[0]?.sinceMs)).toEqual([1000, 1000]);
  collector.spectrum(spectrum({ trace: 'run', run: 'b', file: 1, newestUtcMs: 9000, ...withLine(3) }), NOW);
  vi.advanceTimersByTime(1000);
  expect(analyses.at(-1)?.lines[0]?.sinceMs).toBe(9000);
  expect(holds.at(-1)).toBeNull();
});

test('holds begin anew on request', () => {
  const { collector, holds } = start();
  collector.spectrum(spectrum({ file: 1, ...withLine(5) }), NOW);
  collector.spectrum(spectrum({ file: 2 }), NOW);
  expect(holds.at(-1)?.files).toBe(2);
  expect(holds.at(-1)?.peak[200]).toBeCloseTo(25e-9, 12);
  collector.resetHolds();
  expect(holds.at(-1)).toBeNull();
  collector.spectrum(spectrum({ file: 3 }), NOW);
  expect(holds.at(-1)).toMatchObject({ files: 1 });
});

test('spectra of another length, or before the geometry is known, are left alone', () => {
  const { collector, rows } = start();
  collector.spectrum(spectrum({ mean: new Float32Array(512), std: new Float32Array(512) }), NOW);
  expect(rows).toEqual([]);
});

test('an average that was ended is analysed no more, until there is another one', () => {
  const { collector, analyses } = start();
  collector.analyse({ ...DEFAULT_BASELINE, of: 'run' });
  collector.spectrum(spectrum({ trace: 'run', ...withLine(10) }), NOW);
  collector.endAverage();
  vi.advanceTimersByTime(5_000);
  expect(analyses).toEqual([]);
  collector.spectrum(spectrum({ trace: 'run', ...withLine(10) }), NOW);
  vi.advanceTimersByTime(5_000);
  expect(analyses).toHaveLength(1);
});
