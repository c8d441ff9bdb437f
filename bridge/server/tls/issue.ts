/**
 * Issue: makes the bridge's own certificate authority (CA) and the certificates that it signs.
 *
 * Somebody who imports the CA on a workstation must not thereby trust whoever has its key with the whole web. So
 * name constraints (RFC 5280, 4.2.1.10) hold it to the hosts that it was made for, and its purpose to TLS servers.
 * A permitted name covers what lies below it, too: the standard knows no narrower form.
 */
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { BitString, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  GeneralSubtree,
  NameConstraints,
  type RelativeDistinguishedNames,
  type Time,
  TimeType,
} from 'pkijs';

/** A certificate with its private key. */
export interface KeyedCertificate {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

/** Object identifiers, RFC 5280. */
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const NAME_CONSTRAINTS = '2.5.29.30';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const TLS_SERVER = '1.3.6.1.5.5.7.3.1';

/** `KeyUsage` counts its bits from the left: digitalSignature is 0, keyCertSign 5. */
const SIGNS_DATA = { bits: 0b1000_0000, unused: 7 };
const SIGNS_CERTIFICATES = { bits: 0b0000_0100, unused: 2 };

/** Kinds of `GeneralName`. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

const VERSION_3 = 2;
/** 127 random bits: a serial number is unique, positive and at most 20 bytes long. */
const SERIAL_BYTES = 16;
/** X.520's longest common name. */
const MAX_COMMON_NAME = 64;
/** `UTCTime` ends here; later times are `GeneralizedTime`. */
const LAST_UTC_YEAR = 2049;
/** P-256 is what every browser, OpenSSL and NSS take. */
const CURVE = 'P-256';
const HASH = 'SHA-256';

/** @param hosts that it may sign for, and no others */
export async function issueAuthority(
  name: string,
  hosts: readonly string[],
  validity: Validity,
): Promise<KeyedCertificate> {
  const key = newKey();
  const subject = name.slice(0, MAX_COMMON_NAME);
  const draft = await draftOf(key, subject, validity);
  const permittedSubtrees = hosts.map((host) => new GeneralSubtree({ base: subtreeOf(host) }));
  draft.extensions = [
    extension(BASIC_CONSTRAINTS, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    keyUsage(SIGNS_CERTIFICATES),
    extension(EXTENDED_KEY_USAGE, false, new ExtKeyUsage({ keyPurposes: [TLS_SERVER] })),
    extension(NAME_CONSTRAINTS, true, new NameConstraints({ permittedSubtrees })),
    await subjectKeyIdentifier(draft),
  ];
  setName(draft.issuer, subject);
  return { certificate: await signed(draft, key), key };
}

/** @param hosts that it names, all of which the authority has to permit */
export async function issueLeaf(
  authority: KeyedCertificate,
  hosts: readonly string[],
  validity: Validity,
): Promise<KeyedCertificate> {
  const key = newKey();
  const draft = await draftOf(key, 'haloscope bridge', validity);
  const issuer = parse(authority.certificate);
  const keyIdentifier = new OctetString({ valueHex: await issuer.getKeyHash() });
  draft.extensions = [
    extension(BASIC_CONSTRAINTS, true, new BasicConstraints({ cA: false })),
    keyUsage(SIGNS_DATA),
    extension(EXTENDED_KEY_USAGE, false, new ExtKeyUsage({ keyPurposes: [TLS_SERVER] })),
    extension(SUBJECT_ALT_NAME, false, new AltName({ altNames: hosts.map(nameOf) })),
    extension(AUTHORITY_KEY_IDENTIFIER, false, new AuthorityKeyIdentifier({ keyIdentifier })),
    await subjectKeyIdentifier(draft),
  ];
  draft.issuer = issuer.subject;
  return { certificate: await signed(draft, authority.key), key };
}

/** Whether the constraints of an authority allow a certificate to name that host. */
export function permits(authority: X509Certificate, host: string): boolean {
  const constraints = parse(authority).extensions?.find(
    ({ extnID }) => extnID === NAME_CONSTRAINTS,
  )?.parsedValue;
  if (!(constraints instanceof NameConstraints)) return false;
  const wanted = subtreeOf(host);
  return (constraints.permittedSubtrees ?? []).some(({ base }) => {
    if (base.type !== wanted.type) return false;
    if (base.type !== IP_ADDRESS) return base.value === wanted.value || host.endsWith(`.${base.value}`);
    return bytesOf(base).equals(bytesOf(wanted));
  });
}

const bytesOf = (name: GeneralName): Buffer =>
  Buffer.from((name.value as OctetString).valueBlock.valueHexView);

const parse = (certificate: X509Certificate): Certificate =>
  Certificate.fromBER(new Uint8Array(certificate.raw));

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: CURVE }).privateKey;
}

async function draftOf(key: KeyObject, subject: string, { from, to }: Validity): Promise<Certificate> {
  const draft = new Certificate({ version: VERSION_3 });
  const serial = randomBytes(SERIAL_BYTES);
  // Neither negative nor with a byte that says nothing.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  draft.serialNumber = new Integer({ valueHex: new Uint8Array(serial) });
  setName(draft.subject, subject);
  setTime(draft.notBefore, from);
  setTime(draft.notAfter, to);
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const algorithm = { name: 'ECDSA', namedCurve: CURVE };
  const publicKey = await webcrypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, [
    'verify',
  ]);
  await draft.subjectPublicKeyInfo.importKey(publicKey);
  return draft;
}

function setName(name: RelativeDistinguishedNames, commonName: string): void {
  name.typesAndValues.push(
    new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: commonName }) }),
  );
}

function setTime(time: Time, value: Date): void {
  time.type = value.getUTCFullYear() > LAST_UTC_YEAR ? TimeType.GeneralizedTime : TimeType.UTCTime;
  time.value = value;
}

async function signed(draft: Certificate, key: KeyObject): Promise<X509Certificate> {
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  const algorithm = { name: 'ECDSA', namedCurve: CURVE };
  const signer = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  await draft.sign(signer, HASH);
  return new X509Certificate(Buffer.from(draft.toSchema(true).toBER(false)));
}

const extension = (
  extnID: string,
  critical: boolean,
  value: { toSchema(): { toBER(sizeOnly: boolean): ArrayBuffer } },
): Extension => new Extension({ extnID, critical, extnValue: value.toSchema().toBER(false) });

function keyUsage({ bits, unused }: typeof SIGNS_DATA): Extension {
  const value = new BitString({ valueHex: new Uint8Array([bits]), unusedBits: unused });
  return new Extension({ extnID: KEY_USAGE, critical: true, extnValue: value.toBER(false) });
}

async function subjectKeyIdentifier(draft: Certificate): Promise<Extension> {
  const value = new OctetString({ valueHex: await draft.getKeyHash() });
  return new Extension({ extnID: SUBJECT_KEY_IDENTIFIER, critical: false, extnValue: value.toBER(false) });
}

/** A host as a certificate names it. */
function nameOf(host: string): GeneralName {
  if (isIP(host) === 0) return new GeneralName({ type: DNS_NAME, value: host });
  return new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex: addressBytes(host) }) });
}

/** A host as a constraint names it: an address is followed by its mask, here of one address only. */
function subtreeOf(host: string): GeneralName {
  if (isIP(host) === 0) return nameOf(host);
  const address = addressBytes(host);
  const valueHex = new Uint8Array(2 * address.length).fill(0xff);
  valueHex.set(address);
  return new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex }) });
}

/** 4 or 16 bytes, in the order of the network. */
function addressBytes(address: string): Uint8Array {
  if (!isIPv6(address)) return Uint8Array.from(address.split('.'), Number);
  // A URL writes IPv6 with groups of hexadecimal digits only, and at most one `::`.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groupsOf = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
