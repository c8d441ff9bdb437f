/**
 * Certificate: what a TLS server shows, wherever it comes from, and what its clients need to believe it.
 */
import type { X509Certificate } from 'node:crypto';
import type { Secret } from '../../config/secret.ts';

/**
 * Closed list of why there is no certificate to serve with.
 * - `unreadable`: a file cannot be read, or holds no certificate or no key
 * - `mismatch`: key and certificate do not belong together
 * - `expired`: not valid yet, or no longer
 * - `names`: it lacks a host by which clients reach the bridge
 * - `damaged`: what the bridge made for itself is no longer what it was
 */
export type CertificateErrorCode = 'unreadable' | 'mismatch' | 'expired' | 'names' | 'damaged';

/** Wrong configuration: the message is one line for a person. */
export class CertificateError extends Error {
  readonly code: CertificateErrorCode;
  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CertificateError';
    this.code = code;
  }
}

/** PEM, as Node's TLS takes it. */
export interface ServedCertificate {
  /** The bridge's own certificate first, then those between it and a known authority. */
  readonly chain: string;
  readonly key: Secret;
  /** SHA-256, `AB:CD:…`. */
  readonly fingerprint: string;
  readonly validTo: Date;
  /** All names that it has, wildcards included. */
  readonly hosts: readonly string[];
}

/** The bridge's own certificate authority, for clients to import. */
export interface Authority {
  /** PEM, the certificate alone. */
  readonly certificate: string;
  readonly file: string;
  /** SHA-256, `AB:CD:…`. */
  readonly fingerprint: string;
}

/** How a client on this machine verifies the bridge. */
export interface LocalTrust {
  /** Certificates to trust, PEM. */
  readonly caFile: string;
  /** Host that the certificate names, where it is not the one in the client's URL. */
  readonly name: string | null;
}

export interface CertificateSource {
  readonly current: ServedCertificate;
  /** null: somebody else's. */
  readonly authority: Authority | null;
  readonly trust: LocalTrust;
  /** Hosts that are the bridge's names because its certificate says so. */
  readonly furtherHosts: readonly string[];
  /**
   * Looks whether the certificate should be replaced, and replaces it.
   * @returns whether `current` is another one now
   * @throws {CertificateError} and then keeps the one there is
   */
  renew(): Promise<boolean>;
}

export const validFrom = ({ validFrom: text }: X509Certificate): Date => new Date(text);
export const validTo = ({ validTo: text }: X509Certificate): Date => new Date(text);

/** The names of a certificate as browsers read them, wildcards included; without those of other kinds. */
export function hostsOf({ subjectAltName }: X509Certificate): readonly string[] {
  const names = (subjectAltName ?? '').split(', ');
  return names.flatMap((name) => {
    const [, kind, host] = /^(DNS|IP Address):(.+)$/.exec(name) ?? [];
    if (kind === undefined || host === undefined) return [];
    return [kind === 'DNS' ? host.toLowerCase() : compactAddress(host)];
  });
}

/** OpenSSL writes IPv6 in full, URLs and the system in short. */
const compactAddress = (address: string): string =>
  address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
