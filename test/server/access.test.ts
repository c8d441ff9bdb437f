import { hostname, networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { Access, isLoopbackHost, urlHost } from '../../bridge/server/access.ts';

function access(
  listenHost: string,
  publicOrigins: readonly string[] = [],
  peerOrigins: ReadonlySet<string> = new Set(),
): Access {
  const made = new Access({
    listenHost,
    publicOrigins,
    peerOrigins: () => peerOrigins,
    isSecure: false,
    certificateHosts: [],
    trustLocalPages: true,
  });
  made.listensOn(8080);
  return made;
}

test('the address listened on is ours, under its port only', () => {
  const own = access('192.0.2.7');
  expect(own.isOurHost('192.0.2.7:8080')).toBe(true);
  expect(own.isOurHost('192.0.2.7:8081')).toBe(false);
  expect(own.isOurHost('192.0.2.7')).toBe(false);
  expect(own.isOurHost('192.0.2.8:8080')).toBe(false);
  expect(access('2001:db8::7').isOurHost('[2001:db8::7]:8080')).toBe(true);
});

test('listening everywhere, every address and the name of this machine are ours, and no other name', () => {
  const everywhere = access('0.0.0.0');
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  expect(addresses.length).toBeGreaterThan(0);
  for (const { address } of addresses)
    expect(everywhere.isOurHost(`${urlHost(address)}:8080`), address).toBe(true);
  expect(everywhere.isOurHost(`${hostname()}:8080`)).toBe(true);
  expect(everywhere.isOurHost('evil.example:8080')).toBe(false);
  expect(everywhere.isOurHost('192.0.2.99:8080')).toBe(false);
});

test('no Host, or one that is none, is nobody’s', () => {
  for (const host of [
    undefined,
    '',
    'a b',
    'localhost:',
    'localhost:x',
    'user@localhost',
    'localhost/x',
    '[::1',
  ])
    expect(access('127.0.0.1', ['https://daq.example.org']).isOurHost(host), String(host)).toBe(false);
});

test('public URLs are ours with their own port and scheme', () => {
  const own = access('127.0.0.1', ['https://daq.example.org', 'http://daq.example.org:9000']);
  expect(own.isOurHost('daq.example.org')).toBe(true);
  expect(own.isOurHost('DAQ.example.org:9000')).toBe(true);
  expect(own.isOurHost('daq.example.org:9001')).toBe(false);
  expect(own.isOurOrigin('https://daq.example.org', 'daq.example.org')).toBe(true);
  expect(own.isOurOrigin('https://daq.example.org', '127.0.0.1:8080')).toBe(true);
  expect(own.isOurOrigin('http://daq.example.org:9000', 'daq.example.org')).toBe(true);
  expect(own.isOurOrigin('https://evil.example', 'daq.example.org')).toBe(false);
  expect(own.isOurOrigin('https://daq.example.org.evil.example', 'daq.example.org')).toBe(false);
});

test('loopback is told from the rest', () => {
  for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '::1', '127.9.9.9'])
    expect(isLoopbackHost(host), host).toBe(true);
  for (const host of [
    '0.0.0.0',
    '::',
    '192.0.2.1',
    'localhost.example',
    '128.0.0.1',
    '127.0.0.1.example',
    '',
  ])
    expect(isLoopbackHost(host), host).toBe(false);
});

test('pages of a bridge that shares the input come here as well, and only they', () => {
  const shared = access('192.0.2.7', [], new Set(['https://other.example:8080']));
  expect(shared.isOurOrigin('https://other.example:8080', '192.0.2.7:8080')).toBe(true);
  expect(shared.isOurOrigin('https://other.example', '192.0.2.7:8080')).toBe(false);
  expect(shared.isOurOrigin('http://other.example:8080', '192.0.2.7:8080')).toBe(false);
  // Their names are still not ours.
  expect(shared.isOurHost('other.example:8080')).toBe(false);
});
