/**
 * Operators while bridges die: a command leaves the old state or the new one, and asked again of whoever comes next it is
 * done once.
 */
import { expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../bridge/protocol/frames.ts';
import type { CommandOutcome, OperatorAction } from '../../bridge/protocol/operator.ts';
import { produceWords } from '../e2e/chain.ts';
import { type Bridge, succeed, TOKEN } from '../e2e/haloscope.ts';
import { keptFolder } from '../e2e/kept.ts';
import { type Recording, recordMany, writePairs } from '../e2e/samples.ts';
import { type Api, type KafkaProxy, keptProxy, proxiedBrokers } from './proxy.ts';
import { newRow, type Row } from './row.ts';

const VERSION = '4.4.0';
const SLICES = 100;
const recordings = recordMany(1, 4, SLICES);
const [before, after] = [recordings.slice(0, 2), recordings.slice(2)];
const ID = 'one-and-the-same-command';
const BEGIN = { kind: 'new-run', name: 'morning' } as const;

/** Asks a bridge; the promise stays open when it dies before it has decided. */
async function ask(bridge: Bridge, action: OperatorAction): Promise<CommandOutcome> {
  const socket = new WebSocket(`${bridge.url.replace(/^http/, 'ws')}ws/view`);
  onTestFinished(() => socket.terminate());
  const say = (message: object): void => socket.send(JSON.stringify(message));
  socket.on('error', () => {});
  socket.on('open', () =>
    say({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      software: 'test',
      role: 'viewer',
      headless: true,
      token: TOKEN,
    }),
  );
  return new Promise((resolve) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(data.toString()) as { type: string; outcome: CommandOutcome };
      if (message.type === 'welcome')
        say({ type: 'command', command: { id: ID, run: 'night', author: 'shift', action } });
      if (message.type === 'decided') resolve(message.outcome);
    });
  });
}

/** All of them are sent under the name that the sender knows. */
async function send(row: Row, files: readonly Recording[]): Promise<void> {
  const folder = await keptFolder();
  await writePairs(folder, files);
  await succeed(...produceWords(row.chain, folder, 'night'), '--pace', 'max');
}

const published = (bridge: Bridge, name: string, files: number) =>
  bridge.until(`${files} files of ${name}`, ({ run }) => run.name === name && run.filesDone === files);

const done = (bridge: Bridge): Promise<unknown> =>
  expect
    .poll(() => ask(bridge, BEGIN), { timeout: 60_000, interval: 500 })
    .toEqual({ outcome: 'done', message: 'began run morning with file 3, after night' });

interface Point {
  readonly name: string;
  readonly where: 'holdRequest' | 'holdResponse';
  readonly api: Api;
  /** The run that the next bridge finds. */
  readonly left: readonly [name: string, files: number];
}

const POINTS: readonly Point[] = [
  { name: 'before the commit', where: 'holdRequest', api: 'EndTxn', left: ['night', 2] },
  { name: 'after the commit', where: 'holdResponse', api: 'EndTxn', left: ['morning', 0] },
];

const freeze = (proxy: KafkaProxy, { where, api }: Point): Promise<void> => proxy[where](api, {}).caught;

test.for(POINTS)('kill −9 of the bridge that decides on a new run, $name', async (point) => {
  const proxied = inject('proxied')[VERSION];
  const proxy = await keptProxy(proxied);
  const row = await newRow(inject('kafka')[VERSION], proxiedBrokers(proxied));
  const first = await row.bridge();
  await send(row, before);
  await published(first, 'night', 2);
  const there = freeze(proxy, point);
  const asked = ask(first, BEGIN);
  await there;
  await first.stop('SIGKILL');

  const second = await row.bridge();
  await published(second, ...point.left);
  await done(second);
  await send(row, after);
  await published(second, 'morning', 2);
  expect(await row.problems(second, { complete: { night: before, morning: after } })).toEqual([]);
  expect((await second.state()).operations).toHaveLength(1);
  void asked;
});

test('a bridge that stands by decides nothing, and goes on with the run when it takes over', async () => {
  const row = await newRow(inject('kafka')[VERSION]);
  const active = await row.bridge();
  await send(row, before);
  await published(active, 'night', 2);
  const standby = await row.bridge();
  await standby.until('it stands by', ({ group }) => group?.role === 'standby');
  expect(await ask(standby, BEGIN)).toMatchObject({ code: 'standby' });
  await done(active);
  await active.stop('SIGKILL');
  await published(standby, 'morning', 0);
  await done(standby);
  await send(row, after);
  await published(standby, 'morning', 2);
  expect(await row.problems(standby, { complete: { night: before, morning: after } })).toEqual([]);
});
