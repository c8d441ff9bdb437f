/**
 * Given: a certificate of somebody else's making, such as the institute's, from two PEM files.
 *
 * It is looked at before the bridge listens, because what is wrong with it would otherwise show up only in browsers,
 * and there without a reason. When its files change, as after a renewal, the running bridge takes the new one.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Secret } from '../../config/secret.ts';
import {
  CertificateError,
  type CertificateSource,
  hostsOf,
  type LocalTrust,
  type ServedCertificate,
  validFrom,
  validTo,
} from './certificate.ts';

export interface GivenCertificateOptions {
  /** PEM: the bridge's certificate first, then those between it and a known authority. */
  readonly certFile: string;
  /** PEM, without a passphrase. */
  readonly keyFile: string;
  /** Hosts that it has to name: those of `--public-url`. */
  readonly publicHosts: readonly string[];
  readonly now?: () => Date;
}

/** @throws {CertificateError} `unreadable`, `mismatch`, `expired` or `names` */
export const openGivenCertificate = (options: GivenCertificateOptions): CertificateSource =>
  new GivenCertificate(options);

class GivenCertificate implements CertificateSource {
  readonly authority = null;
  readonly #options: GivenCertificateOptions;
  #current: ServedCertificate;

  constructor(options: GivenCertificateOptions) {
    this.#options = options;
    this.#current = load(options);
  }

  get current(): ServedCertificate {
    return this.#current;
  }

  /** Whoever holds a certificate for a name may be called by it; a wildcard says too little. */
  get furtherHosts(): readonly string[] {
    return this.#current.hosts.filter((host) => !host.startsWith('*.'));
  }

  /** The certificate itself is trusted, so that its authority need not be known here. */
  get trust(): LocalTrust {
    const [any = ''] = this.#current.hosts;
    const name = this.furtherHosts.find((host) => isIP(host) === 0) ?? any.replace(/^\*/, 'haloscope');
    return { caFile: this.#options.certFile, name };
  }

  async renew(): Promise<boolean> {
    const before = this.current.fingerprint;
    this.#current = load(this.#options);
    return this.current.fingerprint !== before;
  }
}

function load(options: GivenCertificateOptions): ServedCertificate {
  const { certFile, keyFile, publicHosts } = options;
  const chain = readText('--tls-cert', certFile);
  const keyText = readText('--tls-key', keyFile);
  const certificate = certificateOf(chain, certFile);
  const key = keyOf(keyText, keyFile);
  if (!certificate.checkPrivateKey(key))
    throw new CertificateError(
      'mismatch',
      `--tls-key: ${keyFile} is not the key of the first certificate in ${certFile}: give the two that were made together, the bridge's own certificate first`,
    );
  checkTime(certificate, certFile, options.now?.() ?? new Date());
  checkHosts(certificate, certFile, publicHosts);
  checkUsable(chain, keyText, certFile);
  return {
    chain,
    key: new Secret(keyText),
    fingerprint: certificate.fingerprint256,
    validTo: validTo(certificate),
    hosts: hostsOf(certificate),
  };
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CertificateError('unreadable', `${option}: ${file} cannot be read (${code})`, { cause: error });
  }
}

function certificateOf(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new CertificateError('unreadable', `--tls-cert: ${file} begins with no certificate in PEM`, {
      cause: error,
    });
  }
}

function keyOf(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(pem);
    const what = isLocked
      ? 'holds a key with a passphrase: give one without, readable by the bridge only'
      : 'holds no private key in PEM';
    throw new CertificateError('unreadable', `--tls-key: ${file} ${what}`, { cause: error });
  }
}

function checkTime(certificate: X509Certificate, file: string, now: Date): void {
  const [from, to] = [validFrom(certificate), validTo(certificate)];
  const fault =
    now > to
      ? `expired on ${to.toISOString()}`
      : now < from
        ? `is valid only from ${from.toISOString()}`
        : null;
  if (fault === null) return;
  throw new CertificateError(
    'expired',
    `--tls-cert: ${file} ${fault}, and it is ${now.toISOString()}: renew it, or set the clock`,
  );
}

function checkHosts(certificate: X509Certificate, file: string, publicHosts: readonly string[]): void {
  const hosts = hostsOf(certificate);
  if (hosts.length === 0)
    throw new CertificateError(
      'names',
      `--tls-cert: ${file} has no subject alternative name, without which browsers refuse it`,
    );
  const missing = publicHosts.find((host) => !covers(certificate, host));
  if (missing !== undefined)
    throw new CertificateError(
      'names',
      `--tls-cert: ${file} is not valid for ${missing} of --public-url; its names are ${hosts.join(', ')}`,
    );
  if (publicHosts.length === 0 && hosts.every((host) => host.startsWith('*.')))
    throw new CertificateError(
      'names',
      `--public-url: expected, because ${file} does not say the name of the bridge, only ${hosts.join(', ')}`,
    );
}

const covers = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host)) !==
  undefined;

/** What else OpenSSL has against it, such as a key that is too short. */
function checkUsable(cert: string, key: string, file: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CertificateError('unreadable', `--tls-cert: ${file} cannot be used (${reason})`, {
      cause: error,
    });
  }
}
