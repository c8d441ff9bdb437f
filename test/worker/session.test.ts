import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';
import { PROTOCOL_VERSION, type SpectrumFrame } from '../../bridge/protocol/frames.ts';
import { encodeBlockHeader } from '../../bridge/protocol/frames/block.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import {
  type EngineBlock,
  type EngineDescription,
  EngineError,
  type EngineErrorCode,
  type SpectrumEngine,
} from '../../web/engine/engine.ts';
import type { CreateEngine } from '../../web/worker/computer.ts';
import { backoffMs, RECONNECT } from '../../web/worker/reconnect.ts';
import { Session, type SessionOptions, socketUrl } from '../../web/worker/session.ts';
import type { Connection } from '../../web/worker/updates.ts';
import { Client, pause, serve, TOKEN, until } from '../server/harness.ts';
import { flat, GEOMETRY, makeBlock, TestSource } from '../server/source.ts';
import { dftMoments } from './reference.ts';

const FAST = { firstMs: 20, longestMs: 200, watchMs: 50 };

/** The real engine, in this thread. */
const realEngine: CreateEngine = (bins) => createCpuEngine({ bins, window: 'none', workers: 0 });

/** What a session said, in order. */
class Heard {
  readonly connections: Connection[] = [];
  readonly engines: { readonly engine: EngineDescription | null; readonly trouble: string | null }[] = [];
  readonly spectra: SpectrumFrame[] = [];
  states = 0;

  get phases(): string[] {
    return this.connections.map((c) => (c.phase === 'refused' ? `refused ${c.code}` : c.phase));
  }

  get isOpen(): boolean {
    return this.connections.at(-1)?.phase === 'open';
  }
}

/** A session of a page that a server on that port has served. */
function connect(port: number, options: Partial<SessionOptions> = {}): { session: Session; heard: Heard } {
  const heard = new Heard();
  const session = new Session({
    url: `http://127.0.0.1:${port}/`,
    open: (url) => new WebSocket(url, { origin: `http://127.0.0.1:${port}`, perMessageDeflate: false }),
    software: 'test',
    role: 'auto',
    headless: false,
    createEngine: realEngine,
    timing: FAST,
    ...options,
    handlers: {
      connection: (connection) => void heard.connections.push(connection),
      state: () => {
        heard.states += 1;
      },
      spectrum: (spectrum) => void heard.spectra.push(spectrum),
      engine: (engine, trouble) => void heard.engines.push({ engine, trouble }),
      ...options.handlers,
    },
  });
  onTestFinished(() => session.stop());
  session.start();
  return { session, heard };
}

/** A server that says only what a test wants. */
async function fakeBridge(
  greet: (socket: WebSocket) => void,
): Promise<{ port: number; connections: () => number }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.once('message', () => greet(socket));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

const welcome = (role: 'processor' | 'viewer'): string =>
  JSON.stringify({
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    software: 'test',
    client: 'c1',
    role,
    roleReason: '',
    operatorReason: '',
    geometry: GEOMETRY,
    run: 'test',
  });

/** The real engine that can be made to fail, and counts. */
function watched(depth: number) {
  const seen = { made: 0, disposed: 0, most: 0, running: 0, fault: null as EngineErrorCode | null };
  let changed: (description: EngineDescription) => void = () => {};
  let current = depth;
  const create: CreateEngine = async (bins, onChange) => {
    const engine = await createCpuEngine({ bins, window: 'none', workers: 0 });
    seen.made += 1;
    changed = onChange;
    const process = async (block: EngineBlock) => {
      seen.running += 1;
      seen.most = Math.max(seen.most, seen.running);
      await pause(5);
      seen.running -= 1;
      const fault = seen.fault;
      seen.fault = null;
      if (fault !== null) throw new EngineError(fault, `made to fail: ${fault}`);
      return engine.process(block);
    };
    return {
      description: engine.description,
      get depth() {
        return current;
      },
      process,
      dispose: async () => {
        seen.disposed += 1;
        await engine.dispose();
      },
    } satisfies SpectrumEngine;
  };
  const change = (description: EngineDescription, newDepth: number): void => {
    current = newDepth;
    changed(description);
  };
  return { seen, create, change };
}

/** Float32 transforms of 256 samples against float64: a few units in the last place of the mean over bins. */
const FLOAT32_TOLERANCE = 2e-6;

test('a session computes what it is given, and its moments are those of a plain DFT', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const blocks = Array.from({ length: 12 }, (_, i) => makeBlock(i, 5, 2));
  source.enqueue(...blocks);
  const { heard } = connect(port);
  await until(() => source.answers.length === 12, 'all answers');
  expect(source.answers.map(({ block }) => block).toSorted((a, b) => a - b)).toEqual(
    blocks.map(({ id }) => id),
  );
  const reference = dftMoments(blocks);
  expect(source.total.count).toBe(reference.count);
  expect(source.total.time.samples).toBe(60 * 256);
  for (let k = 0; k < 256; k++) {
    for (const key of ['mean', 'm2'] as const) {
      const wanted = reference[key][k] as number;
      expect(Math.abs((source.total[key][k] as number) / wanted - 1), `${key} of bin ${k}`).toBeLessThan(
        FLOAT32_TOLERANCE,
      );
    }
  }
  expect(source.answers.every(({ computeMs }) => computeMs >= 0 && computeMs < 5_000)).toBe(true);
  expect(heard.phases).toEqual(['connecting', 'open']);
  expect(heard.engines.at(-1)?.engine?.kind).toBe('wasm');
});

test('no more than the depth is computed at a time, and one more is on its way', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  source.enqueue(...Array.from({ length: 20 }, (_, i) => makeBlock(i, 1)));
  const { seen, create } = watched(3);
  connect(port, { createEngine: create });
  await until(() => source.joined.size === 1, 'it joins');
  let most = 0;
  await until(() => {
    most = Math.max(most, ...[...source.joined.values()].map(({ leases }) => leases.size));
    return source.answers.length === 20;
  }, 'all answers');
  expect(seen.most).toBe(3);
  expect(most).toBeLessThanOrEqual(4);
});

test('a block that cannot be computed is reported, and the next is computed', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const bad = makeBlock(0, 1);
  bad.segments[0]?.value.writeFloatLE(Number.NaN, 40);
  source.enqueue(bad, makeBlock(1, 1));
  const { heard } = connect(port);
  await until(() => source.answers.length === 1 && source.failures.length === 1, 'both');
  expect(source.failures).toMatchObject([{ block: 0, code: 'non-finite' }]);
  expect(source.answers).toMatchObject([{ block: 1 }]);
  expect(heard.isOpen).toBe(true);
});

test('a lost connection is made again, and every block counts once', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const { create, seen } = watched(2);
  const sockets: WebSocket[] = [];
  const { heard } = connect(port, {
    createEngine: create,
    open: (url) => {
      const socket = new WebSocket(url, { origin: `http://127.0.0.1:${port}` });
      sockets.push(socket);
      return socket;
    },
  });
  const blocks = Array.from({ length: 40 }, (_, i) => makeBlock(i, 2));
  source.enqueue(...blocks);
  for (const after of [5, 12, 20]) {
    await until(() => source.answers.length >= after, `${after} answers`);
    sockets.at(-1)?.terminate();
    await until(() => !heard.isOpen, 'it notices');
    await until(() => heard.isOpen, 'it comes back');
  }
  await until(() => source.answers.length === 40, 'all answers');
  await pause(50);
  expect(new Set(source.answers.map(({ block }) => block)).size).toBe(40);
  expect(source.total.count).toBe(80);
  expect(heard.phases).toEqual(['connecting', 'open', 'lost', 'open', 'lost', 'open', 'lost', 'open']);
  expect(seen.made).toBe(1);
});

test('a bridge that restarts is found again', async () => {
  const first = await serve(new TestSource());
  const { heard } = connect(first.port);
  await until(() => heard.isOpen, 'it opens');
  await first.close();
  await until(() => !heard.isOpen, 'it closes');
  expect(heard.phases).toContain('refused stopping');
  await pause(100);
  const source = new TestSource();
  await serve(source, { listen: { host: '127.0.0.1', port: first.port } });
  source.enqueue(makeBlock(1, 1));
  await until(() => source.answers.length === 1, 'an answer to the new bridge');
  expect(heard.connections.filter(({ phase }) => phase === 'lost').length).toBeGreaterThan(0);
});

test('a wrong token waits for another one', async () => {
  const source = new TestSource();
  const { port } = await serve(source, { trustLocalPages: false });
  const { session, heard } = connect(port, { role: 'processor', token: 'wrong' });
  await until(() => heard.phases.includes('refused token'), 'the refusal');
  await pause(300);
  expect(heard.phases).toEqual(['connecting', 'refused token']);
  session.setToken(TOKEN);
  await until(() => source.joined.size === 1, 'it joins');
});

test('another version is told, and tried again but rarely', async () => {
  const triesMs: number[] = [];
  const bridge = await fakeBridge((socket) => {
    triesMs.push(performance.now());
    socket.send(JSON.stringify({ type: 'refuse', code: 'protocol', message: 'reload' }));
    socket.close(4400);
  });
  const { heard } = connect(bridge.port, { timing: { ...FAST, longestMs: 400 } });
  await until(() => heard.phases.includes('refused protocol'), 'the refusal');
  await until(() => triesMs.length === 2, 'the second try');
  const [first, second] = triesMs as [number, number];
  expect(second - first).toBeGreaterThan(150);
});

test('a welcome of another version is the same refusal', async () => {
  const bridge = await fakeBridge((socket) =>
    socket.send(JSON.stringify({ type: 'welcome', protocol: PROTOCOL_VERSION + 1 })),
  );
  const { heard } = connect(bridge.port);
  await until(() => heard.connections.length === 2, 'the refusal');
  expect(heard.phases).toEqual(['connecting', 'refused protocol']);
});

test('a page whose results were wrong goes on as a viewer, a headless processor not at all', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const page = connect(port);
  const headless = connect(port, { headless: true, role: 'processor', token: TOKEN });
  await until(() => source.joined.size === 2, 'both join');
  for (const { link } of source.joined.values()) link.dismiss('bad-results', 'wrong');
  const opened = (): number => page.heard.phases.filter((phase) => phase === 'open').length;
  await until(() => opened() === 2, 'the page comes back');
  expect(page.heard.connections.at(-1)).toMatchObject({ phase: 'open', welcome: { role: 'viewer' } });
  await pause(300);
  expect(headless.heard.phases).toEqual(['connecting', 'open', 'refused bad-results']);
  expect(source.joined.size).toBe(0);
});

test('a processor that was too slow only watches for a while, longer each time, and then computes again', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const { heard } = connect(port, {
    timing: { ...FAST, silentTurns: 100, restMs: 300, longestRestMs: 1_200 },
  });
  const roles = (): string[] =>
    heard.connections.flatMap((each) => (each.phase === 'open' ? [each.welcome.role] : []));
  /** Sends it away, and says how long it watched. */
  const rest = async (): Promise<number> => {
    await until(() => source.joined.size === 1, 'it computes');
    const before = roles().length;
    for (const { link } of source.joined.values()) link.dismiss('silent', 'no answer');
    const dismissedMs = performance.now();
    await until(() => source.joined.size === 1, 'it computes again');
    expect(roles().slice(before)).toEqual(['viewer', 'processor']);
    return performance.now() - dismissedMs;
  };
  for (const least of [300, 600, 1_200, 1_200]) expect(await rest()).toBeGreaterThan(least - 10);
  source.enqueue(makeBlock(1, 2));
  await until(() => source.answers.length === 1, 'a block in time');
  expect(await rest()).toBeLessThan(1_190);
});

test('a viewer makes no engine', async () => {
  const { port } = await serve(new TestSource());
  const { seen, create } = watched(1);
  const { heard } = connect(port, { role: 'viewer', createEngine: create });
  await until(() => heard.isOpen && heard.states > 1, 'it opens and hears states');
  expect(seen.made).toBe(0);
});

test('spectra are answered when they have been shown; who shows slowly gets the newest', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const shown: number[] = [];
  let release: () => void = () => {};
  const { heard } = connect(port, {
    role: 'viewer',
    handlers: {
      spectrum: (spectrum: SpectrumFrame) => {
        shown.push(spectrum.file);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    } as SessionOptions['handlers'],
  });
  await until(() => heard.isOpen, 'it opens');
  for (let file = 1; file <= 9; file++) source.publish(flat('latest', file));
  await until(() => shown.length === 2, 'two spectra');
  await pause(50);
  expect(shown).toEqual([1, 2]);
  release();
  await until(() => shown.length === 3, 'the newest');
  expect(shown).toEqual([1, 2, 9]);
});

test('another engine is reported, and its depth brings more blocks', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const { create, change } = watched(1);
  connect(port, { createEngine: create });
  await until(() => source.joined.get('c1')?.credits === 2, 'credit for one and one more');
  change({ kind: 'ts', name: 'the other engine', why: 'the GPU was lost' }, 4);
  await until(() => source.joined.get('c1')?.credits === 5, 'credit for four and one more');
  expect(source.joined.get('c1')?.engine).toEqual({
    kind: 'ts',
    name: 'the other engine',
    why: 'the GPU was lost',
  });
});

test('a broken engine gives its block back, and another engine is made', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const { create, seen } = watched(1);
  seen.fault = 'device-lost';
  const { heard } = connect(port, { createEngine: create });
  source.enqueue(makeBlock(0, 1), makeBlock(1, 1));
  await until(() => source.answers.length === 1, 'the other block is computed by the next engine');
  expect(source.failures).toMatchObject([{ block: 0, code: 'device-lost' }]);
  expect(seen).toMatchObject({ made: 2, disposed: 1 });
  expect(heard.engines.map(({ trouble }) => trouble)).toContain('made to fail: device-lost');
});

test('where no engine can be made, the page says so and stays', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const { heard } = connect(port, {
    createEngine: () => Promise.reject(new EngineError('unavailable', 'no SIMD here')),
  });
  await until(() => heard.engines.length > 0, 'the trouble');
  expect(heard.engines).toEqual([{ engine: null, trouble: 'no SIMD here' }]);
  await until(() => heard.states > 0, 'states');
  expect(source.joined.size).toBe(0);
});

test('a bridge that falls silent is given up', async () => {
  const bridge = await fakeBridge((socket) => socket.send(welcome('viewer')));
  const { heard } = connect(bridge.port, { timing: { ...FAST, silentTurns: 3 } });
  await until(() => heard.phases.includes('lost'), 'it gives up');
  expect(heard.connections.find(({ phase }) => phase === 'lost')).toMatchObject({
    reason: 'the bridge is silent',
  });
  await until(() => bridge.connections() === 2, 'it tries again');
});

test.each([
  ['garbage text', () => 'nonsense'],
  ['garbage bytes', () => Buffer.from([1, 2, 3, 4])],
  [
    'a block without credit',
    () => {
      const header = encodeBlockHeader({
        block: 1,
        epoch: 1,
        file: 1,
        bins: 256,
        clipLevel: 1,
        segments: [{ slices: 1 }],
      });
      return Buffer.concat([header, Buffer.alloc(2048)]);
    },
  ],
])('%s from the bridge ends the connection, and it is tried again', async (_, message) => {
  const bridge = await fakeBridge((socket) => {
    socket.send(welcome('viewer'));
    socket.send(message());
  });
  const { heard } = connect(bridge.port);
  await until(() => bridge.connections() >= 2, 'the second try');
  expect(heard.connections.find(({ phase }) => phase === 'lost')).toMatchObject({
    reason: expect.stringContaining('not understood'),
  });
});

test('a session that is stopped stays away and frees its engine', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  const { create, seen } = watched(1);
  const { session, heard } = connect(port, { createEngine: create });
  await until(() => source.joined.size === 1, 'it joins');
  await session.stop();
  await until(() => source.joined.size === 0, 'it leaves');
  expect(seen.disposed).toBe(1);
  await pause(300);
  expect(heard.phases).toEqual(['connecting', 'open']);
  session.reconnect();
  await pause(50);
  expect(source.joined.size).toBe(0);
});

test('a page takes over between blocks from one that goes', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  source.enqueue(...Array.from({ length: 3 }, (_, i) => makeBlock(i, 1)));
  const holder = await new Client({ port }).compute(3);
  await until(() => holder.blocks.length === 3, 'it holds all blocks');
  connect(port);
  await pause(100);
  expect(source.answers).toEqual([]);
  holder.socket.terminate();
  await until(() => source.answers.length === 3, 'all answers');
});

test.each([
  ['http://127.0.0.1:8080/', 'auto', 'ws://127.0.0.1:8080/ws/process'],
  ['http://127.0.0.1:8080', 'processor', 'ws://127.0.0.1:8080/ws/process'],
  ['https://daq.example.org/?kiosk#token=x', 'viewer', 'wss://daq.example.org/ws/view'],
  ['ws://[::1]:80/', 'viewer', 'ws://[::1]/ws/view'],
  ['wss://daq.example.org/axion', 'auto', 'wss://daq.example.org/axion/ws/process'],
] as const)('%s as %s is %s', (url, role, address) => {
  expect(socketUrl(url, role)).toBe(address);
});

test('pauses grow up to a limit and are spread', () => {
  expect([0, 1, 2, 3].map((attempts) => backoffMs(attempts, RECONNECT, 1))).toEqual([300, 600, 1200, 2400]);
  expect(backoffMs(2, RECONNECT, 0)).toBe(600);
  expect(backoffMs(50, RECONNECT, 1)).toBe(RECONNECT.longestMs);
  expect(backoffMs(Number.POSITIVE_INFINITY, RECONNECT, 0)).toBe(RECONNECT.longestMs / 2);
});

test('a command reaches the bridge and is answered; without the right it is refused', async () => {
  const source = new TestSource();
  const server = await serve(source, { trustLocalPages: false });
  const command = { run: 'test', author: 'shift', action: { kind: 'reset' } } as const;
  const { session } = connect(server.port, { token: TOKEN });
  expect(await session.operate(command)).toEqual({ outcome: 'done', message: 'reset' });
  expect(source.commands).toEqual([
    { command: { ...command, id: expect.stringMatching(/^[0-9a-f]{32}$/) }, from: '127.0.0.1' },
  ]);
  const { session: viewer } = connect(server.port, { role: 'viewer' });
  expect(await viewer.operate(command)).toMatchObject({ outcome: 'refused', code: 'not-operator' });
  expect(source.commands).toHaveLength(1);
});
