/** The proxy itself, between a client and a server that speak nothing but Kafka's framing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../e2e/haloscope.ts';
import { KafkaProxy } from './proxy.ts';

const PRODUCE = 0;
const END_TXN = 26;
const LONG_MS = 30_000;
/** Long enough for a frame that comes through to have come: loopback takes microseconds. */
const NOTHING_MS = 200;

/** size · api key · version 0 · correlation id · payload */
function request(api: number, correlation: number, payload = ''): Buffer {
  const head = Buffer.alloc(12);
  head.writeInt32BE(8 + payload.length, 0);
  head.writeInt16BE(api, 4);
  head.writeInt32BE(correlation, 8);
  return Buffer.concat([head, Buffer.from(payload)]);
}

interface Stage {
  readonly proxy: KafkaProxy;
  /** Correlation ids of the requests that the server has seen. */
  readonly served: number[];
  readonly call: () => Promise<Client>;
}

interface Client {
  readonly socket: Socket;
  readonly bytes: () => Buffer;
  /** Correlation ids of the responses so far. */
  answers(): number[];
}

/** A server that answers each request with its correlation id and payload. */
async function stage(): Promise<Stage> {
  const served: number[] = [];
  const server = createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(0, 4 + rest.readInt32BE(0));
        rest = rest.subarray(frame.length);
        served.push(frame.readInt32BE(8));
        const answer = Buffer.concat([Buffer.alloc(4), frame.subarray(8)]);
        answer.writeInt32BE(answer.length - 4, 0);
        socket.write(answer);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new KafkaProxy((server.address() as AddressInfo).port);
  const port = await proxy.listen(0);
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  return { proxy, served, call: () => dial(port) };
}

async function dial(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  let got = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
  });
  await once(socket, 'connect');
  return { socket, bytes: () => got, answers: () => correlations(got) };
}

function correlations(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 4 + bytes.readInt32BE(at))
    found.push(bytes.readInt32BE(at + 4));
  return found;
}

const whenTrue = (what: string, look: () => boolean): Promise<true> =>
  until(what, () => Promise.resolve(look() ? (true as const) : undefined), LONG_MS);

test('rewrites nothing, wherever the stream is split', async () => {
  const { call } = await stage();
  const whole = Buffer.concat([request(PRODUCE, 1, 'abc'), request(END_TXN, 2), request(3, 3, 'x')]);
  for (let split = 0; split <= whole.length; split++) {
    const client = await call();
    client.socket.write(whole.subarray(0, split));
    client.socket.write(whole.subarray(split));
    await whenTrue('three answers', () => client.answers().length === 3);
    expect(client.bytes().toString('hex')).toBe('00000007000000016162630000000400000002000000050000000378');
    client.socket.destroy();
  }
});

test('a request is held, with what is behind it, and only on its connection', async () => {
  const { proxy, served, call } = await stage();
  const held = proxy.holdRequest('EndTxn', { skip: 1 });
  const one = await call();
  const other = await call();
  one.socket.write(Buffer.concat([request(END_TXN, 1), request(END_TXN, 2), request(PRODUCE, 3)]));
  await held.caught;
  other.socket.write(request(END_TXN, 9));
  await whenTrue('the other is served', () => other.answers().length === 1);
  expect(served).toEqual([1, 9]);
  held.release();
  await whenTrue('all are served', () => one.answers().length === 3);
  expect(one.answers()).toEqual([1, 2, 3]);
});

test('a held request is never delivered when its client is gone', async () => {
  const { proxy, served, call } = await stage();
  const held = proxy.holdRequest('Produce');
  const client = await call();
  client.socket.write(request(PRODUCE, 1));
  await held.caught;
  client.socket.destroy();
  // The proxy has heard of it when it has no connection left.
  await whenTrue('the connection is gone', () => proxy.reset() === 0);
  held.release();
  const later = await call();
  later.socket.write(request(PRODUCE, 2));
  await whenTrue('the next is served', () => later.answers().length === 1);
  expect(served).toEqual([2]);
});

test('a response is held after the request was served', async () => {
  const { proxy, served, call } = await stage();
  const held = proxy.holdResponse('EndTxn');
  const client = await call();
  client.socket.write(Buffer.concat([request(PRODUCE, 1), request(END_TXN, 2)]));
  await held.caught;
  expect(served).toEqual([1, 2]);
  await whenTrue('the first is answered', () => client.answers().length === 1);
  expect(client.answers()).toEqual([1]);
  held.release();
  await whenTrue('the second is answered', () => client.answers().length === 2);
});

test('a response is lost: silently, or with the connection', async () => {
  const { proxy, served, call } = await stage();
  const silent = proxy.loseResponse('Produce', 'silence');
  const client = await call();
  client.socket.write(Buffer.concat([request(PRODUCE, 1), request(PRODUCE, 2)]));
  await silent.caught;
  await whenTrue('the next is answered', () => client.answers().length === 1);
  expect([served, client.answers()]).toEqual([[1, 2], [2]]);
  proxy.loseResponse('Produce', 'reset');
  const broken = once(client.socket, 'error');
  client.socket.write(request(PRODUCE, 3));
  expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' });
  expect([served, client.answers()]).toEqual([[1, 2, 3], [2]]);
});

test('latency counts once for frames that come together', async () => {
  const { proxy, call } = await stage();
  const client = await call();
  proxy.latencyMs = 150;
  const start = performance.now();
  client.socket.write(Buffer.concat(Array.from({ length: 20 }, (_, k) => request(PRODUCE, k))));
  await whenTrue('all are answered', () => client.answers().length === 20);
  const took = performance.now() - start;
  expect(took).toBeGreaterThan(2 * 150 - 5);
  // Twenty frames one after another would take six seconds.
  expect(took).toBeLessThan(4000);
});

test('a black hole swallows, and gives back when it heals', async () => {
  const { proxy, served, call } = await stage();
  const client = await call();
  proxy.blackHole();
  client.socket.write(request(PRODUCE, 1));
  const fresh = await call();
  fresh.socket.write(request(PRODUCE, 2));
  await sleep(NOTHING_MS);
  expect([served, client.answers(), fresh.answers()]).toEqual([[], [], []]);
  proxy.heal();
  await whenTrue('both are answered', () => client.answers().length + fresh.answers().length === 2);
});

test('a reset ends the connections there are, and the next one works', async () => {
  const { proxy, call } = await stage();
  const clients = [await call(), await call()];
  for (const client of clients) client.socket.write(request(PRODUCE, 1));
  await whenTrue('both are answered', () => clients.every((client) => client.answers().length === 1));
  const errors = clients.map(({ socket }) => once(socket, 'error').then(([error]) => error));
  expect(proxy.reset()).toBe(2);
  for (const error of await Promise.all(errors)) expect(error).toMatchObject({ code: 'ECONNRESET' });
  const next = await call();
  next.socket.write(request(PRODUCE, 2));
  await whenTrue('the next is answered', () => next.answers().length === 1);
});
