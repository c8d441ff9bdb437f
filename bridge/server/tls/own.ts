/**
 * Own: the certificates that the bridge makes for itself and keeps in its data folder.
 *
 *   DATA/tls/ca.pem       the authority with its key, for its owner only; made once
 *   DATA/tls/ca.crt       the same without the key, for clients to import
 *   DATA/tls/bridge.pem   the bridge's certificate with its key; made anew whenever it should be
 *
 * Key and certificate share a file, so that no crash can part them. Clients have imported the authority by hand: it
 * is replaced only when it ends, or when somebody asks for a name that it does not permit. A name that this
 * machine got by itself, such as an address from DHCP, is left out of the certificate instead.
 */
import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../config/secret.ts';
import type { Logger } from '../../logger.ts';
import type { BridgeHosts } from '../hosts.ts';
import {
  type Authority,
  CertificateError,
  type CertificateSource,
  hostsOf,
  type LocalTrust,
  type ServedCertificate,
  validFrom,
  validTo,
} from './certificate.ts';
import { issueAuthority, issueLeaf, type KeyedCertificate, permits, type Validity } from './issue.ts';

const DAY_MS = 86_400_000;
/** Clients have to import the next one by hand. */
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 90;
/** A certificate is replaced so long before it ends; an authority when it could not sign for a whole term. */
const RENEW_DAYS = 30;
/** Clocks of clients may be behind. */
const BACKDATED_DAYS = 1;

const FOLDER = 'tls';
const AUTHORITY_FILE = 'ca.pem';
const AUTHORITY_COPY = 'ca.crt';
const LEAF_FILE = 'bridge.pem';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const FOR_EVERYBODY = 0o644;

export interface OwnCertificateOptions {
  /** Folder of the bridge's data. */
  readonly dataFolder: string;
  /** Looked at again at every renewal. */
  readonly hosts: () => BridgeHosts;
  readonly log: Logger;
  readonly now?: () => Date;
}

interface Kept {
  readonly authority: KeyedCertificate;
  readonly leaf: KeyedCertificate;
}

/**
 * What the folder holds, and what it lacks is made.
 * @throws {CertificateError} `damaged`; the error of the file system where the folder cannot be written
 */
export async function openOwnCertificate(options: OwnCertificateOptions): Promise<CertificateSource> {
  const told = new Set<string>();
  return new OwnCertificate(options, await keep(options, told), told);
}

class OwnCertificate implements CertificateSource {
  readonly furtherHosts: readonly string[] = [];
  readonly #options: OwnCertificateOptions;
  /** Names that are left out and that the log knows of. */
  readonly #told: Set<string>;
  #kept: Kept;

  constructor(options: OwnCertificateOptions, kept: Kept, told: Set<string>) {
    this.#options = options;
    this.#kept = kept;
    this.#told = told;
  }

  get current(): ServedCertificate {
    const { certificate, key } = this.#kept.leaf;
    return {
      chain: certificate.toString(),
      key: new Secret(pemOf(key)),
      fingerprint: certificate.fingerprint256,
      validTo: validTo(certificate),
      hosts: hostsOf(certificate),
    };
  }

  get authority(): Authority {
    const { certificate } = this.#kept.authority;
    return {
      certificate: certificate.toString(),
      file: join(folderOf(this.#options), AUTHORITY_COPY),
      fingerprint: certificate.fingerprint256,
    };
  }

  /** Loopback and the address listened on are among its names. */
  get trust(): LocalTrust {
    return { caFile: this.authority.file, name: null };
  }

  async renew(): Promise<boolean> {
    const before = this.current.fingerprint;
    this.#kept = await keep(this.#options, this.#told);
    return this.current.fingerprint !== before;
  }
}

async function keep(options: OwnCertificateOptions, told: Set<string>): Promise<Kept> {
  const { log } = options;
  const folder = folderOf(options);
  mkdirSync(options.dataFolder, { recursive: true });
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, OWNER_ONLY_FOLDER);
  const hosts = options.hosts();
  const now = options.now?.() ?? new Date();
  const authority = await keepAuthority(folder, hosts, now, log);
  for (const host of hosts.found) {
    if (told.has(host) || permits(authority.certificate, host)) continue;
    tellLeftOut(host, log);
    told.add(host);
  }
  const leaf = await keepLeaf(folder, authority, hosts, now, log);
  return { authority, leaf };
}

const folderOf = ({ dataFolder }: OwnCertificateOptions): string => join(dataFolder, FOLDER);

async function keepAuthority(
  folder: string,
  { chosen, found }: BridgeHosts,
  now: Date,
  log: Logger,
): Promise<KeyedCertificate> {
  const file = join(folder, AUTHORITY_FILE);
  const kept = readAuthority(file);
  const fault = kept === null ? null : faultOf(kept.certificate, chosen, now);
  const authority =
    kept !== null && fault === null
      ? kept
      : await issueAuthority(authorityName(), [...chosen, ...found], validity(now, AUTHORITY_DAYS));
  if (authority !== kept) write(file, pairPem(authority), OWNER_ONLY);
  write(join(folder, AUTHORITY_COPY), authority.certificate.toString(), FOR_EVERYBODY);
  if (fault !== null) log.warn(`${fault}: the bridge has made a new CA, which clients have to import`);
  return authority;
}

/** Why an authority can serve no longer; null: it can. */
function faultOf(authority: X509Certificate, chosen: readonly string[], now: Date): string | null {
  if (validTo(authority).getTime() < now.getTime() + LEAF_DAYS * DAY_MS)
    return `the CA of the bridge ends on ${validTo(authority).toISOString().slice(0, 10)}`;
  const missing = chosen.find((host) => !permits(authority, host));
  return missing === undefined ? null : `the CA of the bridge does not permit the name ${missing}`;
}

async function keepLeaf(
  folder: string,
  authority: KeyedCertificate,
  hosts: BridgeHosts,
  now: Date,
  log: Logger,
): Promise<KeyedCertificate> {
  const file = join(folder, LEAF_FILE);
  const names = [...hosts.chosen, ...hosts.found].filter((host) => permits(authority.certificate, host));
  const kept = readPair(file);
  if (kept !== null && isGood(kept.certificate, authority.certificate, names, now)) return kept;
  const leaf = await issueLeaf(authority, names, validity(now, LEAF_DAYS));
  write(file, pairPem(leaf), OWNER_ONLY);
  log.info({ names, until: validTo(leaf.certificate) }, 'certificate made');
  return leaf;
}

function isGood(
  leaf: X509Certificate,
  authority: X509Certificate,
  names: readonly string[],
  now: Date,
): boolean {
  const named = new Set(hostsOf(leaf));
  return (
    leaf.checkIssued(authority) &&
    leaf.verify(authority.publicKey) &&
    named.size === names.length &&
    names.every((name) => named.has(name)) &&
    validFrom(leaf).getTime() <= now.getTime() &&
    validTo(leaf).getTime() > now.getTime() + RENEW_DAYS * DAY_MS
  );
}

function tellLeftOut(host: string, log: Logger): void {
  log.warn(
    { host },
    'the CA of the bridge does not permit this name, which the machine has got since: browsers do not trust the bridge there; --public-url with that name makes a new CA, which clients have to import',
  );
}

/** Tells the authorities of two bridges apart in a client's list. */
const authorityName = (): string => `haloscope CA ${randomBytes(3).toString('hex')} of ${hostname()}`;

const validity = (now: Date, days: number): Validity => ({
  from: new Date(now.getTime() - BACKDATED_DAYS * DAY_MS),
  to: new Date(now.getTime() + days * DAY_MS),
});

/** null: there is none yet. One that clients have imported is not replaced because a disk has damaged it. */
function readAuthority(file: string): KeyedCertificate | null {
  if (!existsSync(file)) return null;
  const kept = readPair(file);
  if (kept?.certificate.ca === true) return kept;
  throw new CertificateError(
    'damaged',
    `${file} is not the CA that the bridge has written: restore it from a copy, or delete it; then the bridge makes another, which clients have to import`,
  );
}

/** null: none that is of use. */
function readPair(file: string): KeyedCertificate | null {
  try {
    const pem = readFileSync(file);
    chmodSync(file, OWNER_ONLY);
    const pair = { certificate: new X509Certificate(pem), key: createPrivateKey(pem) };
    return pair.certificate.checkPrivateKey(pair.key) ? pair : null;
  } catch {
    return null;
  }
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pairPem = ({ certificate, key }: KeyedCertificate): string => `${certificate.toString()}${pemOf(key)}`;

/** As a whole or not at all. */
function write(file: string, content: string, mode: number): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, content, { mode });
  chmodSync(draft, mode);
  renameSync(draft, file);
}
