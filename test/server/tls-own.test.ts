import { type KeyObject, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../bridge/logger.ts';
import { type BridgeHosts, bridgeHosts, machineHosts } from '../../bridge/server/hosts.ts';
import { CertificateError, hostsOf, type CertificateSource } from '../../bridge/server/tls/certificate.ts';
import { issueAuthority, issueLeaf, permits } from '../../bridge/server/tls/issue.ts';
import { openOwnCertificate } from '../../bridge/server/tls/own.ts';
import { silent, temporaryFolder } from './harness.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
const YEAR = { from: inDays(-1), to: inDays(365) };

const hosts = (chosen: readonly string[], found: readonly string[] = []): BridgeHosts => ({
  chosen: ['localhost', '127.0.0.1', '::1', ...chosen],
  found,
});

interface Opened {
  readonly source: CertificateSource;
  readonly said: readonly { readonly msg: string; readonly host?: string }[];
}

async function open(dataFolder: string, named: BridgeHosts, now = new Date()): Promise<Opened> {
  const said: { readonly msg: string; readonly host?: string }[] = [];
  const log = createLogger('info', false, { write: (line) => void said.push(JSON.parse(line)) });
  const source = await openOwnCertificate({ dataFolder, hosts: () => named, log, now: () => now });
  return { source, said };
}

const leafOf = ({ current }: CertificateSource): X509Certificate => new X509Certificate(current.chain);
const authorityOf = ({ authority }: CertificateSource): X509Certificate =>
  new X509Certificate(authority?.certificate ?? '');

/** What OpenSSL, as a TLS client that trusts that authority, says to a server with that certificate. */
async function verdict(
  shown: { readonly cert: string; readonly key: KeyObject | string },
  ca: string,
  host: string,
): Promise<string> {
  const key = typeof shown.key === 'string' ? shown.key : shown.key.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ cert: shown.cert, key });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const isAddress = /^[\d.]+$|:/.test(host);
    const client: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      ca,
      servername: isAddress ? '' : host,
      checkServerIdentity: (_, certificate) => {
        const x509 = new X509Certificate(certificate.raw);
        const isNamed = isAddress ? x509.checkIP(host) : x509.checkHost(host);
        return isNamed === undefined ? new Error('another name') : undefined;
      },
    });
    client.once('secureConnect', () => {
      resolve(client.authorized ? 'trusted' : String(client.authorizationError));
      client.destroy();
    });
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

test('OpenSSL trusts the chain for every name and address of the bridge, and for no other', async () => {
  const named = hosts(['daq.example.org', '192.0.2.7', '2001:db8::7'], ['daq', '2001:db8::a:0:0:1']);
  const { source } = await open(temporaryFolder(), named);
  const { current, authority } = source;
  const shown = { cert: current.chain, key: current.key.reveal() };
  for (const host of [...named.chosen, ...named.found])
    expect(await verdict(shown, authority?.certificate ?? '', host), host).toBe('trusted');
  for (const host of ['evil.example', '192.0.2.8', '2001:db8::8', 'example.org'])
    expect(await verdict(shown, authority?.certificate ?? '', host), host).toBe('another name');
  const other = await issueAuthority('another', ['localhost'], YEAR);
  expect(await verdict(shown, other.certificate.toString(), 'localhost')).toMatch(/UNABLE_TO/);
});

test('the authority cannot vouch for other names: its constraints are enforced', async () => {
  const named = ['daq.example.org', '192.0.2.7', '2001:db8::7'];
  const authority = await issueAuthority('constrained', named, YEAR);
  const ca = authority.certificate.toString();
  const shown = async (host: string) => {
    const { certificate, key } = await issueLeaf(authority, [host], YEAR);
    return verdict({ cert: certificate.toString(), key }, ca, host);
  };
  for (const host of named) expect(await shown(host), host).toBe('trusted');
  for (const host of ['evil.example', 'example.org', '192.0.2.8', '127.0.0.1', '2001:db8::8', '::1']) {
    expect(await shown(host), host).not.toBe('trusted');
    expect(permits(authority.certificate, host), host).toBe(false);
  }
});

test('authority and certificate are for TLS servers only, and the certificate is no authority', async () => {
  const { source } = await open(temporaryFolder(), hosts([]));
  const [leaf, authority] = [leafOf(source), authorityOf(source)];
  expect([leaf.ca, authority.ca]).toEqual([false, true]);
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(authority.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
});

test('it is kept: another start shows the same certificates, for the owner’s eyes only', async () => {
  const data = temporaryFolder();
  const first = await open(data, hosts(['daq.example.org']));
  const second = await open(data, hosts(['daq.example.org']));
  expect(second.source.current.fingerprint).toBe(first.source.current.fingerprint);
  expect(second.source.authority).toEqual(first.source.authority);
  expect(second.said).toEqual([]);
  const modeOf = (name: string): number => statSync(join(data, 'tls', name)).mode & 0o777;
  expect([modeOf('ca.pem'), modeOf('bridge.pem'), modeOf('.'), modeOf('ca.crt')]).toEqual([
    0o600, 0o600, 0o700, 0o644,
  ]);
  const copy = readFileSync(join(data, 'tls', 'ca.crt'), 'utf8');
  expect(copy).toBe(first.source.authority?.certificate);
  expect(copy).not.toContain('PRIVATE');
});

test('the certificate is renewed before it ends, under the same authority', async () => {
  const data = temporaryFolder();
  const first = (await open(data, hosts([]))).source;
  expect((await open(data, hosts([]), inDays(59))).source.current.fingerprint).toBe(
    first.current.fingerprint,
  );
  const later = (await open(data, hosts([]), inDays(61))).source;
  expect(later.current.fingerprint).not.toBe(first.current.fingerprint);
  expect(later.current.validTo.getTime()).toBeGreaterThan(inDays(150).getTime());
  expect(later.authority).toEqual(first.authority);
});

test('a bridge that runs for months renews by itself', async () => {
  let now = new Date();
  const source = await openOwnCertificate({
    dataFolder: temporaryFolder(),
    hosts: () => hosts([]),
    log: silent,
    now: () => now,
  });
  const before = source.current.fingerprint;
  expect(await source.renew()).toBe(false);
  now = inDays(61);
  expect(await source.renew()).toBe(true);
  expect(source.current.fingerprint).not.toBe(before);
});

test('an authority near its end is replaced, and the log says what to do', async () => {
  const data = temporaryFolder();
  const first = (await open(data, hosts([]))).source;
  const { source, said } = await open(data, hosts([]), inDays(3650 - 89));
  expect(source.authority?.fingerprint).not.toBe(first.authority?.fingerprint);
  expect(said.map(({ msg }) => msg).join()).toMatch(/the CA of the bridge ends on .* clients have to import/);
});

test('another name that is asked for makes another authority; a name that went away does not', async () => {
  const data = temporaryFolder();
  const first = (await open(data, hosts(['daq.example.org']))).source;
  const second = await open(data, hosts(['daq.example.org', 'spare.example.org']));
  expect(second.source.authority?.fingerprint).not.toBe(first.authority?.fingerprint);
  expect(second.said.map(({ msg }) => msg).join()).toContain('does not permit the name spare.example.org');
  const third = await open(data, hosts(['spare.example.org']));
  expect(third.source.authority).toEqual(second.source.authority);
  expect(hostsOf(leafOf(third.source))).not.toContain('daq.example.org');
});

test('an address that the machine has got since is left out, said once, and the authority stays', async () => {
  const data = temporaryFolder();
  const first = (await open(data, hosts([], ['daq', '192.0.2.7']))).source;
  const { source, said } = await open(data, hosts([], ['daq', '192.0.2.99']));
  expect(source.authority).toEqual(first.authority);
  expect(hostsOf(leafOf(source))).toEqual(['localhost', '127.0.0.1', '::1', 'daq']);
  await source.renew();
  expect(said.filter(({ host }) => host === '192.0.2.99')).toHaveLength(1);
  const { current, authority } = source;
  const shown = { cert: current.chain, key: current.key.reveal() };
  expect(await verdict(shown, authority?.certificate ?? '', 'daq')).toBe('trusted');
});

test('a damaged certificate is made anew; a damaged authority is never replaced in silence', async () => {
  const data = temporaryFolder();
  const first = (await open(data, hosts([]))).source;
  writeFileSync(join(data, 'tls', 'bridge.pem'), 'scratched');
  const second = (await open(data, hosts([]))).source;
  expect(second.authority).toEqual(first.authority);
  expect(second.current.fingerprint).not.toBe(first.current.fingerprint);
  writeFileSync(join(data, 'tls', 'ca.pem'), second.current.chain + second.current.key.reveal());
  const error: unknown = await open(data, hosts([])).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CertificateError);
  expect(error).toMatchObject({
    code: 'damaged',
    message: expect.stringContaining('restore it from a copy'),
  });
  expect(readFileSync(join(data, 'tls', 'ca.pem'), 'utf8')).toContain(second.current.chain);
});

test('the certificate of another authority is not taken over', async () => {
  const [one, two] = [temporaryFolder(), temporaryFolder()];
  await open(one, hosts([]));
  const { source } = await open(two, hosts([]));
  writeFileSync(join(two, 'tls', 'bridge.pem'), readFileSync(join(one, 'tls', 'bridge.pem')));
  const again = (await open(two, hosts([]))).source;
  expect(leafOf(again).verify(authorityOf(source).publicKey)).toBe(true);
});

test('an old folder with wider rights is closed', async () => {
  const data = temporaryFolder();
  mkdirSync(join(data, 'tls'), { mode: 0o755 });
  await open(data, hosts([]));
  expect(statSync(join(data, 'tls')).mode & 0o777).toBe(0o700);
});

test('every address of this machine that a URL can say is named where all are listened on', async () => {
  const named = bridgeHosts('0.0.0.0', ['https://daq.example.org', 'http://plain.example.org']);
  expect(named.chosen).toEqual(['localhost', '127.0.0.1', '::1', 'daq.example.org']);
  const { source } = await open(temporaryFolder(), named);
  const names = new Set(hostsOf(leafOf(source)));
  const reachable = machineHosts().filter((host) => !host.startsWith('fe80:'));
  expect(reachable.length).toBeGreaterThan(1);
  for (const host of reachable) expect(names, host).toContain(host);
  expect(bridgeHosts('192.0.2.7', ['https://[2001:db8::7]:8443'])).toEqual({
    chosen: ['localhost', '127.0.0.1', '::1', '192.0.2.7', '2001:db8::7'],
    found: [],
  });
});

test('Node’s TLS takes what is served', async () => {
  const { current } = (await open(temporaryFolder(), hosts([]))).source;
  expect(() => createSecureContext({ cert: current.chain, key: current.key.reveal() })).not.toThrow();
  expect(JSON.stringify(current)).not.toContain('PRIVATE');
});
