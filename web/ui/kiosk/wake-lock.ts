/**
 * Wake lock: asks the browser to keep the screen on, and says whether it does. Browsers let go of it whenever the page
 * is hidden, so it is asked for again when the page is seen; a refusal (a battery that is low, a setting) may pass.
 */

export type WakeLock =
  | { readonly phase: 'asked' }
  | { readonly phase: 'held' }
  | { readonly phase: 'refused'; readonly reason: string };

interface Sentinel {
  addEventListener(type: 'release', listener: () => void): void;
}

/** What is needed of a browser. */
export interface WakeSurroundings {
  /** Undefined: this browser, or this address, has none. */
  readonly request: (() => Promise<Sentinel>) | undefined;
  readonly isSecure: boolean;
  isVisible(): boolean;
  onVisibility(listener: () => void): void;
}

const AGAIN_MS = 30_000;

/** For as long as the page lives. */
export function holdWakeLock(surroundings: WakeSurroundings, report: (state: WakeLock) => void): void {
  const { request, isSecure } = surroundings;
  if (request === undefined) {
    // What to do about an insecure page is said once, among the notices.
    return report({ phase: 'refused', reason: isSecure ? 'this browser cannot' : 'insecure page' });
  }
  let isHeld = false;
  let isAsking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const again = (reason: string): void => {
    report({ phase: 'refused', reason });
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), AGAIN_MS);
  };
  const released = (): void => {
    isHeld = false;
    if (surroundings.isVisible()) void ask();
    else report({ phase: 'refused', reason: 'the page is hidden' });
  };
  async function ask(): Promise<void> {
    if (request === undefined || isHeld || isAsking || !surroundings.isVisible()) return;
    clearTimeout(timer);
    isAsking = true;
    report({ phase: 'asked' });
    try {
      const sentinel = await request();
      isHeld = true;
      sentinel.addEventListener('release', released);
      report({ phase: 'held' });
    } catch (error) {
      again(error instanceof Error ? error.message : String(error));
    } finally {
      isAsking = false;
    }
  }

  surroundings.onVisibility(() => void ask());
  if (surroundings.isVisible()) void ask();
  else report({ phase: 'refused', reason: 'the page is hidden' });
}

/** In this browser. */
export function keepAwake(report: (state: WakeLock) => void): void {
  // Absent on insecure pages, whatever the types say.
  const lock = (navigator as Partial<Navigator>).wakeLock;
  holdWakeLock(
    {
      request: lock === undefined ? undefined : () => lock.request('screen'),
      isSecure: window.isSecureContext,
      isVisible: () => document.visibilityState === 'visible',
      onVisibility: (listener) => document.addEventListener('visibilitychange', listener),
    },
    report,
  );
}
