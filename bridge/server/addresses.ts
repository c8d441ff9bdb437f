/**
 * Addresses: the URLs under which browsers reach the bridge, and whether they offer WebGPU and wake lock there.
 */
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../config/options.ts';
import { isLoopbackHost, urlHost } from './access.ts';
import { bridgeHosts, isWildcard } from './hosts.ts';

export interface Address {
  /** Ends in `/`. */
  readonly url: string;
  /** Secure context: `https:`, or this machine itself. */
  readonly isSecure: boolean;
  /** Reached from this machine only. */
  readonly isLoopback: boolean;
}

export interface AddressesOptions {
  readonly listen: ListenAddress;
  /** Port that the system chose where 0 was asked for. */
  readonly port: number;
  readonly publicOrigins: readonly string[];
  /** Names of the certificate that the server shows; null: plain HTTP. */
  readonly certificateHosts: readonly string[] | null;
}

/** Those of `--public-url` first, then those that follow from where the server listens. */
export function addressesOf(options: AddressesOptions): readonly Address[] {
  const { listen, port, publicOrigins, certificateHosts } = options;
  const published = publicOrigins.map((origin) => new URL(origin));
  const scheme = certificateHosts === null ? 'http' : 'https';
  const own = ownHosts(listen.host, certificateHosts)
    .filter((host) => published.every(({ hostname }) => hostname !== urlHost(host)))
    .map((host) => new URL(`${scheme}://${urlHost(host)}:${port}`));
  return [...published, ...own].map(({ href, protocol, hostname }) => {
    const isLoopback = isLoopbackHost(hostname.replace(/^\[|\]$/g, ''));
    return { url: href, isLoopback, isSecure: protocol === 'https:' || isLoopback };
  });
}

/** Without loopback, or without IPv6, where the server does not listen there. */
function ownHosts(listenHost: string, certificateHosts: readonly string[] | null): readonly string[] {
  const { chosen, found } = bridgeHosts(listenHost, []);
  const hosts = certificateHosts?.filter((host) => !host.startsWith('*.')) ?? [...chosen, ...found];
  const isLocal = isWildcard(listenHost) || isLoopbackHost(listenHost);
  return hosts.filter(
    (host) => (isLocal || !isLoopbackHost(host)) && (listenHost !== '0.0.0.0' || !isIPv6(host)),
  );
}
