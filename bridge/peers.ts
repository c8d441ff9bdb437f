/**
 * Peers: the other bridges that share the input, as pages are told of them, and the origins of their pages, which
 * come here when their own bridge is gone.
 */
import type { GroupView, Peer } from './log/port.ts';
import type { GroupState } from './protocol/state.ts';
import { isLoopbackHost } from './server/access.ts';

/** Remembered beyond a peer's life: when it is gone its pages need us. */
const MOST_ORIGINS = 64;

export class Peers {
  readonly #machine: string;
  readonly #origins = new Set<string>();

  /** @param machine name of this one: loopback addresses of others are of no use here */
  constructor(machine: string) {
    this.#machine = machine;
  }

  /** Null where nobody shares the input, or it is not known yet. */
  state(view: GroupView | null): GroupState | null {
    if (view === null) return null;
    const peers = view.peers.map((peer) => ({
      urls: this.#urls(peer),
      isActive: peer.partitions.length > 0,
    }));
    for (const { urls } of peers) for (const url of urls) this.#remember(new URL(url).origin);
    const { partitions } = view;
    return { role: partitions.length > 0 ? 'active' : 'standby', partitions, peers };
  }

  /** Of every peer that was ever seen. */
  origins(view: GroupView | null): ReadonlySet<string> {
    this.state(view);
    return this.#origins;
  }

  #urls({ urls, machine }: Peer): readonly string[] {
    const isNear = machine === this.#machine;
    return urls.filter((url) => isNear || !isLoopbackHost(new URL(url).hostname.replace(/^\[|\]$/g, '')));
  }

  #remember(origin: string): void {
    this.#origins.delete(origin);
    this.#origins.add(origin);
    const [oldest] = this.#origins;
    if (this.#origins.size > MOST_ORIGINS && oldest !== undefined) this.#origins.delete(oldest);
  }
}
