/** Who should not be in is kept out, and who misbehaves is sent away, while a processor computes undisturbed. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { MAX_CONTROL_BYTES } from '../../bridge/protocol/control.ts';
import { momentsFrameBytes } from '../../bridge/protocol/frames/moments.ts';
import { MAX_FRAGMENTS } from '../../bridge/server/limits.ts';
import { uniform } from '../engine/accuracy.ts';
import { type Bridge, TOKEN } from '../e2e/haloscope.ts';
import { keptCommand } from '../e2e/kept.ts';
import { BINS } from '../e2e/samples.ts';
import { Client, get, hello, noOrigin, until } from '../server/harness.ts';
import { newNight, processors } from './night.ts';
import { newRow } from './row.ts';

const FILES = 8;
const SLICES = 200;
/** For an answer of a busy machine. */
const LONG_MS = 30_000;
const GARBAGE = 400;
const AT_A_TIME = 50;

const portOf = ({ url }: Bridge): { readonly port: number } => ({ port: Number(new URL(url).port) });

const ended = (client: Client, what: string): Promise<void> =>
  until(() => client.closed !== null, `${what}: the connection ends`, LONG_MS);

/** Opens a socket and greets, unless the server has refused it before. */
async function greeted(client: Client, more: Record<string, unknown> = {}): Promise<Client> {
  await until(() => client.socket.readyState === WebSocket.OPEN, 'the socket opens', LONG_MS);
  client.socket.send(hello(more));
  await until(() => client.messages.length > 0, 'an answer to hello', LONG_MS);
  return client;
}

async function wrongNames(bridge: Bridge): Promise<void> {
  const own = `http://127.0.0.1:${portOf(bridge).port}`;
  for (const [path, origin, host] of [
    ['ws/process', 'http://evil.example', undefined],
    ['ws/view', 'http://localhost:3000', undefined],
    ['ws/view', 'null', undefined],
    ['ws/view', own.replace('http', 'https'), undefined],
    ['ws/process', own, 'evil.example'],
    ['ws/process', 'http://evil.example:8080', 'evil.example:8080'],
  ] as const) {
    const client = new Client(portOf(bridge), path, { origin, ...(host && { headers: { host } }) });
    await ended(client, `${path} of ${origin} at ${host}`);
    expect(client.status, `${path} of ${origin} at ${host}`).toBe(403);
  }
  for (const path of ['/', '/metrics', '/api/state']) {
    expect((await get(portOf(bridge).port, path, { host: 'evil.example' })).status).toBe(403);
    expect((await get(portOf(bridge).port, path, {}, 'POST')).status).toBe(405);
  }
}

async function wrongTokens(bridge: Bridge): Promise<void> {
  for (const token of [undefined, '', 'guess', `${TOKEN} `, TOKEN.slice(1), TOKEN.toUpperCase()]) {
    const shown = token === undefined ? {} : { token };
    // A page may watch, and no more.
    const page = await greeted(new Client(portOf(bridge)), shown);
    expect(page.welcome, token).toMatchObject({ role: 'viewer' });
    page.say({ type: 'credit', blocks: 1 });
    await ended(page, 'credit from a viewer');
    expect(page.closed?.code).toBe(4403);
    // Anybody else may not even do that.
    for (const path of ['ws/process', 'ws/view']) {
      const other = await greeted(new Client(portOf(bridge), path, noOrigin), shown);
      await ended(other, 'no Origin and no token');
      expect(other.closed?.code).toBe(4401);
    }
  }
}

async function tooMuch(bridge: Bridge): Promise<void> {
  for (const [path, bytes] of [
    ['ws/view', MAX_CONTROL_BYTES + 1],
    ['ws/process', momentsFrameBytes(BINS) + 1],
    ['ws/process', 50e6],
  ] as const) {
    const client = await greeted(new Client(portOf(bridge), path), { token: TOKEN });
    client.socket.send(Buffer.alloc(bytes));
    await ended(client, `${bytes} bytes`);
    expect(client.closed?.code, path).toBe(1009);
  }
  const fragments = await greeted(new Client(portOf(bridge)), { token: TOKEN });
  for (let k = 0; k <= MAX_FRAGMENTS; k++) fragments.socket.send('x', { fin: false });
  await ended(fragments, 'a flood of fragments');
  expect(fragments.closed?.code).toBe(1008);
  for (const flood of ['messages', 'pings'] as const) {
    const client = await greeted(new Client(portOf(bridge), 'ws/view'));
    for (let k = 0; k < 2_000; k++)
      if (flood === 'pings') client.socket.ping();
      else client.say({ type: 'seen', sequence: 0 });
    await ended(client, `a flood of ${flood}`);
  }
}

async function malformed(bridge: Bridge): Promise<void> {
  const state = { type: 'state', state: {} };
  const failed = { type: 'failed', block: 1, epoch: 1, code: 'x', message: '' };
  for (const message of [
    '',
    'null',
    '[]',
    '{"type":"hello"',
    '{"type":"__proto__"}',
    JSON.stringify({ type: 'credit', blocks: 17 }),
    JSON.stringify({ type: 'credit', blocks: -1 }),
    JSON.stringify({ type: 'credit', blocks: 0.5 }),
    JSON.stringify({ type: 'seen', sequence: 1e10 }),
    JSON.stringify({ ...failed, epoch: -1 }),
    JSON.stringify({ ...failed, extra: true }),
    JSON.stringify({ type: 'engine', engine: { kind: 'magic', name: 'x', why: '' } }),
    JSON.stringify(state),
    hello(),
    '{"a":'.repeat(500),
    Buffer.from([1, 2, 3]),
    Buffer.from('HS\u0001\u0002'),
  ]) {
    const client = await greeted(new Client(portOf(bridge)), { token: TOKEN });
    client.socket.send(message);
    await ended(client, String(message).slice(0, 60));
    expect(client.closed?.code, String(message).slice(0, 60)).toBe(4403);
  }
}

/** Bytes that are no HTTP, and such that are no WebSocket once it has been opened. */
async function garbage(bridge: Bridge): Promise<void> {
  const chance = uniform(11);
  const { port } = portOf(bridge);
  const upgrade = `GET /ws/view HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  const throwAt = async (bytes: readonly (string | Buffer)[]): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    for (const part of bytes) socket.write(part);
    socket.end();
    await once(socket, 'close');
  };
  for (let turn = 0; turn < GARBAGE; turn += AT_A_TIME) {
    const all = Array.from({ length: AT_A_TIME }, (_, k) => {
      const bytes = Buffer.from(Array.from({ length: 1 + 200 * chance() }, () => 256 * chance()));
      return throwAt(k % 2 === 0 ? [upgrade, bytes] : [bytes]);
    });
    await Promise.all(all);
  }
}

test('attackers of every kind, while files are computed', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const bridge = await row.bridge('--processor', 'none');
  keptCommand('process', bridge.url);
  const [before] = await processors(bridge, 1);
  const { sent } = night.send(0.5);
  await wrongNames(bridge);
  await wrongTokens(bridge);
  await tooMuch(bridge);
  await malformed(bridge);
  await garbage(bridge);
  await sent();
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
  // The same connection as before: nobody has pushed it out.
  expect((await processors(bridge, 1))[0]?.id).toBe(before?.id);
  expect(bridge.process.stderr).not.toContain(TOKEN);
  await bridge.until('nobody of them is left', ({ clients }) => clients.length === 1);
});
