/** `kiosk URL`: the page full screen on a wall display, watched from outside and started again for ever. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { findBrowser } from '../chromium.ts';
import type { KioskOptions } from '../config/options.ts';
import { keepKiosk } from '../kiosk/launcher.ts';
import { createLogger, type Logger } from '../logger.ts';
import { stopSignal } from '../stop-signal.ts';

const CHECK_EVERY_MS = 5_000;
/** A page that computes for half a minute without an answer does not come back. */
const HANG_MS = 30_000;

/** @returns exit status */
export async function runKiosk(options: KioskOptions, log: Logger = createLogger()): Promise<number> {
  const program = findBrowser();
  if (program === undefined) {
    log.error('no Chrome, Chromium or Edge found: install one, or name it in CHROMIUM');
    return 1;
  }
  const isRoot = process.getuid?.() === 0;
  if (isRoot && !options.noSandbox) {
    log.error('Chrome refuses to run as root: start the kiosk as an ordinary user (or give --no-sandbox)');
    return 2;
  }
  const profile = resolve(options.profile);
  mkdirSync(profile, { recursive: true, mode: 0o700 });
  const url = kioskUrl(options.url);
  log.info({ program, url, profile }, 'starting the browser');
  await keepKiosk(
    {
      program,
      url,
      profile,
      extraFlags: [...(options.noSandbox ? ['--no-sandbox'] : []), ...options.flags],
      mostBytes: options.mostBytes,
      checkEveryMs: CHECK_EVERY_MS,
      hangMs: HANG_MS,
      logger: log,
    },
    stopSignal((signal) => log.info({ signal }, 'stopping the browser')),
  );
  return 0;
}

/** The page without controls, and only to look at. */
function kioskUrl(given: URL): string {
  const url = new URL(given);
  if (!url.searchParams.has('kiosk')) url.searchParams.set('kiosk', '');
  if (!url.searchParams.has('role')) url.searchParams.set('role', 'viewer');
  return url.href.replace(/([?&]kiosk)=(?=&|$|#)/, '$1');
}
