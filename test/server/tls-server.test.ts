/** The server over TLS, on the wire: pages, sockets, sessions, and those who do not speak TLS. */
import { request } from 'node:https';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  bridgeSocket,
  type BridgeSocketOptions,
  type TlsTrouble,
} from '../../bridge/commands/bridge-socket.ts';
import { bridgeHosts } from '../../bridge/server/hosts.ts';
import type { BridgeServer } from '../../bridge/server/server.ts';
import type { CertificateSource } from '../../bridge/server/tls/certificate.ts';
import { issueAuthority, issueLeaf } from '../../bridge/server/tls/issue.ts';
import { openOwnCertificate } from '../../bridge/server/tls/own.ts';
import { Secret } from '../../bridge/config/secret.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { Session } from '../../web/worker/session.ts';
import type { Connection } from '../../web/worker/updates.ts';
import { get, pause, type Response, serve, silent, temporaryFolder, TOKEN, until } from './harness.ts';
import { makeBlock, TestSource } from './source.ts';

const DAY_MS = 86_400_000;
const PUBLIC = 'https://daq.example.org:8443';

interface Served {
  readonly source: TestSource;
  readonly server: BridgeServer;
  readonly ca: string;
}

async function serveTls(): Promise<Served> {
  const tls = await openOwnCertificate({
    dataFolder: temporaryFolder(),
    hosts: () => bridgeHosts('0.0.0.0', [PUBLIC]),
    log: silent,
  });
  const source = new TestSource();
  const listen = { host: '0.0.0.0', port: 0 };
  const server = await serve(source, { listen, tls, publicOrigins: [PUBLIC] });
  return { source, server, ca: tls.authority?.certificate ?? '' };
}

/** A certificate of an authority that nobody here knows, for that name only. */
async function strangers(name: string): Promise<CertificateSource> {
  const year = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + 365 * DAY_MS) };
  const authority = await issueAuthority('institute', [name], year);
  const { certificate, key } = await issueLeaf(authority, [name], year);
  return {
    current: {
      chain: certificate.toString(),
      key: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
      fingerprint: certificate.fingerprint256,
      validTo: year.to,
      hosts: [name],
    },
    authority: null,
    furtherHosts: [name],
    trust: { caFile: '', name },
    renew: () => Promise.resolve(false),
  };
}

function getTls(
  port: number,
  ca: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  // Whatever the `Host` header says, the certificate is asked for this name.
  const to = { host: '127.0.0.1', port, servername: 'localhost' };
  return new Promise((resolve, reject) => {
    const sent = request({ ...to, path, ca, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

interface Joined {
  readonly connections: readonly Connection[];
  readonly troubles: readonly TlsTrouble[];
}

/** A headless processor, as `process URL` makes it. */
function join(url: string, trust: BridgeSocketOptions): Joined {
  const connections: Connection[] = [];
  const troubles: TlsTrouble[] = [];
  const session = new Session({
    url,
    open: bridgeSocket(trust, (trouble) => void troubles.push(trouble)),
    software: 'test',
    role: 'processor',
    headless: true,
    token: TOKEN,
    createEngine: (bins) => createCpuEngine({ bins, window: 'none', workers: 0 }),
    handlers: {
      connection: (connection) => void connections.push(connection),
      state: () => {},
      spectrum: () => {},
      engine: () => {},
    },
  });
  onTestFinished(() => session.stop());
  session.start();
  return { connections, troubles };
}

/** What a client that trusts that authority, or none, stumbles over. */
async function troubleWith(url: string, trust: Partial<BridgeSocketOptions>): Promise<TlsTrouble> {
  const joined = join(url, { ca: null, tlsName: null, ...trust });
  await until(() => joined.troubles.length > 0, 'trouble with TLS');
  expect(joined.connections.every(({ phase }) => phase !== 'open')).toBe(true);
  return joined.troubles[0] as TlsTrouble;
}

test('the page’s headers come over TLS, without HSTS, under all names of the bridge and no others', async () => {
  const { server, ca } = await serveTls();
  expect(server.url).toBe(`https://127.0.0.1:${server.port}/`);
  const { status, headers } = await getTls(server.port, ca, '/healthz');
  expect(status).toBe(200);
  expect(headers['cross-origin-opener-policy']).toBe('same-origin');
  expect(headers['strict-transport-security']).toBeUndefined();
  const statusFor = async (host: string) => (await getTls(server.port, ca, '/healthz', { host })).status;
  expect(await statusFor('daq.example.org:8443')).toBe(200);
  expect(await statusFor('evil.example')).toBe(403);
});

test('the authority is offered for download, its certificate only', async () => {
  const { server, ca } = await serveTls();
  const { status, headers, body } = await getTls(server.port, ca, '/ca.crt');
  expect([status, body.toString()]).toEqual([200, ca]);
  expect(headers['content-type']).toBe('application/x-x509-ca-cert');
  expect(headers['content-disposition']).toBe('attachment; filename="haloscope-ca.crt"');
  expect(body.toString()).not.toContain('PRIVATE');
  const plain = await serve(new TestSource());
  expect((await get(plain.port, '/ca.crt')).status).toBe(404);
});

test('TLS 1.2 and 1.3 are spoken, and nothing older', async () => {
  const { server, ca } = await serveTls();
  const speak = (version: SecureVersion): Promise<string> =>
    new Promise((resolve) => {
      const socket: TLSSocket = connect({
        host: '127.0.0.1',
        port: server.port,
        ca,
        minVersion: version,
        maxVersion: version,
        // Otherwise this side's OpenSSL refuses the old ones before the server is asked.
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  expect(await speak('TLSv1.3')).toBe('TLSv1.3');
  expect(await speak('TLSv1.2')).toBe('TLSv1.2');
  expect(await speak('TLSv1.1')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

test('a session computes over wss', async () => {
  const { source, server, ca } = await serveTls();
  const { connections, troubles } = join(server.url, { ca, tlsName: null });
  await until(() => connections.at(-1)?.phase === 'open', 'it joins');
  source.enqueue(...Array.from({ length: 12 }, (_, i) => makeBlock(i, 160)));
  await until(() => source.answers.length === 12, 'every block is answered');
  expect(source.total.count).toBe(12 * 160);
  expect(troubles).toEqual([]);
});

test('a page’s socket needs the origin that the page came from, https and all', async () => {
  const { server, ca } = await serveTls();
  const opens = (origin: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`wss://127.0.0.1:${server.port}/ws/view`, { origin, ca });
      onTestFinished(() => socket.terminate());
      socket.once('open', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  expect(await opens(`https://127.0.0.1:${server.port}`)).toBe(true);
  expect(await opens(PUBLIC)).toBe(true);
  expect(await opens(`http://127.0.0.1:${server.port}`)).toBe(false);
  expect(await opens('https://evil.example')).toBe(false);
});

test('without the authority a processor says what to do', async () => {
  const { server } = await serveTls();
  const { code, message } = await troubleWith(server.url, {});
  expect(code).toBe('certificate');
  expect(message).toMatch(/is not trusted \(.+\): give its CA by --ca FILE or HALOSCOPE_CA; .*\/ca\.crt/);
  expect(message).not.toContain('\n');
  const another = await serveTls();
  expect((await troubleWith(server.url, { ca: another.ca })).message).toContain('is not trusted');
});

test('a certificate for another name is refused, unless the name is said', async () => {
  const tls = await strangers('daq.example.org');
  const source = new TestSource();
  const server = await serve(source, { listen: { host: '0.0.0.0', port: 0 }, tls });
  // Trusted as itself: nobody here knows its authority.
  const ca = tls.current.chain;
  const other = await troubleWith(server.url, { ca });
  expect(other.message).toMatch(/names others \(DNS:daq\.example\.org\).*--tls-name/);
  expect((await troubleWith(server.url, { ca, tlsName: 'evil.example' })).message).toContain('names others');
  const { connections } = join(server.url, { ca, tlsName: 'daq.example.org' });
  await until(() => connections.at(-1)?.phase === 'open', 'it joins');
});

test('http where https is spoken, and the other way round, is said', async () => {
  const { server } = await serveTls();
  const plain = await serve(new TestSource());
  expect(await troubleWith(`http://127.0.0.1:${server.port}/`, {})).toMatchObject({
    code: 'scheme',
    message: `127.0.0.1:${server.port} speaks TLS: use https:// in the URL`,
  });
  expect(await troubleWith(`https://127.0.0.1:${plain.port}/`, {})).toMatchObject({
    code: 'scheme',
    message: `127.0.0.1:${plain.port} does not speak TLS: use http:// in the URL`,
  });
});

test('a plain request is led to https, for our own names only', async () => {
  const { server } = await serveTls();
  const { port } = server;
  const led = await get(port, '/?role=viewer', { host: `127.0.0.1:${port}` });
  expect([led.status, led.headers.location]).toEqual([307, `https://127.0.0.1:${port}/?role=viewer`]);
  const foreign = await get(port, '/', { host: 'evil.example' });
  expect([foreign.status, foreign.headers.location]).toEqual([400, undefined]);
  expect(foreign.body.toString()).toContain('This port speaks TLS');
  expect((await get(port, '/', {}, 'POST')).status).toBe(400);
});

test('rubbish, silence and a broken handshake neither hurt nor keep the server from closing', async () => {
  const { server, ca } = await serveTls();
  const sockets = ['\r\n\r\n', '\x16', '\x16\x03\x01\x02\x00\x01\x00', ''].map((text) => {
    const socket = connectPlain(server.port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  });
  sockets[1]?.once('connect', () => setTimeout(() => sockets[1]?.resetAndDestroy(), 20));
  await pause(100);
  expect((await getTls(server.port, ca, '/healthz')).status).toBe(200);
  const begunMs = performance.now();
  await server.close();
  expect(performance.now() - begunMs).toBeLessThan(2_000);
});

/** Hands on what a client says byte by byte, each in a packet of its own as far as the system allows. */
function dripping(port: number): Promise<number> {
  const proxy = createServer((client) => {
    const bridge = connectPlain({ port, host: '127.0.0.1', noDelay: true });
    client.on('error', () => bridge.destroy());
    bridge.on('error', () => client.destroy());
    bridge.pipe(client);
    let told = Promise.resolve();
    client.on('data', (data: Buffer) => {
      for (const byte of data)
        told = told.then(
          () => new Promise((resolve) => bridge.write(Buffer.from([byte]), () => setImmediate(resolve))),
        );
    });
    client.on('close', () => bridge.destroy());
  });
  onTestFinished(() => void proxy.close());
  return new Promise((resolve) => {
    proxy.listen(0, '127.0.0.1', () => resolve((proxy.address() as AddressInfo).port));
  });
}

test('a client whose bytes come one by one is served as well', async () => {
  const { server, ca } = await serveTls();
  const port = await dripping(server.port);
  expect((await getTls(port, ca, '/healthz')).body.toString()).toBe('ok\n');
});

test('a new certificate is shown to those who come after it', async () => {
  const [first, second] = [await strangers('localhost'), await strangers('localhost')];
  let shown = first.current;
  const tls: CertificateSource = {
    ...first,
    get current() {
      return shown;
    },
    renew: () => {
      shown = second.current;
      return Promise.resolve(true);
    },
  };
  const server = await serve(new TestSource(), { tls, renewEveryMs: 50 });
  const seen = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const ca = [first.current.chain, second.current.chain];
      const to = { host: '127.0.0.1', port: server.port, servername: 'localhost' };
      const socket = connect({ ...to, ca, allowPartialTrustChain: true });
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  expect(await seen()).toBe(first.current.fingerprint);
  await pause(150);
  expect(await seen()).toBe(second.current.fingerprint);
});
