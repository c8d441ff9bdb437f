/**
 * The digitiser in words: how it is in each of the spectra shown, and what to do when it is not well.
 */
import type { Signal } from '@preact/signals';
import { type AdcFault, adcFaults, type AdcHealth, adcHealth } from '../../analysis/adc-health.ts';
import { CLIPPED_BY_CHANCE } from '../../../bridge/protocol/clipping.ts';
import type { SpectrumFrame, Trace } from '../../../bridge/protocol/frames.ts';
import { fixed, grouped, signed, significant, THIN } from '../format/numbers.ts';
import { voltages } from '../format/quantities.ts';

/** Null where there is no spectrum yet, or nothing is known of its samples. */
export type Adc = Readonly<Record<Trace, AdcHealth | null>>;

export function adcOf(spectra: Readonly<Record<Trace, Signal<Pick<SpectrumFrame, 'time'> | null>>>): Adc {
  const of = (trace: Trace): AdcHealth | null => {
    const time = spectra[trace].value?.time;
    return time === undefined ? null : adcHealth(time);
  };
  return { run: of('run'), latest: of('latest'), progress: of('progress') };
}

/** Of the newest whole file; of the one in progress before there is any. */
export const newestAdc = ({ latest, progress, run }: Adc): AdcHealth | null => latest ?? progress ?? run;

/** Clipped samples of the newest data, or, when those are well again, of the run. Null: nothing has clipped. */
export function clipping({
  latest,
  progress,
  run,
}: Adc): { readonly isNow: boolean; readonly health: AdcHealth } | null {
  const clips = (health: AdcHealth | null): health is AdcHealth =>
    health !== null && health.clipped > CLIPPED_BY_CHANCE;
  const now = [progress, latest].find(clips);
  if (now) return { isNow: true, health: now };
  return clips(run) ? { isNow: false, health: run } : null;
}

/** A sentence for those who cannot see it; empty where nothing clips now. */
export function clippingSentence(adc: Adc): string {
  const said = clipping(adc);
  return said?.isNow ? `The digitiser clips: ${clippedText(said.health)}.` : '';
}

/** «16 123 samples, 0.096 %»; chance alone puts single ones at the largest value. */
export function clippedText({ clipped, clippedShare }: AdcHealth, noun = ' samples'): string {
  if (clipped <= CLIPPED_BY_CHANCE) return 'none';
  const percent = 100 * clippedShare;
  const share = percent < 0.001 ? `<${THIN}0.001` : significant(percent, 2);
  return `${grouped(clipped)}${noun}, ${share}${THIN}%`;
}

/** 20·log₁₀ of the ratio of the gains; 0 for equal ones. */
export const gainDb = ({ gainRatio }: AdcHealth): number => 20 * Math.log10(gainRatio);
export const phaseDegrees = ({ phaseRad }: AdcHealth): number => (phaseRad * 180) / Math.PI;

/** Three short lines: I, Q, and how they go together. */
export function adcLines(health: AdcHealth): readonly string[] {
  const { unit, text } = voltages(health.peak);
  const channel = (name: string, min: number, max: number, dc: number): string =>
    `${name} ${text(min)}…${text(max)}${THIN}${unit}, DC ${text(dc, 2)}`;
  return [
    channel('I', health.minI, health.maxI, health.dcI),
    channel('Q', health.minQ, health.maxQ, health.dcQ),
    balanceText(health),
  ];
}

function balanceText(health: AdcHealth): string {
  if (health.rmsI === 0 || health.rmsQ === 0) return 'Q/I: a channel is silent';
  return `Q/I ${signed(gainDb(health), 2)}${THIN}dB, ${signed(phaseDegrees(health), 2)}°`;
}

/** Of an image in the spectrum, beside its line. */
export const imageText = ({ imageRejectionDb }: AdcHealth): string =>
  Number.isFinite(imageRejectionDb) ? `${fixed(-imageRejectionDb, 0)}${THIN}dB` : 'none';

const TITLES: Readonly<Record<AdcFault, string>> = {
  clipping: 'The digitiser clips',
  'silent-i': 'Channel I is silent',
  'silent-q': 'Channel Q is silent',
  dc: 'Large DC offset',
  imbalance: 'I and Q are out of balance',
};

const ADVICE: Readonly<Record<AdcFault, string>> = {
  clipping:
    'Samples lie at the end of its range and distort every bin. Lower the gain before it, or look for what came in so strongly.',
  'silent-i': 'All its samples are the same. Look at its cable and at the DAQ.',
  'silent-q': 'All its samples are the same. Look at its cable and at the DAQ.',
  dc: 'It takes range from the signal, and leaks into bins about the LO. Trim the offset of the mixer or of the digitiser.',
  imbalance:
    'Every line has an image on the other side of the LO, less than 25 dB below it. Trim gain and phase of the IQ mixer.',
};

const isAlarm = (fault: AdcFault): boolean => fault === 'clipping' || fault.startsWith('silent');

/** Of the newest whole file; clipping of the one in progress as soon as it is seen. */
export function adcNotices(adc: Adc) {
  const health = newestAdc(adc);
  const faults = new Set(health === null ? [] : adcFaults(health));
  if (adc.progress !== null && adcFaults(adc.progress).includes('clipping')) faults.add('clipping');
  return [...faults].map((fault) => ({
    code: `adc-${fault}`,
    isAlarm: isAlarm(fault),
    title: TITLES[fault],
    detail: ADVICE[fault],
    count: 1,
  }));
}
