/** The digitiser on the screen: numbers with units, what catches the eye, what to do. */
import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import { adcHealth, type AdcHealth } from '../../web/analysis/adc-health.ts';
import {
  type Adc,
  adcLines,
  adcNotices,
  adcOf,
  clippedText,
  clipping,
  clippingSentence,
} from '../../web/ui/model/adc.ts';
import { healthy, spectrum } from './states.ts';

const visible = (text: string): string => text.replaceAll('\u202f', ' ');

function healthOf(over: Partial<TimeSums> = {}): AdcHealth {
  const health = adcHealth(healthy(2731, 256, over));
  if (health === null) throw new Error('no samples');
  return health;
}
const n = 2731 * 256;
const WELL = healthOf();
const CLIPS = healthOf({ clipped: 16_123 });
const adc = (over: Partial<Adc> = {}): Adc => ({ latest: WELL, progress: WELL, run: WELL, ...over });

test('every spectrum has its digitiser, none where there is no spectrum', () => {
  const time = healthy(2731, 256, { clipped: 40 });
  const found = adcOf({
    latest: signal(spectrum({ time })),
    run: signal(spectrum({ trace: 'run' })),
    progress: signal(null),
  });
  expect(found.latest?.clipped).toBe(40);
  expect(found.run?.clipped).toBe(1);
  expect(found.progress).toBeNull();
});

test('range, DC and balance stand in three lines, in one unit', () => {
  const health = healthOf({
    sumI: n * 12e-6,
    sumQ: n * -450e-6,
    sumQQ: n * (2.2e-3 ** 2 + 450e-6 ** 2),
    sumIQ: n * (12e-6 * -450e-6 + Math.sin(0.01) * 2e-3 * 2.2e-3),
  });
  expect(adcLines(health).map(visible)).toEqual([
    'I −10.4…+10.6 mV, DC +0.012',
    'Q −10.7…+10.3 mV, DC −0.450',
    'Q/I +0.83 dB, +0.57°',
  ]);
  expect(adcLines(healthOf({ sumII: 0, minI: 0, maxI: 0 }))[2]).toBe('Q/I: a channel is silent');
});

test('clipping now is told from clipping before, and single samples are chance', () => {
  expect(clipping(adc())).toBeNull();
  expect(clippedText(WELL)).toBe('none');
  expect(clipping(adc({ latest: healthOf({ clipped: 32 }) }))).toBeNull();
  expect(clipping(adc({ latest: healthOf({ clipped: 33 }) }))?.isNow).toBe(true);
  expect(clipping(adc({ progress: CLIPS }))).toEqual({ isNow: true, health: CLIPS });
  expect(clipping(adc({ run: CLIPS }))).toEqual({ isNow: false, health: CLIPS });
  expect(clipping({ latest: null, progress: null, run: null })).toBeNull();
  // 16 123 of 2 · 2731 · 256.
  expect(visible(clippedText(CLIPS))).toBe('16 123 samples, 1.2 %');
  expect(visible(clippingSentence(adc({ latest: CLIPS })))).toBe(
    'The digitiser clips: 16 123 samples, 1.2 %.',
  );
  expect(clippingSentence(adc({ run: CLIPS }))).toBe('');
});

test('what is wrong is a notice that says what to do; clipping and silence are alarms', () => {
  const codes = (health: AdcHealth): unknown[] =>
    adcNotices(adc({ latest: health })).map(({ code, isAlarm }) => [code, isAlarm]);
  expect(codes(WELL)).toEqual([]);
  expect(codes(CLIPS)).toEqual([['adc-clipping', true]]);
  expect(codes(healthOf({ sumII: 0, minI: 0, maxI: 0 }))).toEqual([['adc-silent-i', true]]);
  expect(codes(healthOf({ sumQQ: 0, minQ: 0, maxQ: 0 }))).toEqual([['adc-silent-q', true]]);
  // σ is 2 mV: a mean of 1.1 mV is more than half of it.
  const offset = 1.1e-3;
  expect(codes(healthOf({ sumQ: n * offset, sumQQ: n * (4e-6 + offset ** 2) }))).toEqual([['adc-dc', false]]);
  // A gain ratio of 1.15 has its image 23 dB below the line.
  expect(codes(healthOf({ sumQQ: n * (2e-3 * 1.15) ** 2 }))).toEqual([['adc-imbalance', false]]);
  expect(codes(healthOf({ sumQQ: n * (2e-3 * 1.1) ** 2 }))).toEqual([]);
  expect(codes(healthOf({ sumIQ: n * 4e-6 * Math.sin(0.12) }))).toEqual([['adc-imbalance', false]]);
  expect(adcNotices(adc({ progress: CLIPS })).map(({ code }) => code)).toEqual(['adc-clipping']);
  // Long ago is no alarm any more.
  expect(adcNotices(adc({ run: CLIPS }))).toEqual([]);
  for (const { detail } of adcNotices(adc({ latest: CLIPS }))) expect(detail).toContain('Lower the gain');
});
