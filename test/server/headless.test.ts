import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ProcessorPolicy } from '../../bridge/config/options.ts';
import { Secret } from '../../bridge/config/secret.ts';
import { HeadlessSupervisor, type HeadlessTiming } from '../../bridge/server/headless.ts';
import type { BridgeServer } from '../../bridge/server/server.ts';
import { buildConstants } from '../../vite.config.ts';
import { Client, pause, serve, silent, TOKEN, until } from './harness.ts';
import { makeBlock, TestSource } from './source.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the repository, so that packages are found. */
let folder = '';

beforeAll(async () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'headless-'));
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    define: buildConstants,
    build: {
      ssr: true,
      outDir: folder,
      minify: false,
      rolldownOptions: {
        input: {
          child: join(root, 'test/server/headless-child.ts'),
          'engine-worker': join(root, 'web/engine/pool-worker-node.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const QUICK: HeadlessTiming = {
  graceMs: 50,
  firstPauseMs: 50,
  longestPauseMs: 1_000,
  steadyMs: 60_000,
  stuckMs: 300,
  killMs: 3_000,
};
/** A process of Node with engine and self-test, on a busy machine. */
const START_MS = 15_000;

function supervise(server: BridgeServer, policy: ProcessorPolicy): HeadlessSupervisor {
  const entry = join(folder, 'child.js');
  const supervisor = new HeadlessSupervisor({
    policy,
    server,
    token: new Secret(TOKEN),
    trust: null,
    entry,
    log: silent,
    timing: QUICK,
  });
  onTestFinished(() => supervisor.stop());
  supervisor.start();
  return supervisor;
}

/** The command itself, with a channel to this process or without. */
function start(
  server: BridgeServer,
  token = TOKEN,
  stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'ipc'],
): { child: ChildProcess; ended: Promise<number | null>; said: () => string } {
  const child = spawn(process.execPath, [join(folder, 'child.js'), 'process', server.url], {
    env: { ...process.env, HALOSCOPE_TOKEN: token },
    stdio,
  });
  let text = '';
  child.stderr?.on('data', (part: Buffer) => {
    text += part.toString();
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, ended, said: () => text };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('auto: computes while nobody else does, yields to a page, and comes back', {
  timeout: 60_000,
}, async () => {
  const source = new TestSource();
  const server = await serve(source);
  supervise(server, 'auto');
  source.enqueue(...Array.from({ length: 8 }, (_, i) => makeBlock(i, 3)));
  await until(() => source.answers.length === 8, 'the headless processor computes', START_MS);
  expect(server.processors()).toMatchObject([{ headless: true }]);
  expect(source.total.count).toBe(24);
  const page = await new Client(server).compute(1);
  const onlyThePage = (): boolean => server.processors().every(({ headless }) => !headless);
  await until(() => server.processors().length === 1 && onlyThePage(), 'it yields');
  await pause(300);
  expect(server.processors()).toHaveLength(1);
  page.socket.terminate();
  await until(() => server.processors().some(({ headless }) => headless), 'it comes back', START_MS);
});

test('a headless processor that is killed is started again, and every block counts once', {
  timeout: 60_000,
}, async () => {
  const source = new TestSource();
  const server = await serve(source);
  const supervisor = supervise(server, 'auto');
  source.enqueue(...Array.from({ length: 300 }, (_, i) => makeBlock(i, 40)));
  await until(() => source.answers.length > 5, 'some answers', START_MS);
  const { pid } = supervisor;
  if (pid === undefined) throw new Error('it runs');
  process.kill(pid, 'SIGKILL');
  await until(() => source.answers.length === 300, 'all answers', 2 * START_MS);
  expect(supervisor.pid).not.toBe(pid);
  expect(new Set(source.answers.map(({ block }) => block)).size).toBe(300);
});

test('a headless processor that is frozen is replaced once it has been sent away', {
  timeout: 60_000,
}, async () => {
  const source = new TestSource();
  const server = await serve(source);
  const supervisor = supervise(server, 'auto');
  await until(() => source.joined.size === 1, 'it joins', START_MS);
  const { pid } = supervisor;
  if (pid === undefined) throw new Error('it runs');
  process.kill(pid, 'SIGSTOP');
  for (const { link } of source.joined.values()) link.dismiss('silent', 'no answer');
  source.enqueue(makeBlock(1, 2));
  await until(() => source.answers.length === 1, 'another one computes', START_MS);
  expect(supervisor.pid).not.toBe(pid);
  expect(isAlive(pid)).toBe(false);
});

test('none: nobody is started', async () => {
  const source = new TestSource();
  const supervisor = supervise(await serve(source), 'none');
  await pause(300);
  expect(supervisor.pid).toBeUndefined();
});

test('always: stays beside a page, and ends with the bridge', { timeout: 60_000 }, async () => {
  const source = new TestSource();
  const server = await serve(source);
  const supervisor = supervise(server, 'always');
  await new Client(server).compute(1);
  await until(() => server.processors().length === 2, 'both', START_MS);
  await pause(200);
  expect(server.processors()).toHaveLength(2);
  const { pid } = supervisor;
  await supervisor.stop();
  expect(pid !== undefined && isAlive(pid)).toBe(false);
});

test('auto: another headless processor is as good as a page', { timeout: 60_000 }, async () => {
  const source = new TestSource();
  const server = await serve(source);
  start(server);
  await until(() => server.processors().length === 1, 'the other one', START_MS);
  const supervisor = supervise(server, 'auto');
  await pause(300);
  expect(supervisor.pid).toBeUndefined();
});

test('SIGTERM ends it with status 0', { timeout: 60_000 }, async () => {
  const server = await serve(new TestSource());
  const { child, ended } = start(server, TOKEN, ['ignore', 'ignore', 'pipe']);
  await until(() => server.processors().length === 1, 'it joins', START_MS);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await until(() => server.processors().length === 0, 'it has left');
});

test('a signal to the whole group leaves it to its parent, which has a file in hand', {
  timeout: 60_000,
}, async () => {
  const source = new TestSource();
  const server = await serve(source);
  const { child, ended } = start(server);
  await until(() => server.processors().length === 1, 'it joins', START_MS);
  child.kill('SIGTERM');
  child.kill('SIGINT');
  await pause(300);
  source.enqueue(makeBlock(1, 2));
  await until(() => source.answers.length === 1, 'it still computes');
  child.disconnect();
  expect(await ended).toBe(0);
});

test('it goes when its parent goes', { timeout: 60_000 }, async () => {
  const server = await serve(new TestSource());
  const { child, ended } = start(server);
  await until(() => server.processors().length === 1, 'it joins', START_MS);
  child.disconnect();
  expect(await ended).toBe(0);
});

test('a wrong token ends it with status 1 and one clear line', { timeout: 60_000 }, async () => {
  const server = await serve(new TestSource());
  const { ended, said } = start(server, 'wrong');
  expect(await ended).toBe(1);
  expect(said()).toContain('the bridge refuses: the token is wrong');
  expect(said()).not.toContain('at ');
});

test('without a bridge it says so once and waits', { timeout: 60_000 }, async () => {
  const server = await serve(new TestSource());
  await server.close();
  const { child, ended, said } = start(server);
  await until(() => said().includes('no bridge; trying again'), 'it says so', START_MS);
  await pause(1_500);
  expect(said().match(/no bridge/g)).toHaveLength(1);
  expect(child.exitCode).toBeNull();
  child.disconnect();
  expect(await ended).toBe(0);
});
