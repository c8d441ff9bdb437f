/**
 * Hosts: names and addresses by which clients may reach the bridge, without ports and brackets, in lower case.
 */
import { isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

const WILDCARDS = new Set(['0.0.0.0', '::', '']);
/** Every machine's own names, by which a tunnel ends at the bridge. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/** Whether listening there means every address of this machine. */
export const isWildcard = (host: string): boolean => WILDCARDS.has(host);

/** Name and addresses of this machine, which may change while we run. */
export function machineHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [hostname().toLowerCase(), ...addresses.map(({ address }) => address)];
}

export interface BridgeHosts {
  /** What somebody asked for, by `--listen` or `--public-url`, and loopback. */
  readonly chosen: readonly string[];
  /** What this machine happens to be called as well, where it listens on every address. */
  readonly found: readonly string[];
}

/** All hosts that a certificate of the bridge has to name. */
export function bridgeHosts(listenHost: string, publicOrigins: readonly string[]): BridgeHosts {
  const listen = isWildcard(listenHost) ? [] : [listenHost.toLowerCase()];
  const chosen = new Set([...LOOPBACK, ...listen, ...publicHosts(publicOrigins)]);
  const found = isWildcard(listenHost) ? machineHosts().filter(isNameable) : [];
  return { chosen: [...chosen], found: [...new Set(found)].filter((host) => !chosen.has(host)) };
}

/** Hosts of the `https:` ones among these origins: those of others need no certificate. */
export function publicHosts(origins: readonly string[]): readonly string[] {
  const urls = origins.map((origin) => new URL(origin));
  return urls
    .filter(({ protocol }) => protocol === 'https:')
    .map(({ hostname: host }) => host.replace(/^\[|\]$/g, ''));
}

/** Link-local addresses are reached through one interface only, which no URL can say. */
const isNameable = (host: string): boolean =>
  isIPv6(host) ? !/^fe[89ab]/i.test(host) : /^[a-z0-9._-]+$/.test(host);
