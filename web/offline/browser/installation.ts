/**
 * The offline page as an installed one: registers its service worker, and says what comes of it. Where the browser
 * refuses (plain http, private windows), the page is as before; it only needs its server to be opened again.
 */

/**
 * - `refused`: the browser has no service workers here, or does not want this one
 * - `ready`: opens without a network from now on
 * - `update`: another version is complete; `apply` changes to it and loads the page again
 */
export type Installation =
  | { readonly state: 'refused' | 'ready' }
  | { readonly state: 'update'; readonly apply: () => void };

/** A tab that stays open asks for new versions when somebody comes back to it, at most so often. */
const CHECK_MS = 3_600_000;

/** @param tell may be called several times, each with what is now */
export async function followInstallation(tell: (installation: Installation) => void): Promise<void> {
  // Undefined where the page is no secure context, whatever the types say.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (container === undefined) return tell({ state: 'refused' });
  try {
    const registration = await container.register('./offline-sw.js', { scope: './offline' });
    follow(registration, container, tell);
  } catch {
    tell({ state: 'refused' });
  }
}

function follow(
  registration: ServiceWorkerRegistration,
  container: ServiceWorkerContainer,
  tell: (installation: Installation) => void,
): void {
  const offer = (worker: ServiceWorker): void => {
    const apply = (): void => {
      container.addEventListener('controllerchange', () => location.reload(), { once: true });
      // Another tab may have changed to it already.
      if (worker.state === 'activated') location.reload();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, no window
      else worker.postMessage('activate');
    };
    tell({ state: 'update', apply });
  };
  const watch = (worker: ServiceWorker | null): void => {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && registration.active !== null) offer(worker);
      if (worker.state === 'activated' && container.controller === null) tell({ state: 'ready' });
    });
  };
  if (registration.active !== null) tell({ state: 'ready' });
  watch(registration.installing);
  if (registration.waiting !== null) offer(registration.waiting);
  registration.addEventListener('updatefound', () => watch(registration.installing));
  let checkedMs = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible' || Date.now() - checkedMs < CHECK_MS) return;
    checkedMs = Date.now();
    // Without a network there is nothing to be found.
    registration.update().catch(() => {});
  });
}
