/**
 * Policy: whether this worker may open sockets to the bridges to which it may have to move. Its Content-Security-
 * Policy names those that its own bridge knew when it sent the script; one that came later is outside, and only the
 * page's reloading brings a policy that names it. That has to happen while the own bridge is there.
 */
import type { GroupState } from '../../bridge/protocol/state.ts';
import { mayMove } from './bridges.ts';
import { socketUrl } from './session.ts';

export class Policy {
  readonly #home: URL;
  readonly #tried = new Set<string>();
  readonly #blocked: Promise<string>;

  /** @param isThere whether the own bridge is there now, so that the page can come from it again */
  constructor(home: URL, scope: EventTarget, isThere: () => boolean) {
    this.#home = home;
    this.#blocked = new Promise((resolve) => {
      scope.addEventListener('securitypolicyviolation', (event) => {
        const { effectiveDirective } = event as SecurityPolicyViolationEvent;
        if (effectiveDirective === 'connect-src' && isThere()) resolve([...this.#tried].toSorted().join(' '));
      });
    });
  }

  /** Resolves when a bridge turns out to be outside, with the addresses of all that were tried. */
  get blocked(): Promise<string> {
    return this.#blocked;
  }

  /** Opens a socket to every bridge that is new, says nothing, and closes it. */
  look(group: GroupState | null): void {
    for (const url of group?.peers.flatMap(({ urls }) => urls) ?? []) {
      if (this.#tried.has(url) || !mayMove(this.#home, new URL(url))) continue;
      this.#tried.add(url);
      const socket = new WebSocket(socketUrl(url, 'viewer'));
      socket.addEventListener('open', () => socket.close());
    }
  }
}
