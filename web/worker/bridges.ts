/**
 * Bridges: the addresses at which a session may find one that works. One of them is home, where the page came from;
 * the others are those that share its input, as the bridges themselves say.
 *
 *   at one ─ it stands by, another is active ─▶ at that one
 *      │ ─── gone for a while, or silent ─────▶ at the one that failed longest ago, active ones first
 */
import type { GroupState } from '../../bridge/protocol/state.ts';

/** A bridge that has just failed is believed to be active by the others until its session in the group ends. */
const DISTRUST_MS = 30_000;

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const isLoopback = ({ hostname }: URL): boolean => LOOPBACK.test(hostname);
const isSecure = ({ protocol }: URL): boolean => protocol === 'https:' || protocol === 'wss:';

/**
 * Whether a client that knows one address may use the other: never from TLS to plain text, and this machine's own
 * addresses only where home is this machine.
 */
export function mayMove(home: URL, other: URL): boolean {
  return (isSecure(other) || !isSecure(home)) && (!isLoopback(other) || isLoopback(home));
}

export class Bridges {
  readonly #home: string;
  readonly #nowMs: () => number;
  #current: string;
  #group: GroupState | null = null;
  readonly #failedMs = new Map<string, number>();

  constructor(home: URL, nowMs: () => number) {
    this.#home = home.href;
    this.#current = home.href;
    this.#nowMs = nowMs;
  }

  /** Address of the bridge that is used now. */
  get current(): string {
    return this.#current;
  }

  get isHome(): boolean {
    return this.#current === this.#home;
  }

  get hasOthers(): boolean {
    return this.#all().length > 1;
  }

  /** What the current bridge says of itself and the others. True: another one was chosen. */
  learn(group: GroupState | null): boolean {
    this.#group = group;
    this.#failedMs.delete(this.#current);
    if (group?.role !== 'standby') return false;
    const trusted = this.#nowMs() - DISTRUST_MS;
    const active = this.#active().find((url) => this.#bridgeFailedMs(url) <= trusted);
    // Or two that each believe in the other would send us to and fro.
    if (active !== undefined) this.failed();
    return this.#choose(active);
  }

  /** The current one does not answer, or sends us away. */
  failed(): void {
    this.#failedMs.set(this.#current, this.#nowMs());
  }

  /** Chooses who failed longest ago, or never, and of its addresses the same. True: that is another one than now. */
  moveOn(): boolean {
    const isBefore = (a: string, b: string): boolean => {
      const [ofA, ofB] = [this.#bridgeFailedMs(a), this.#bridgeFailedMs(b)];
      return ofA < ofB || (ofA === ofB && this.#addressFailedMs(a) < this.#addressFailedMs(b));
    };
    return this.#choose(this.#all().reduce((best, url) => (isBefore(url, best) ? url : best)));
  }

  #addressFailedMs(url: string): number {
    return this.#failedMs.get(url) ?? -Infinity;
  }

  /** A bridge has several addresses, and when one fails the others are the same bridge. */
  #bridgeFailedMs(url: string): number {
    const peers = this.#group?.peers ?? [];
    const { urls } = peers.find((peer) => peer.urls.includes(url)) ?? { urls: [url] };
    return Math.max(...urls.map((each) => this.#addressFailedMs(each)));
  }

  #choose(url: string | undefined): boolean {
    if (url === undefined || url === this.#current) return false;
    this.#current = url;
    return true;
  }

  #active(): string[] {
    return this.#urls((isActive) => isActive);
  }

  /** Active ones first, home last; never empty. */
  #all(): string[] {
    return [
      ...new Set([...this.#active(), ...this.#urls((isActive) => !isActive), this.#current, this.#home]),
    ];
  }

  #urls(wanted: (isActive: boolean) => boolean): string[] {
    const peers = this.#group?.peers ?? [];
    return peers
      .filter(({ isActive }) => wanted(isActive))
      .flatMap(({ urls }) => urls)
      .filter((url) => mayMove(new URL(this.#home), new URL(url)));
  }
}
