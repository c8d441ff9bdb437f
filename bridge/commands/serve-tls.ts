/**
 * The TLS of `serve`: which certificate it serves with, and what its start-up lines say of addresses.
 */
import type { ServeOptions } from '../config/options.ts';
import type { Logger } from '../logger.ts';
import { isLoopbackHost } from '../server/access.ts';
import { addressesOf } from '../server/addresses.ts';
import { bridgeHosts, publicHosts } from '../server/hosts.ts';
import { AUTHORITY_PATH } from '../server/http.ts';
import type { CertificateSource } from '../server/tls/certificate.ts';
import { openGivenCertificate } from '../server/tls/given.ts';

/**
 * null: plain HTTP, on loopback or because it is wanted.
 * @throws {CertificateError}
 */
export async function openCertificate(options: ServeOptions, log: Logger): Promise<CertificateSource | null> {
  const { tls, listen, publicOrigins, dataFolder, insecureHttp } = options;
  if (tls !== null) return openGivenCertificate({ ...tls, publicHosts: publicHosts(publicOrigins) });
  if (isLoopbackHost(listen.host) || insecureHttp) return null;
  const { openOwnCertificate } = await import('../server/tls/own.ts');
  return openOwnCertificate({ dataFolder, hosts: () => bridgeHosts(listen.host, publicOrigins), log });
}

/**
 * Says under which addresses the bridge is reached and what a browser offers there.
 * @param url by which this machine reaches it
 * @returns the address for a person on this machine to open, and those by which other machines reach the bridge, or
 *   this one where no other does
 */
export function tellAddresses(
  options: ServeOptions,
  { url, port }: { readonly url: string; readonly port: number },
  certificate: CertificateSource | null,
  log: Logger,
): { readonly url: string; readonly reachable: readonly string[] } {
  const { listen, publicOrigins, insecureHttp } = options;
  const addresses = addressesOf({
    listen,
    port,
    publicOrigins,
    certificateHosts: certificate?.current.hosts ?? null,
  });
  const elsewhere = addresses.find(({ isLoopback }) => !isLoopback)?.url ?? url;
  if (certificate !== null) tellCertificate(certificate, elsewhere, log);
  for (const { url: address, isSecure } of addresses)
    log.info(
      { url: address, webgpu: isSecure },
      isSecure
        ? 'browsers offer WebGPU here'
        : 'no WebGPU and no wake lock here: neither https nor this machine',
    );
  if (insecureHttp && !isLoopbackHost(listen.host))
    log.warn(
      'plain HTTP beyond this machine, as --insecure-http asks: other machines get no GPU and no wake lock, and the network sees data and token',
    );
  // A certificate that was given names this machine as others do, and not as loopback.
  const named = certificate !== null && certificate.authority === null ? addresses[0] : undefined;
  const beyond = addresses.filter(({ isLoopback }) => !isLoopback);
  const local = [...new Set([url, ...addresses.map((address) => address.url)])];
  return {
    url: named?.url ?? url,
    reachable: beyond.length > 0 ? beyond.map((address) => address.url) : local,
  };
}

function tellCertificate({ current, authority }: CertificateSource, url: string, log: Logger): void {
  log.info({ fingerprint: current.fingerprint, until: current.validTo }, 'certificate (SHA-256)');
  if (authority === null) return;
  const download = new URL(AUTHORITY_PATH, url).href;
  log.info(
    { fingerprint: authority.fingerprint, file: authority.file, download },
    'the CA of the bridge (SHA-256): a client that imports it trusts the bridge, and gets WebGPU without a warning',
  );
}
