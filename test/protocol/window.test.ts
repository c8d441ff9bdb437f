import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type WindowName,
  meanSquareOf,
  windowCoefficients,
  windowFigures,
} from '../../bridge/protocol/window.ts';
import { plainDft } from '../engine/reference.ts';

/** What the literature prints, to the digits it prints. */
const PUBLISHED = {
  // Harris (1978), table 1: ENBW 1.00, 1.50, 2.00; scalloping 3.92, 1.42, 0.83 dB (rounded there)
  none: { enbw: 1, gain: 1, scallopingDb: 3.92 },
  hann: { enbw: 1.5, gain: 0.5, scallopingDb: 1.42 },
  'blackman-harris': { enbw: 2.0, gain: 0.36, scallopingDb: 0.83 },
  // Heinzel, Rüdiger & Schilling (2002) give 3.77 for flat-top windows of five terms
  'flat-top': { enbw: 3.77, gain: 0.22, scallopingDb: 0.01 },
} as const;
const DIGITS = 0.0051;

const NAMES = Object.keys(PUBLISHED) as WindowName[];

test.each(NAMES)('%s: ENBW and coherent gain by definition, and as published', (name) => {
  for (const bins of [256, 729, 3072]) {
    const w = windowCoefficients(name, bins);
    const sum = w.reduce((a, b) => a + b, 0);
    const squares = w.reduce((a, b) => a + b * b, 0);
    const { enbwBins, coherentGain } = windowFigures(name);
    expect(coherentGain).toBeCloseTo(sum / bins, 12);
    expect(enbwBins).toBeCloseTo((bins * squares) / sum ** 2, 12);
    expect(meanSquareOf(windowFigures(name))).toBeCloseTo(squares / bins, 12);
  }
  expect(Math.abs(windowFigures(name).enbwBins - PUBLISHED[name].enbw)).toBeLessThan(DIGITS);
  expect(Math.abs(windowFigures(name).coherentGain - PUBLISHED[name].gain)).toBeLessThan(DIGITS);
});

test.each(NAMES)('%s: a tone half a bin off loses what is published as scalloping', (name) => {
  const bins = 256;
  const w = windowCoefficients(name, bins);
  const re = w.map((x, t) => x * Math.cos((2 * Math.PI * 20.5 * t) / bins));
  const im = w.map((x, t) => x * Math.sin((2 * Math.PI * 20.5 * t) / bins));
  const line = plainDft(re, im);
  const height = Math.hypot(line.re[20] as number, line.im[20] as number);
  const lossDb = -20 * Math.log10(height / w.reduce((a, b) => a + b, 0));
  expect(Math.abs(lossDb - PUBLISHED[name].scallopingDb)).toBeLessThan(DIGITS);
});

test('coefficients agree with numpy', () => {
  const fixtures = JSON.parse(
    readFileSync(new URL('../engine/fixtures/numpy.json', import.meta.url), 'utf8'),
  ) as {
    bins: number;
    window: WindowName;
    coefficients: number[];
  }[];
  const withWindow = fixtures.filter(({ coefficients }) => coefficients.length > 0);
  expect(withWindow.map(({ window }) => window)).toEqual(['hann', 'blackman-harris', 'flat-top']);
  for (const { bins, window, coefficients } of withWindow)
    windowCoefficients(window, bins).forEach((w, n) => expect(w).toBeCloseTo(coefficients[n] as number, 14));
});
