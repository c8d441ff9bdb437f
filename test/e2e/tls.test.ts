/**
 * A control room: the page from another host name, over TLS, in a Chromium that has imported the bridge's CA. It
 * trusts as a user's does, by the NSS database of its home folder; certificate errors are not ignored.
 */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import { issueAuthority, issueLeaf, type KeyedCertificate } from '../../bridge/server/tls/issue.ts';
import { findCertutil } from '../../scripts/machine.mjs';
import { chromiumPath, openPage, QUIET_FLAGS, SOFTWARE_WEBGPU_FLAGS } from '../browser/chromium.ts';
import { type Bridge, freePort, run, TOKEN, until } from './haloscope.ts';
import { keptBridge, keptCommand, keptFolder } from './kept.ts';

const NAME = 'daq.control-room.test';
const STATE_TIMEOUT_MS = 60_000;

interface TlsBridge {
  readonly bridge: Bridge;
  readonly port: number;
  readonly caFile: string;
}

/** Listens on every address, so that it makes itself a CA; `NAME` is one of its names. */
async function keptTlsBridge(...words: string[]): Promise<TlsBridge> {
  const data = await keptFolder();
  const port = await freePort();
  const named = ['--listen', `0.0.0.0:${port}`, '--public-url', `https://${NAME}:${port}`];
  const bridge = await keptBridge('--data', data, ...named, ...words);
  return { bridge, port, caFile: join(data, 'tls', 'ca.crt') };
}

/** The state, by a client that trusts the CA; `fetch` cannot be told to. */
function stateOf({ bridge, caFile }: TlsBridge): Promise<BridgeState> {
  const ca = readFileSync(caFile);
  return new Promise((resolve, reject) => {
    const sent = request(new URL('api/state', bridge.url), { ca, agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        text += part.toString();
      });
      response.on('end', () => resolve(JSON.parse(text) as BridgeState));
    });
    sent.on('error', reject);
    sent.end();
  });
}

const untilState = (served: TlsBridge, what: string, isSo: (state: BridgeState) => boolean) =>
  until(
    what,
    async () => {
      const state = await stateOf(served);
      return isSo(state) ? state : undefined;
    },
    STATE_TIMEOUT_MS,
  );

/** A home folder whose Chromium trusts these authorities. */
async function homeWith(...caFiles: string[]): Promise<string> {
  const certutil = findCertutil();
  if (certutil === undefined)
    throw new Error('this test needs certutil of NSS, and it is not in PATH: install libnss3-tools');
  const home = await keptFolder();
  const database = join(home, '.pki', 'nssdb');
  mkdirSync(database, { recursive: true });
  const act = (...words: string[]): void => {
    const { status, stderr } = spawnSync(certutil, ['-d', `sql:${database}`, ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`certutil ${words.join(' ')}: ${stderr}`);
  };
  act('-N', '--empty-password');
  for (const file of caFiles) act('-A', '-n', 'haloscope', '-t', 'C,,', '-i', file);
  return home;
}

async function chromiumOf(home: string): Promise<Browser> {
  const flags = [...QUIET_FLAGS, ...SOFTWARE_WEBGPU_FLAGS, `--host-resolver-rules=MAP *.test 127.0.0.1`];
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    chromiumSandbox: process.getuid?.() !== 0,
    args: flags,
    env: { ...process.env, HOME: home, XDG_DATA_HOME: join(home, '.local', 'share') },
  });
  onTestFinished(() => browser.close());
  return browser;
}

const surroundings = (page: Page) =>
  page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter();
    return {
      isSecure: isSecureContext,
      isIsolated: crossOriginIsolated,
      adapter: adapter?.info.vendor ?? null,
      hasWakeLock: 'wakeLock' in navigator,
    };
  });

/** The page of a name that only this browser knows. */
const pageUrl = (port: number, name = NAME): string => `https://${name}:${port}/`;

test('a Chromium that imported the CA gets WebGPU from another host name, and computes over wss', async () => {
  const served = await keptTlsBridge('--processor', 'none');
  const browser = await chromiumOf(await homeWith(served.caFile));
  const { page, errors } = await openPage(browser, `${pageUrl(served.port)}?engine=gpu#token=${TOKEN}`);
  const { adapter, ...rest } = await surroundings(page);
  expect(rest).toEqual({ isSecure: true, isIsolated: true, hasWakeLock: true });
  expect(adapter).not.toBeNull();
  const state = await untilState(served, 'the GPU of the page computes', ({ clients }) =>
    clients.some(({ engine, blocksDone }) => engine?.kind === 'gpu' && blocksDone > 0),
  );
  expect(state.clients).toHaveLength(1);
  expect(errors).toEqual([]);
});

test('a Chromium that did not is warned, and the CA vouches for no other name', async () => {
  const served = await keptTlsBridge('--processor', 'none');
  const stranger = await (await chromiumOf(await homeWith())).newPage();
  await expect(stranger.goto(pageUrl(served.port))).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');

  const pem = readFileSync(join(dirname(served.caFile), 'ca.pem'), 'utf8');
  const stolen = { certificate: new X509Certificate(pem), key: createPrivateKey(pem) };
  const [good, evil] = [await keptSite(stolen, NAME), await keptSite(stolen, 'bank.test')];
  const page = await (await chromiumOf(await homeWith(served.caFile))).newPage();
  expect((await page.goto(pageUrl(good)))?.status()).toBe(200);
  await expect(page.goto(pageUrl(evil, 'bank.test'))).rejects.toThrow('ERR_CERT');
});

/** Somebody else's site, with a certificate for that name. */
async function keptSite(authority: KeyedCertificate, name: string): Promise<number> {
  const validity = { from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 3_600_000) };
  const { certificate, key } = await issueLeaf(authority, [name], validity);
  const shown = { cert: certificate.toString(), key: key.export({ type: 'pkcs8', format: 'pem' }) };
  const server = createServer(shown, (_, response) => response.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a processor elsewhere needs the CA, and says so', async () => {
  const served = await keptTlsBridge('--processor', 'none');
  const refused = await run('process', served.bridge.url);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(
    /^haloscope: the certificate of .* is not trusted .* by --ca FILE .*\/ca\.crt.*$/m,
  );
  keptCommand('process', served.bridge.url, '--ca', served.caFile);
  await untilState(served, 'it computes', ({ clients }) => clients.some(({ blocksDone }) => blocksDone > 0));
});

test('the headless processor verifies the bridge: by its CA, and by a certificate that was given', async () => {
  const own = await keptTlsBridge('--processor', 'always');
  await untilState(own, 'it computes', ({ clients }) => clients.some(({ blocksDone }) => blocksDone > 0));
  expect(own.bridge.process.stderr).not.toContain('PRIVATE KEY');

  const folder = await keptFolder();
  const [certFile, keyFile] = [join(folder, 'daq.crt'), join(folder, 'daq.key')];
  const validity = { from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 3_600_000) };
  const institute = await issueAuthority('institute', [NAME], validity);
  const { certificate, key } = await issueLeaf(institute, [NAME], validity);
  writeFileSync(certFile, certificate.toString());
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }));
  const given = ['--tls-cert', certFile, '--tls-key', keyFile];
  const bridge = await keptBridge('--processor', 'always', '--data', folder, ...given);
  expect(bridge.url).toMatch(`https://${NAME}:`);
  await until(
    'it has an engine',
    () => Promise.resolve(/"msg":"client has an engine"/.exec(bridge.process.stderr)?.[0]),
    STATE_TIMEOUT_MS,
  );
});

test('what is wrong with a certificate is one line and status 2', async () => {
  const folder = await keptFolder();
  const wrong = async (...words: string[]) =>
    run('serve', '--data', folder, '--listen', '127.0.0.1:0', ...words);
  const missing = await wrong('--tls-cert', join(folder, 'none.crt'), '--tls-key', join(folder, 'none.key'));
  expect([missing.status, missing.stdout]).toEqual([2, '']);
  expect(missing.stderr).toContain('none.crt cannot be read (ENOENT)');
  const half = await wrong('--tls-cert', join(folder, 'none.crt'));
  expect(half).toMatchObject({
    status: 2,
    stderr: 'haloscope: --tls-cert and --tls-key: expected both or none\n',
  });
});

test('--insecure-http says what is lost, and where nothing is', async () => {
  const bridge = await keptBridge('--listen', '0.0.0.0:0', '--insecure-http', '--data', await keptFolder());
  const lines = bridge.process.stderr.split('\n');
  const of = (url: string) => lines.find((line) => line.includes(`"url":"${url}`)) ?? '';
  expect(of('http://127.0.0.1')).toContain('"webgpu":true');
  expect(of(`http://${hostname().toLowerCase()}`)).toContain('"webgpu":false');
  expect(bridge.process.stderr).toMatch(/"level":"warn".*other machines get no GPU and no wake lock/);
});
