/** Settings of the offline page: those that it begins with, and those of the last visit. */
import { DEFAULT_BINS, isSupportedLength } from '../../../bridge/protocol/geometry.ts';
import { isGivenRunName } from '../../../bridge/protocol/run-name.ts';
import { WINDOW_NAMES, type WindowName } from '../../../bridge/protocol/window.ts';
import type { OfflineSettings } from '../../offline/browser/types.ts';

const KEY = 'haloscope-offline-settings';

const INITIAL: OfflineSettings = {
  run: '',
  bins: DEFAULT_BINS,
  sampleRateHz: null,
  loHz: null,
  window: 'none',
  engine: 'auto',
  verify: true,
};

/** Slice lengths that every engine can do. */
export const LENGTHS: readonly number[] = Array.from({ length: 8193 }, (_, n) => n).filter(isSupportedLength);

const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

/** What is not understood is as it was at first: another version may have written it. */
export function settingsOf(kept: unknown): OfflineSettings {
  if (typeof kept !== 'object' || kept === null) return INITIAL;
  const { run, bins, sampleRateHz, loHz, window, verify, untyped } = kept as Record<
    keyof OfflineSettings,
    unknown
  >;
  return {
    ...INITIAL,
    ...(typeof run === 'string' && isGivenRunName(run) && { run }),
    ...(typeof bins === 'number' && isSupportedLength(bins) && { bins }),
    ...(isPositive(sampleRateHz) && { sampleRateHz }),
    ...(isPositive(loHz) && { loHz }),
    ...(typeof verify === 'boolean' && { verify }),
    ...((untyped === 'cf32' || untyped === 'ci16') && { untyped }),
    ...(WINDOW_NAMES.includes(window as WindowName) && { window: window as WindowName }),
  };
}

/** Settings are a comfort: where the browser keeps nothing, they begin anew. */
export function readSettings(): OfflineSettings {
  try {
    return settingsOf(JSON.parse(localStorage.getItem(KEY) ?? 'null'));
  } catch {
    return INITIAL;
  }
}

/** The run's name is that of one run, and is not kept for the next. */
export function rememberSettings({ run: _run, ...settings }: OfflineSettings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Nothing depends on it.
  }
}

/** A frequency as people write it: `2e6`, `10.353e9`, `2 000 000`; null where nothing is written, NaN for the rest. */
export function frequencyOf(text: string): number | null {
  const bare = text.replaceAll(/[\s\u202f']/g, '');
  if (bare === '') return null;
  const value = Number(bare);
  return isPositive(value) ? value : Number.NaN;
}
