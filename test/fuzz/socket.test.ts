/** Frames of WebSockets as bytes, against the real server: nothing breaks it, and nothing of a client stays behind. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeMoments } from '../../bridge/protocol/frames/moments.ts';
import { anyMoments } from '../protocol/samples.ts';
import { hello, until } from '../server/harness.ts';
import { makeBlock } from '../server/source.ts';
import { fuzz } from './fuzz.ts';
import { damaged, damagedJson } from './mutations.ts';
import { exchange, TOKEN, type WildServer, wildServer } from './wild-server.ts';

let server: WildServer;
beforeAll(async () => {
  server = await wildServer();
});
afterAll(() => server.stop());

interface Frame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  /** Instead of the length that the payload has. */
  readonly lie: number | null;
  readonly payload: Buffer;
}

/** RFC 6455 §5.2, with whatever the frame says of itself. */
function bytesOf({ fin, rsv, opcode, isMasked, lie, payload }: Frame): Buffer {
  const length = lie ?? payload.length;
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, (length >>> 24) & 255, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
  size[0] = (size[0] as number) | (isMasked ? 0x80 : 0);
  const mask = Buffer.from([1, 2, 3, 4]);
  const body = isMasked ? Buffer.from(payload.map((byte, at) => byte ^ (mask[at & 3] as number))) : payload;
  return Buffer.concat([
    Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode, ...size]),
    isMasked ? mask : Buffer.alloc(0),
    body,
  ]);
}

const text = (message: unknown): Buffer =>
  Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
const good = (opcode: number, payload: Buffer): Frame => ({
  fin: true,
  rsv: 0,
  opcode,
  isMasked: true,
  lie: null,
  payload,
});

const ENGINE = { type: 'engine', engine: { kind: 'ts', name: 'fuzz', why: 'a test' } };
const payload = fc.oneof(
  fc
    .constantFrom(
      hello(),
      hello({ role: 'viewer' }),
      hello({ token: TOKEN }),
      hello({ token: 'wrong', role: 'processor' }),
    )
    .map(text),
  fc
    .constantFrom(
      ENGINE,
      { type: 'credit', blocks: 2 },
      { type: 'seen', sequence: 0 },
      { type: 'failed', block: 1, epoch: 1, code: 'x', message: '' },
    )
    .map(text),
  damagedJson(
    fc.constantFrom<unknown>(ENGINE, { type: 'credit', blocks: 1 }, { type: 'seen', sequence: 1 }),
  ).map(text),
  damaged(anyMoments.map(encodeMoments)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

const frame: fc.Arbitrary<Frame> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(1, 1, 2), payload).map(([opcode, body]) => good(opcode, body)),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      fin: fc.boolean(),
      rsv: fc.constantFrom(0, 0, 0, 1, 4, 7),
      opcode: fc.constantFrom(0, 0, 1, 2, 8, 9, 10, 3, 11, 15),
      isMasked: fc.oneof(
        { weight: 5, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      lie: fc.option(fc.constantFrom(0, 1, 125, 126, 4097, 65_535, 65_536, 0x7fff_ffff, 0xffff_ffff), {
        freq: 8,
      }),
      payload,
    }),
  },
);

/** Mostly a client that has introduced itself properly, because behind that there is more to break. */
const session = fc.record({
  path: fc.constantFrom('ws/process', 'ws/view'),
  greeting: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constant([
        good(1, text(hello())),
        good(1, text(ENGINE)),
        good(1, text({ type: 'credit', blocks: 2 })),
      ]),
    },
    { weight: 1, arbitrary: fc.constant<Frame[]>([]) },
  ),
  frames: fc.array(frame, { maxLength: 8 }),
  cuts: fc.array(fc.nat(3000), { maxLength: 3 }),
});

const handshake = (path: string): string =>
  [
    `GET /${path} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    `Origin: http://127.0.0.1:${server.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '',
    '',
  ].join('\r\n');

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, n) => bytes.subarray(at[n] as number, end));
}

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
const heapBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** The heap once caches are warm, and how much of it may come and go. */
const WARM_CASES = 500;
const HEAP_SLACK_BYTES = 24 * 1024 * 1024;
let cases = 0;
let warmBytes = Infinity;
let block = 0;

fuzz('WebSocket frames', session, async ({ path, greeting, frames, cuts }) => {
  // A block to be leased, so that answers have something to answer.
  if (server.source.joined.size === 0) server.source.enqueue(makeBlock(++block, 1));
  const bytes = Buffer.concat([...greeting, ...frames].map(bytesOf));
  const answer = await exchange(server.port, [handshake(path), ...cut(bytes, cuts)], 'at once');
  expect(answer.toString('latin1', 0, 12)).toBe('HTTP/1.1 101');
  expect(answer.includes(TOKEN)).toBe(false);
  cases++;
  if (cases === WARM_CASES) warmBytes = heapBytes();
});

test('nothing of all these clients stays', async () => {
  await until(() => server.source.joined.size === 0, 'every processor has left', 30_000);
  await until(() => server.connections() === 0, 'every connection is closed', 30_000);
  const state = (await (await fetch(`http://127.0.0.1:${server.port}/api/state`)).json()) as {
    clients: unknown[];
  };
  expect(state.clients).toEqual([]);
  expect(cases).toBeGreaterThan(WARM_CASES);
  expect(heapBytes() - warmBytes).toBeLessThan(HEAP_SLACK_BYTES);
});
