import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CertificateError } from '../../bridge/server/tls/certificate.ts';
import { openGivenCertificate } from '../../bridge/server/tls/given.ts';
import { issueAuthority, issueLeaf, type Validity } from '../../bridge/server/tls/issue.ts';
import { temporaryFolder } from './harness.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
const YEAR = { from: inDays(-1), to: inDays(365) };

interface Files {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate of an institute, in two files. */
async function files(names: readonly string[], validity: Validity = YEAR, folder = temporaryFolder()) {
  const authority = await issueAuthority('institute', names, validity);
  const { certificate, key } = await issueLeaf(authority, names, validity);
  const written = { certFile: join(folder, 'bridge.crt'), keyFile: join(folder, 'bridge.key') };
  writeFileSync(written.certFile, certificate.toString() + authority.certificate.toString());
  writeFileSync(written.keyFile, key.export({ type: 'pkcs8', format: 'pem' }));
  return written;
}

function refused(given: Files, publicHosts: readonly string[] = []): CertificateError {
  try {
    openGivenCertificate({ ...given, publicHosts });
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('a good pair is taken, and says what it is', async () => {
  const given = await files(['daq.example.org', '192.0.2.7']);
  const source = openGivenCertificate({ ...given, publicHosts: ['daq.example.org', '192.0.2.7'] });
  expect(source.current.hosts).toEqual(['daq.example.org', '192.0.2.7']);
  expect(source.current.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect(source).toMatchObject({
    authority: null,
    furtherHosts: ['daq.example.org', '192.0.2.7'],
    trust: { caFile: given.certFile, name: 'daq.example.org' },
  });
});

test('a wildcard covers a name of --public-url, and alone says no name', async () => {
  const given = await files(['*.example.org']);
  const source = openGivenCertificate({ ...given, publicHosts: ['daq.example.org'] });
  expect([source.furtherHosts, source.trust.name]).toEqual([[], 'haloscope.example.org']);
  expect(refused(given)).toMatchObject({ code: 'names', message: expect.stringContaining('--public-url') });
});

test('a key of another certificate is refused', async () => {
  const [one, two] = [await files(['daq.example.org']), await files(['daq.example.org'])];
  expect(refused({ certFile: one.certFile, keyFile: two.keyFile })).toMatchObject({
    code: 'mismatch',
    message: `--tls-key: ${two.keyFile} is not the key of the first certificate in ${one.certFile}: give the two that were made together, the bridge's own certificate first`,
  });
});

test('an expired certificate, and one of the future, are refused with the time', async () => {
  const expired = await files(['daq.example.org'], { from: inDays(-9), to: inDays(-2) });
  expect(refused(expired)).toMatchObject({
    code: 'expired',
    message: expect.stringMatching(/bridge\.crt expired on \d{4}-.*, and it is \d{4}-.*: renew it/),
  });
  const future = await files(['daq.example.org'], { from: inDays(2), to: inDays(9) });
  expect(refused(future)).toMatchObject({
    code: 'expired',
    message: expect.stringContaining('valid only from'),
  });
});

test('a name of --public-url that it lacks is refused, with the names that it has', async () => {
  const given = await files(['daq.example.org', '192.0.2.7']);
  for (const host of ['other.example.org', 'sub.daq.example.org', '192.0.2.8'])
    expect(refused(given, ['daq.example.org', host])).toMatchObject({
      code: 'names',
      message: expect.stringMatching(
        `not valid for ${host} of --public-url; its names are daq.example.org, 192.0.2.7`,
      ),
    });
});

test('without alternative names it is refused, as browsers do', async () => {
  const folder = temporaryFolder();
  const { certificate, key } = await issueAuthority('daq.example.org', ['daq.example.org'], YEAR);
  const given = { certFile: join(folder, 'c'), keyFile: join(folder, 'k') };
  writeFileSync(given.certFile, certificate.toString());
  writeFileSync(given.keyFile, key.export({ type: 'pkcs8', format: 'pem' }));
  expect(refused(given)).toMatchObject({
    code: 'names',
    message: expect.stringContaining('alternative name'),
  });
});

test('files that are missing, are something else or are locked are told apart', async () => {
  const good = await files(['daq.example.org']);
  const folder = temporaryFolder();
  const odd = join(folder, 'odd');
  writeFileSync(odd, 'Bag Attributes');
  const locked = join(folder, 'locked');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(
    locked,
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
  );
  const messageOf = (given: Partial<Files>): string => {
    const error = refused({ ...good, ...given });
    expect(error.code).toBe('unreadable');
    expect(error.message).not.toContain('\n');
    return error.message;
  };
  expect(messageOf({ certFile: join(folder, 'none') })).toMatch(
    /^--tls-cert: .*none cannot be read \(ENOENT\)$/,
  );
  expect(messageOf({ keyFile: folder })).toMatch(/^--tls-key: .* cannot be read \(EISDIR\)$/);
  expect(messageOf({ certFile: odd })).toContain('begins with no certificate in PEM');
  expect(messageOf({ keyFile: odd })).toContain('holds no private key in PEM');
  expect(messageOf({ keyFile: locked })).toContain('passphrase');
});

test('a renewal on disk is taken over; half of one is not', async () => {
  const folder = temporaryFolder();
  const given = await files(['daq.example.org'], YEAR, folder);
  const source = openGivenCertificate({ ...given, publicHosts: ['daq.example.org'] });
  const before = source.current.fingerprint;
  expect(await source.renew()).toBe(false);
  const other = await files(['daq.example.org']);
  await files(['daq.example.org'], YEAR, folder);
  expect(await source.renew()).toBe(true);
  expect(source.current.fingerprint).not.toBe(before);
  const kept = source.current;
  copyFileSync(other.keyFile, given.keyFile);
  await expect(source.renew()).rejects.toThrow('is not the key');
  expect(source.current).toBe(kept);
});
