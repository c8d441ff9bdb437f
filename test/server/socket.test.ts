import { describe, expect, test } from 'vitest';
import { MAX_CREDITS, MAX_UNSEEN_SPECTRA } from '../../bridge/protocol/control.ts';
import { encodeMoments, momentsFrameBytes } from '../../bridge/protocol/frames/moments.ts';
import { type BlockFrame, PROTOCOL_VERSION } from '../../bridge/protocol/frames.ts';
import { MAX_FRAGMENTS, SOCKET_LIMITS } from '../../bridge/server/limits.ts';
import { anyMoments, Client, ENGINE, hello, noOrigin, pause, serve, TOKEN, until } from './harness.ts';
import { flat, GEOMETRY, makeBlock, TestSource } from './source.ts';

test('a page on this machine with simulated input is a processor without a token', async () => {
  const server = await serve(new TestSource());
  const page = await new Client(server).greet();
  expect(page.welcome).toEqual({
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    software: 'haloscope test',
    client: 'c1',
    role: 'processor',
    roleReason: '',
    operatorReason: '',
    geometry: GEOMETRY,
    run: 'test',
  });
});

test('by any loopback name, and through an SSH tunnel', async () => {
  const server = await serve(new TestSource());
  for (const host of [`localhost:${server.port}`, 'localhost:9090', '[::1]:8080']) {
    const page = new Client(server, 'ws/process', { headers: { host }, origin: `http://${host}` });
    await page.greet();
    expect(page.welcome?.role, host).toBe('processor');
  }
});

test('a page of another origin, a foreign host name or a wrong path gets no socket', async () => {
  const server = await serve(new TestSource());
  const own = `http://127.0.0.1:${server.port}`;
  for (const [path, origin, host, status] of [
    ['ws/process', 'http://evil.example', undefined, 403],
    ['ws/view', 'http://localhost:3000', undefined, 403],
    ['ws/view', 'null', undefined, 403],
    ['ws/view', `https://127.0.0.1:${server.port}`, undefined, 403],
    ['ws/process', own, 'evil.example', 403],
    ['ws/process', `http://evil.example:${server.port}`, `evil.example:${server.port}`, 403],
    ['ws', own, undefined, 404],
    ['', own, undefined, 404],
  ] as const) {
    const client = new Client(server, path, { origin, ...(host && { headers: { host } }) });
    await client.ended();
    expect(client.status, `${path} ${origin} ${host}`).toBe(status);
  }
});

test('a page under the public URL is let in, and is no trusted page', async () => {
  const server = await serve(new TestSource(), { publicOrigins: ['https://daq.example.org'] });
  const page = new Client(server, 'ws/process', {
    headers: { host: 'daq.example.org' },
    origin: 'https://daq.example.org',
  });
  await page.greet();
  expect(page.welcome).toMatchObject({ role: 'viewer', roleReason: 'a token is needed to compute' });
});

test('who sends no Origin needs the token, even to view', async () => {
  const server = await serve(new TestSource());
  for (const path of ['ws/process', 'ws/view']) {
    const without = await new Client(server, path, noOrigin).greet({ headless: true });
    expect(without.refusal?.code).toBe('token');
    expect(await without.ended()).toBe(4401);
    const wrong = await new Client(server, path, noOrigin).greet({ headless: true, token: `${TOKEN}x` });
    expect(wrong.refusal?.code).toBe('token');
  }
  const right = await new Client(server, 'ws/process', noOrigin).greet({ headless: true, token: TOKEN });
  expect(right.welcome?.role).toBe('processor');
});

test.each(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip'])(
  'behind a proxy that says %s a page only views',
  async (header) => {
    const server = await serve(new TestSource());
    const page = new Client(server, 'ws/process', { headers: { [header]: '10.0.0.7' } });
    await page.greet();
    expect(page.welcome).toMatchObject({ role: 'viewer', roleReason: 'a token is needed to compute' });
  },
);

test('with Kafka behind it, a page needs the token to compute', async () => {
  const server = await serve(new TestSource(), { trustLocalPages: false });
  const without = await new Client(server).greet();
  expect(without.welcome?.role).toBe('viewer');
  const wrong = await new Client(server).greet({ token: 'guess' });
  expect(wrong.welcome).toMatchObject({ role: 'viewer', roleReason: 'the token is wrong to compute' });
  const demanding = await new Client(server).greet({ role: 'processor' });
  expect(demanding.refusal?.code).toBe('token');
  const right = await new Client(server).greet({ token: TOKEN });
  expect(right.welcome?.role).toBe('processor');
});

test('the viewers’ path makes viewers only', async () => {
  const server = await serve(new TestSource());
  const page = await new Client(server, 'ws/view').greet({ role: 'processor', token: TOKEN });
  expect(page.welcome).toMatchObject({ role: 'viewer', roleReason: 'processors connect at /ws/process' });
});

describe('operators', () => {
  const command = { id: 'command-1', run: 'test', author: '', action: { kind: 'reset' } };
  const asked = JSON.stringify({ type: 'command', command });

  async function ask(client: Client): Promise<unknown> {
    client.socket.send(asked);
    const decided = () => client.messages.find(({ type }) => type === 'decided');
    await until(() => decided() !== undefined, 'the command is decided');
    return decided();
  }

  test('are those who have shown the token, also while they only watch, and pages on this machine', async () => {
    const source = new TestSource();
    const server = await serve(source);
    const clients = [
      await new Client(server).greet({ token: TOKEN }),
      await new Client(server, 'ws/view').greet({ role: 'viewer', token: TOKEN }),
      await new Client(server).greet(),
    ];
    for (const client of clients) {
      expect(client.welcome?.operatorReason).toBe('');
      expect(await ask(client)).toMatchObject({ id: 'command-1', outcome: { outcome: 'done' } });
    }
    expect(source.commands).toHaveLength(3);
    expect(source.commands[0]).toEqual({ command, from: '127.0.0.1' });
  });

  test('are no viewers: what these ask for is refused, and nothing happens', async () => {
    const source = new TestSource();
    const server = await serve(source);
    const guarded = await serve(source, { trustLocalPages: false });
    const clients = [
      await new Client(server, 'ws/view').greet({ role: 'viewer' }),
      await new Client(server, 'ws/view').greet(),
      await new Client(server, 'ws/process').greet({ role: 'viewer' }),
      await new Client(guarded).greet(),
      await new Client(guarded).greet({ token: 'guess' }),
    ];
    for (const client of clients) {
      expect(client.welcome).toMatchObject({
        role: 'viewer',
        operatorReason: expect.stringContaining('to change anything'),
      });
      expect(await ask(client)).toMatchObject({ outcome: { outcome: 'refused', code: 'not-operator' } });
    }
    expect(source.commands).toEqual([]);
  });

  test('say what they want in the words of the protocol, or are sent away', async () => {
    const source = new TestSource();
    const client = await new Client(await serve(source)).greet();
    client.socket.send(asked.replace('reset', 'stop'));
    expect(await client.ended()).toBe(4403);
    expect(source.commands).toEqual([]);
  });
});

test('another version is refused by name before anything else is asked', async () => {
  const server = await serve(new TestSource());
  const page = await new Client(server).opened();
  page.socket.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION + 1, other: true }));
  expect(await page.ended()).toBe(4400);
  expect(page.refusal).toMatchObject({ code: 'protocol' });
});

test.each([
  ['no JSON', 'hello'],
  ['no object', '7'],
  ['a message before hello', JSON.stringify({ type: 'seen', sequence: 0 })],
  ['a hello that fits no schema', hello({ role: 'king' })],
  [
    'a binary frame before hello',
    Buffer.from(encodeMoments({ block: 1, epoch: 1, computeMs: 1, moments: anyMoments() })),
  ],
  ['binary garbage', Buffer.from([1, 2, 3])],
])('%s is malformed', async (_, message) => {
  const server = await serve(new TestSource());
  const client = await new Client(server).opened();
  client.socket.send(message);
  expect(await client.ended()).toBe(4403);
  expect(client.refusal?.code).toBe('malformed');
});

test('a second hello is malformed', async () => {
  const server = await serve(new TestSource());
  const client = await new Client(server).greet();
  client.socket.send(hello());
  expect(await client.ended()).toBe(4403);
});

test.each([
  ['an engine', JSON.stringify({ type: 'engine', engine: ENGINE })],
  ['credit', JSON.stringify({ type: 'credit', blocks: 1 })],
  ['a failure', JSON.stringify({ type: 'failed', block: 1, epoch: 1, code: 'x', message: '' })],
  ['moments', Buffer.from(encodeMoments({ block: 1, epoch: 1, computeMs: 1, moments: anyMoments() }))],
])('a viewer that sends %s is sent away', async (_, message) => {
  const source = new TestSource();
  const server = await serve(source);
  for (const path of ['ws/view', 'ws/process']) {
    const viewer = await new Client(server, path).greet({ role: 'viewer' });
    expect(viewer.welcome?.role).toBe('viewer');
    viewer.socket.send(message);
    expect(await viewer.ended()).toBe(4403);
  }
  expect(source.joined.size).toBe(0);
  expect(source.answers).toEqual([]);
});

test('moments of another length are malformed', async () => {
  const server = await serve(new TestSource({ ...GEOMETRY, bins: 512 }));
  const client = await new Client(server).compute(1);
  client.socket.send(encodeMoments({ block: 1, epoch: 1, computeMs: 1, moments: anyMoments(1, 256) }));
  expect(await client.ended()).toBe(4403);
});

test('messages have the length of their role and no more', async () => {
  const server = await serve(new TestSource({ ...GEOMETRY, bins: 3072 }));
  for (const [path, bytes] of [
    ['ws/view', 4097],
    ['ws/process', momentsFrameBytes(3072) + 1],
  ] as const) {
    const client = await new Client(server, path).opened();
    client.socket.send(Buffer.alloc(bytes));
    expect(await client.ended(), path).toBe(1009);
  }
  const talker = await new Client(server).opened();
  talker.socket.send(hello({ software: 'x'.repeat(4096) }));
  expect(await talker.ended()).toBe(4403);
});

test('a flood of fragments ends the connection', async () => {
  const server = await serve(new TestSource());
  const client = await new Client(server).opened();
  for (let i = 0; i <= MAX_FRAGMENTS; i++) client.socket.send('x', { fin: false });
  expect(await client.ended()).toBe(1008);
});

test('a flood of messages ends the connection', async () => {
  const server = await serve(new TestSource());
  const client = await new Client(server, 'ws/view').greet();
  const most = SOCKET_LIMITS.viewerMessagesPerSecond * SOCKET_LIMITS.burstSeconds;
  for (let i = 0; i < 2 * most; i++) client.say({ type: 'seen', sequence: 0 });
  expect(await client.ended()).toBe(4403);
  expect(client.refusal?.message).toBe('too many messages per second');
});

test('a flood of pings ends the connection, at any pace', async () => {
  const server = await serve(new TestSource(), { limits: { viewerMessagesPerSecond: 20 } });
  const flooding = await new Client(server, 'ws/view').greet();
  for (let i = 0; i < 500; i++) flooding.socket.ping();
  await flooding.ended();
  const steady = await new Client(server, 'ws/view').greet();
  for (let i = 0; i < 60 && steady.closed === null; i++) {
    steady.socket.ping();
    await pause(5);
  }
  expect(await steady.ended()).toBe(4403);
});

test('who says nothing is not kept', async () => {
  const server = await serve(new TestSource(), { limits: { helloMs: 50 } });
  const client = new Client(server);
  expect(await client.ended()).toBe(4403);
  expect(client.refusal?.message).toContain('no complete hello');
});

test('who answers no ping is dropped, and who does is not', async () => {
  const server = await serve(new TestSource(), { limits: { pingMs: 100 } });
  const mute = await new Client(server, 'ws/view', { autoPong: false }).greet();
  const alive = await new Client(server, 'ws/view').greet();
  expect(await mute.ended()).toBe(1006);
  await pause(300);
  expect(alive.closed).toBeNull();
});

test('who speaks but takes no data is dropped, and its leases are free', async () => {
  const source = new TestSource({ ...GEOMETRY, bins: 3072 });
  const server = await serve(source, { limits: { pingMs: 200, processorBufferedBytes: 2 ** 20 } });
  const deaf = await new Client(server).compute(12);
  await until(() => source.joined.size === 1, 'it joins');
  deaf.socket.pause();
  const block = makeBlock(0, 160, 40, 3072);
  // Far more than the buffers of both kernels hold.
  source.enqueue(...Array.from({ length: 12 }, (_, id) => ({ ...block, id })));
  const talk = setInterval(() => deaf.say({ type: 'seen', sequence: 0 }), 20);
  await until(() => source.joined.size === 0, 'it is dropped');
  clearInterval(talk);
  const next = await new Client(server).compute(1);
  await until(() => next.blocks.length === 1, 'the first of its blocks');
  expect(next.blocks[0]).toMatchObject({ block: 0 });
});

test('beyond the cap a client is told so, and takes nobody’s place', async () => {
  const server = await serve(new TestSource(), { limits: { connections: 2 } });
  const [first, second] = [await new Client(server).greet(), await new Client(server).greet()];
  const third = new Client(server);
  expect(await third.ended()).toBe(4402);
  expect(third.refusal?.code).toBe('busy');
  first.socket.close();
  await first.ended();
  const fourth = await new Client(server).greet();
  expect(fourth.welcome).toBeDefined();
  expect(second.closed).toBeNull();
});

test('blocks come whole, in fragments, and never beyond the credits', async () => {
  const source = new TestSource();
  const server = await serve(source);
  const blocks = Array.from({ length: 10 }, (_, i) => makeBlock(i, 7, 3));
  source.enqueue(...blocks);
  const client = await new Client(server).compute(3);
  await until(() => client.blocks.length === 3, 'three blocks');
  await pause(50);
  expect(client.blocks.length).toBe(3);
  for (const [i, received] of client.blocks.entries()) {
    const sent = blocks[i] as (typeof blocks)[number];
    expect(received).toMatchObject({ block: sent.id, file: 3, bins: 256, clipLevel: Infinity });
    expect(received.segments.map(({ slices }) => slices)).toEqual([3, 3, 1]);
    const bytes = Buffer.from(received.samples.buffer, received.samples.byteOffset);
    expect(bytes.equals(Buffer.concat(sent.segments.map(({ value }) => value)))).toBe(true);
  }
  for (const block of client.blocks) client.answer(block);
  await until(() => source.answers.length === 3, 'three answers');
  await pause(50);
  expect(client.blocks.length).toBe(3);
  client.say({ type: 'credit', blocks: 2 });
  await until(() => client.blocks.length === 5, 'two more blocks');
  await pause(50);
  expect(client.blocks.length).toBe(5);
});

test('room for more blocks than the bridge lends is malformed, answered ones make room', async () => {
  const source = new TestSource();
  const server = await serve(source);
  source.enqueue(...Array.from({ length: MAX_CREDITS }, (_, i) => makeBlock(i, 1)));
  const client = await new Client(server).compute(MAX_CREDITS);
  await until(() => client.blocks.length === MAX_CREDITS, 'all blocks');
  for (const block of client.blocks.slice(0, 2)) client.answer(block);
  client.say({ type: 'credit', blocks: 2 });
  await until(() => source.answers.length === 2, 'two answers');
  expect(client.closed).toBeNull();
  // Answered twice, and under an epoch that was never lent: neither makes room.
  const [first, , third] = client.blocks as [BlockFrame, BlockFrame, BlockFrame];
  client.answer(first);
  client.answer({ ...third, epoch: third.epoch + 1 });
  client.say({ type: 'credit', blocks: 1 });
  expect(await client.ended()).toBe(4403);
});

test('answers and failures reach the source, at every split into two fragments', async () => {
  const source = new TestSource();
  const server = await serve(source);
  source.enqueue(makeBlock(0, 1), makeBlock(1, 1));
  const client = await new Client(server).compute(2);
  await until(() => client.blocks.length === 2, 'two blocks');
  const [first, second] = client.blocks as [(typeof client.blocks)[number], (typeof client.blocks)[number]];
  client.say({ type: 'failed', block: first.block, epoch: first.epoch, code: 'non-finite', message: 'NaN' });
  await until(() => source.failures.length === 1, 'a failure');
  expect(source.failures).toEqual([{ block: 0, code: 'non-finite', message: 'NaN' }]);
  const frame = Buffer.from(
    encodeMoments({ block: second.block, epoch: second.epoch, computeMs: 3, moments: anyMoments() }),
  );
  // Each is the same answer: only the first counts, the others must be understood and dropped.
  for (let at = 0; at <= frame.length; at++) {
    client.socket.send(frame.subarray(0, at), { binary: true, fin: false });
    client.socket.send(frame.subarray(at), { binary: true, fin: true });
  }
  client.say({ type: 'credit', blocks: 1 });
  source.enqueue(makeBlock(2, 1));
  await until(() => client.blocks.length === 3, 'the next block');
  expect(source.answers).toHaveLength(1);
  expect(source.answers[0]).toMatchObject({ client: 'c1', block: 1, computeMs: 3, moments: { count: 1 } });
  expect(client.closed).toBeNull();
});

test('the leases of a processor that goes are the next one’s', async () => {
  const source = new TestSource();
  const server = await serve(source);
  source.enqueue(makeBlock(0, 1), makeBlock(1, 1));
  const first = await new Client(server).compute(2);
  await until(() => first.blocks.length === 2, 'two blocks');
  first.socket.terminate();
  const second = await new Client(server).compute(2);
  await until(() => second.blocks.length === 2, 'the same two blocks');
  expect(second.blocks.map(({ block }) => block)).toEqual([0, 1]);
  expect(Math.min(...second.blocks.map(({ epoch }) => epoch))).toBeGreaterThan(
    Math.max(...first.blocks.map(({ epoch }) => epoch)),
  );
});

test('a dismissed processor hears why', async () => {
  const source = new TestSource();
  const server = await serve(source);
  const client = await new Client(server).compute(1);
  await until(() => source.joined.size === 1, 'it has joined');
  source.joined.get('c1')?.link.dismiss('bad-results', 'Parseval’s sum is off by 3 %');
  expect(await client.ended()).toBe(4404);
  expect(client.refusal).toMatchObject({ code: 'bad-results', message: 'Parseval’s sum is off by 3 %' });
  expect(source.joined.size).toBe(0);
});

test('a slow viewer skips to the latest of each trace', async () => {
  const source = new TestSource();
  const server = await serve(source);
  const slow = await new Client(server, 'ws/view').greet();
  const quick = await new Client(server, 'ws/view').greet();
  for (let file = 1; file <= 50; file++) {
    source.publish(flat('latest', file));
    source.publish(flat('run', file));
    await until(() => quick.spectra.length === 2 * file, `file ${file}`);
    quick.say({ type: 'seen', sequence: 2 * file });
  }
  expect(slow.spectra).toHaveLength(MAX_UNSEEN_SPECTRA);
  expect(slow.spectra.map(({ file }) => file)).toEqual([1, 1]);
  slow.say({ type: 'seen', sequence: 2 });
  await until(() => slow.spectra.length === 4, 'the newest two');
  await pause(50);
  expect(slow.spectra.slice(2).map(({ trace, file, mean }) => [trace, file, mean[0]])).toEqual([
    ['latest', 50, 50],
    ['run', 50, 50],
  ]);
  slow.say({ type: 'seen', sequence: 5 });
  expect(await slow.ended()).toBe(4403);
});

test('who comes late gets the newest of each trace at once', async () => {
  const source = new TestSource();
  const server = await serve(source);
  source.publish(flat('latest', 7));
  source.publish(flat('progress', 8));
  const viewer = await new Client(server, 'ws/view').greet();
  await until(() => viewer.spectra.length === 2, 'both');
  expect(viewer.spectra.map(({ trace, file, sequence }) => [trace, file, sequence])).toEqual([
    ['latest', 7, 1],
    ['progress', 8, 2],
  ]);
});

test('the state comes twice a second, and at once when a processor joins', async () => {
  const server = await serve(new TestSource(), { limits: { stateMs: 200 } });
  const viewer = await new Client(server, 'ws/view').greet();
  await until(() => viewer.states >= 4, 'states', 2_000);
  const quiet = await serve(new TestSource(), { limits: { stateMs: 60_000 } });
  const watcher = await new Client(quiet, 'ws/view').greet();
  await new Client(quiet).compute(1);
  await until(() => {
    const last = watcher.messages.at(-1);
    return (
      last?.type === 'state' &&
      last.state.clients.some(({ role, engine }) => role === 'processor' && engine?.name === ENGINE.name)
    );
  }, 'a state with the processor');
  const before = watcher.states;
  quiet.announce();
  quiet.announce();
  await until(() => watcher.states > before, 'a state');
  await pause(50);
  expect(watcher.states).toBe(before + 1);
});

test('clients are counted by role and engine', async () => {
  const server = await serve(new TestSource());
  await new Client(server, 'ws/view').greet();
  await new Client(server).compute(1);
  await until(() => server.processors().length === 1, 'the processor');
  const text = await server.metrics.registry.getSingleMetricAsString('haloscope_clients');
  expect(text).toContain('haloscope_clients{role="viewer",engine="none"} 1');
  expect(text).toContain('haloscope_clients{role="processor",engine="ts"} 1');
  expect(server.processors()).toMatchObject([{ id: 'c2', headless: false }]);
});

test('who goes down says so', async () => {
  const source = new TestSource();
  const server = await serve(source);
  const viewer = await new Client(server, 'ws/view').greet();
  const processor = await new Client(server).compute(1);
  await server.close();
  expect(await viewer.ended()).toBe(4405);
  expect(await processor.ended()).toBe(4405);
  expect(viewer.refusal?.code).toBe('stopping');
  expect(source.joined.size).toBe(0);
});

test('a client that does not close by itself does not hold up the end', async () => {
  const server = await serve(new TestSource(), { limits: { closeMs: 100 } });
  const stuck = await new Client(server, 'ws/view').greet();
  stuck.socket.pause();
  const begunMs = performance.now();
  await server.close();
  expect(performance.now() - begunMs).toBeLessThan(2_000);
});
