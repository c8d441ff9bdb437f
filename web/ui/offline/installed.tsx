/** Whether the page opens without a network, and the notice that a new version of it is there. */
import { type Signal, signal } from '@preact/signals';
import { followInstallation, type Installation } from '../../offline/browser/installation.ts';

/** Null while it is not known. */
export function followedInstallation(): Signal<Installation | null> {
  const installation = signal<Installation | null>(null);
  void followInstallation((next) => {
    installation.value = next;
  });
  return installation;
}

export type Installed = Signal<Installation | null>;

/** For the screen before the first drop. */
export function OpensOffline({ installation }: { installation: Installed }) {
  const state = installation.value?.state;
  if (state === undefined) return null;
  const text =
    state === 'refused'
      ? 'This browser does not keep the page (no https, or a private window): to open it, its server has to be there.'
      : 'The page is kept by this browser: it opens without a network, too.';
  return (
    <p class="opens-offline" data-installation={state}>
      {text}
    </p>
  );
}

export function UpdateNotice({ installation }: { installation: Installed }) {
  const now = installation.value;
  if (now?.state !== 'update') return null;
  return (
    <p class="update-notice" role="status">
      A new version of this page is ready.{' '}
      <button type="button" class="plain" onClick={now.apply}>
        Reload
      </button>
    </p>
  );
}
