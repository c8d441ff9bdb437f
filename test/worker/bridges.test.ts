/** Which bridge a session goes to, and sessions that really go there. */
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { Secret } from '../../bridge/config/secret.ts';
import type { GroupState } from '../../bridge/protocol/state.ts';
import { Bridges, mayMove } from '../../web/worker/bridges.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { Session, type SessionOptions } from '../../web/worker/session.ts';
import type { Connection } from '../../web/worker/updates.ts';
import { serve, TOKEN, until } from '../server/harness.ts';
import { makeBlock, sampleState, TestSource } from '../server/source.ts';

const HOME = 'http://127.0.0.1:8080/';
const OTHER = 'http://127.0.0.1:8081/';
const THIRD = 'http://127.0.0.1:8082/';

const group = (role: GroupState['role'], ...peers: readonly (readonly [string, boolean])[]): GroupState => ({
  role,
  partitions: role === 'active' ? [0] : [],
  peers: peers.map(([url, isActive]) => ({ urls: [url], isActive })),
});

function bridges() {
  const clock = { ms: 0 };
  return { clock, made: new Bridges(new URL(HOME), () => clock.ms) };
}

test('from a standby to the active one, and not back because that one thinks the same of us', () => {
  const { made } = bridges();
  expect(made.learn(group('active', [OTHER, false]))).toBe(false);
  expect(made.learn(group('standby', [OTHER, true], [THIRD, false]))).toBe(true);
  expect(made.current).toBe(OTHER);
  expect(made.learn(group('standby', [HOME, true]))).toBe(false);
  expect(made.current).toBe(OTHER);
});

test('a bridge that has just failed is not gone back to while the next one still believes in it', () => {
  const { made, clock } = bridges();
  made.learn(group('active', [OTHER, false]));
  made.failed();
  expect(made.moveOn()).toBe(true);
  expect(made.current).toBe(OTHER);
  clock.ms = 5_000;
  expect(made.learn(group('standby', [HOME, true]))).toBe(false);
  clock.ms = 40_000;
  expect(made.learn(group('standby', [HOME, true]))).toBe(true);
  expect(made.isHome).toBe(true);
});

test('several addresses are one bridge: when one fails the others are not taken for somebody else', () => {
  const { made } = bridges();
  made.learn(group('active', [OTHER, false]));
  made.failed();
  made.moveOn();
  const home = { urls: ['http://localhost:8080/', HOME], isActive: true };
  expect(made.learn({ role: 'standby', partitions: [], peers: [home] })).toBe(false);
  expect(made.current).toBe(OTHER);
});

test('when all fail they are tried in turn', () => {
  const { made, clock } = bridges();
  made.learn(group('active', [THIRD, false], [OTHER, true]));
  const tried = [];
  for (let turn = 0; turn < 6; turn++) {
    clock.ms += 1000;
    made.failed();
    made.moveOn();
    tried.push(made.current);
  }
  expect(tried).toEqual([OTHER, THIRD, HOME, OTHER, THIRD, HOME]);
});

test.each([
  ['https://a.example/', 'http://b.example/', false],
  ['https://a.example/', 'https://b.example/', true],
  ['http://a.example/', 'https://b.example/', true],
  ['http://a.example/', 'http://127.0.0.1:8081/', false],
  ['http://127.0.0.1:8080/', 'http://127.0.0.1:8081/', true],
  ['http://localhost:8080/', 'http://[::1]:8081/', true],
  ['http://127.0.0.1:8080/', 'http://b.example/', true],
])('a client at %s may use %s: %s', (home, other, may) => {
  expect(mayMove(new URL(home), new URL(other))).toBe(may);
});

/** A bridge that says what a test wants of its group. */
class GroupSource extends TestSource {
  group: GroupState | null = null;

  override state() {
    return { ...sampleState(this.geometry), group: this.group };
  }
}

async function bridge() {
  const source = new GroupSource();
  return { source, server: await serve(source, { trustLocalPages: false }) };
}

function follow(url: string, options: Partial<SessionOptions> = {}) {
  const connections: Connection[] = [];
  let states = 0;
  const session = new Session({
    url,
    open: (address) => new WebSocket(address, { perMessageDeflate: false }),
    software: 'test',
    role: 'processor',
    headless: true,
    token: TOKEN,
    createEngine: (bins) => createCpuEngine({ bins, window: 'none', workers: 0 }),
    timing: { firstMs: 20, longestMs: 100, watchMs: 1000, moveAfterMs: 100 },
    handlers: {
      connection: (connection) => void connections.push(connection),
      state: () => {
        states += 1;
      },
      spectrum: () => {},
      engine: () => {},
    },
    ...options,
  });
  onTestFinished(() => session.stop());
  session.start();
  const isAt = (address: string): boolean => {
    const last = connections.at(-1);
    return last?.phase === 'open' && last.bridge === address;
  };
  return { connections, isAt, states: () => states };
}

test('a processor at a standby moves to the active bridge and computes there', async () => {
  const [standby, active] = [await bridge(), await bridge()];
  standby.source.group = group('standby', [active.server.url, true]);
  active.source.group = group('active', [standby.server.url, false]);
  const { isAt } = follow(standby.server.url);
  active.source.enqueue(makeBlock(0, 1));
  await until(() => isAt(active.server.url), 'it is at the active one');
  await until(() => active.source.answers.length === 1, 'it computes there');
  await until(() => standby.source.joined.size === 0, 'it has left the standby');
  expect(active.source.failures).toEqual([]);
});

test('a processor whose bridge goes down moves to the other one, and back when that one goes', async () => {
  const [first, second] = [await bridge(), await bridge()];
  first.source.group = group('active', [second.server.url, false]);
  const { isAt, states } = follow(first.server.url);
  await until(() => isAt(first.server.url) && states() > 0, 'it is at its own, and knows of the other');
  await first.server.close();
  await until(() => isAt(second.server.url) && second.source.joined.size === 1, 'it is at the other');
  second.source.group = group('active', [first.server.url, false]);
  const before = states();
  second.source.enqueue(makeBlock(0, 1));
  await until(() => second.source.answers.length === 1 && states() > before + 2, 'it computes there');

  await serve(first.source, { listen: { host: '127.0.0.1', port: first.server.port } });
  await second.server.close();
  await until(() => isAt(first.server.url), 'it is back at its own');
  expect(second.source.failures).toEqual([]);
});

test('the child of a bridge stays with it', async () => {
  const [standby, active] = [await bridge(), await bridge()];
  standby.source.group = group('standby', [active.server.url, true]);
  const { isAt, states } = follow(standby.server.url, { stays: true });
  await until(() => states() > 2, 'states have come');
  expect(isAt(standby.server.url)).toBe(true);
  expect(active.source.joined.size).toBe(0);
});

test('another bridge that does not know the token is passed over', async () => {
  const [home, foreign, good] = [await bridge(), new GroupSource(), await bridge()];
  const other = await serve(foreign, { token: new Secret('another-token-of-another-bridge') });
  home.source.group = group('active', [other.url, true], [good.server.url, false]);
  const { isAt, connections, states } = follow(home.server.url);
  await until(() => isAt(home.server.url) && states() > 0, 'it is at its own, and knows of the others');
  await home.server.close();
  await until(() => isAt(good.server.url), 'it is at the third');
  expect(connections.some((each) => each.phase === 'lost' && each.reason.includes('refuses'))).toBe(true);
});
