/**
 * Keeps a browser on a wall alive for ever: when a life of it ends, the next one begins, sooner after a long life and
 * later after several short ones, so that a machine with a broken display driver is not kept busy by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import { type KioskBrowserOptions, type KioskEnd, runKioskBrowser } from './kiosk-browser.ts';

const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 60_000;
const LONG_LIFE_MS = 60_000;

export interface LauncherOptions extends KioskBrowserOptions {
  readonly logger: Logger;
  /** After a life this long the next failure is the first again. */
  readonly longLifeMs?: number;
}

/** Resolves when `stop` has been given and the browser is gone. */
export async function keepKiosk(options: LauncherOptions, stop: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let lives = 1; !stop.aborted; lives++) {
    const sinceMs = performance.now();
    const end: KioskEnd = await runKioskBrowser(options, stop);
    if (end.reason === 'stopped') return;
    const livedMs = performance.now() - sinceMs;
    if (livedMs >= (options.longLifeMs ?? LONG_LIFE_MS)) pauseMs = FIRST_PAUSE_MS;
    const facts = { reason: end.reason, lives, livedSeconds: Math.round(livedMs / 1000) };
    options.logger.warn(facts, `${end.message}; starting it again`);
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
  }
}
