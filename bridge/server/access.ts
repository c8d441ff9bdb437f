/**
 * Who may talk to the bridge: names by which it may be called, pages that may open a socket, and pages that are
 * trusted without a token.
 *
 * A foreign page can make a browser send requests here, and can point its own name at our address (DNS
 * rebinding). So a request counts only when its `Host` is one of our names, and a socket only when its `Origin`
 * is a page that we served under that name, or one of a bridge that shares our input. Loopback names are ours under every port, which lets an SSH tunnel
 * end where it likes: nobody can rebind them.
 */
import type { IncomingMessage } from 'node:http';
import { isWildcard, machineHosts } from './hosts.ts';

export interface AccessOptions {
  /** Host that the server listens on, as given. */
  readonly listenHost: string;
  /** Origins of `--public-url`. */
  readonly publicOrigins: readonly string[];
  /** Origins of the bridges that share our input: their pages come to us when they are gone. */
  readonly peerOrigins: () => ReadonlySet<string>;
  /** Whether pages come over TLS from the bridge itself. */
  readonly isSecure: boolean;
  /** Further names that are ours, those of a given certificate. */
  readonly certificateHosts: readonly string[];
  /** Whether the input is one that a page on this machine may compute without a token: simulator or folder. */
  readonly trustLocalPages: boolean;
}

/** Headers that only a proxy adds: the client then is somebody else than the socket's peer. */
const FORWARDING_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Host as it stands in a URL: IPv6 in brackets. */
export const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Whether only this machine can reach such an address. */
export const isLoopbackHost = (host: string): boolean => {
  const name = urlHost(host.toLowerCase());
  return LOOPBACK_NAMES.has(name) || /^127\.\d+\.\d+\.\d+$/.test(name);
};

const isLoopbackPeer = (address: string | undefined): boolean =>
  address !== undefined && (address === '::1' || address.replace(/^::ffff:/, '').startsWith('127.'));

/** Name without port of a `Host` header; null where the header is none. */
function nameOf(host: string): string | null {
  const name = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host)?.[1];
  return name ?? null;
}

export class Access {
  readonly #options: AccessOptions;
  readonly #publicHosts: ReadonlySet<string>;
  readonly #publicOrigins: ReadonlySet<string>;
  #port = 0;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#publicOrigins = new Set(options.publicOrigins.map((origin) => new URL(origin).origin));
    this.#publicHosts = new Set(options.publicOrigins.map((origin) => new URL(origin).host));
  }

  /** The port is known only once the server listens. */
  listensOn(port: number): void {
    this.#port = port;
  }

  /** Whether the `Host` header names this bridge. */
  isOurHost(host: string | undefined): boolean {
    if (host === undefined) return false;
    const lower = host.toLowerCase();
    if (this.#publicHosts.has(lower)) return true;
    const name = nameOf(lower);
    if (name === null) return false;
    if (LOOPBACK_NAMES.has(name)) return true;
    const usualPort = this.#options.isSecure ? 443 : 80;
    const isOurPort = lower === `${name}:${this.#port}` || (this.#port === usualPort && lower === name);
    return isOurPort && this.#ownNames().has(name);
  }

  /** Whether a page of that origin may open a socket to the host that it named. */
  isOurOrigin(origin: string, host: string): boolean {
    const lower = origin.toLowerCase();
    if (this.#publicOrigins.has(lower) || lower === this.#origin(host)) return true;
    return this.#options.peerOrigins().has(lower);
  }

  /** A page of this machine that needs no token: nothing between it and us, nothing of value behind us. */
  isTrustedPage(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (!this.#options.trustLocalPages || origin === undefined || host === undefined) return false;
    return (
      isLoopbackHost(this.#options.listenHost) &&
      isLoopbackPeer(request.socket.remoteAddress) &&
      LOOPBACK_NAMES.has(nameOf(host.toLowerCase()) ?? '') &&
      origin.toLowerCase() === this.#origin(host) &&
      FORWARDING_HEADERS.every((header) => request.headers[header] === undefined)
    );
  }

  /** Origin of the pages that we serve under that host. */
  #origin(host: string): string {
    return `${this.#options.isSecure ? 'https' : 'http'}://${host.toLowerCase()}`;
  }

  #ownNames(): ReadonlySet<string> {
    const { listenHost, certificateHosts } = this.#options;
    const own = isWildcard(listenHost) ? machineHosts() : [listenHost.toLowerCase()];
    return new Set([...own, ...certificateHosts].map(urlHost));
  }
}
