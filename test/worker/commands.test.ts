/** Commands on their way: asked again over every connection under one id, until one bridge decides. */
import { expect, test } from 'vitest';
import type { ClientMessage } from '../../bridge/protocol/control.ts';
import { Commands } from '../../web/worker/commands.ts';

const reset = { run: 'run1', author: '', action: { kind: 'reset' } } as const;
const done = { outcome: 'done', message: 'reset' } as const;

/** A connection that keeps the ids that were asked of it. */
function connection(): { readonly ids: string[]; readonly send: (message: ClientMessage) => void } {
  const ids: string[] = [];
  return { ids, send: (message) => ids.push(message.type === 'command' ? message.command.id : message.type) };
}

test('a command waits for a bridge, and is asked again of the next one under its id', async () => {
  const commands = new Commands();
  const outcome = commands.add(reset);
  const [first, second] = [connection(), connection()];
  commands.attach(first.send);
  commands.detach();
  commands.attach(second.send);
  expect(first.ids).toHaveLength(1);
  expect(second.ids).toEqual(first.ids);
  commands.decided(second.ids[0] ?? '', done);
  expect(await outcome).toEqual(done);
  const third = connection();
  commands.attach(third.send);
  expect(third.ids).toEqual([]);
});

test('two clicks are two commands', () => {
  const commands = new Commands();
  const { ids, send } = connection();
  commands.attach(send);
  void commands.add(reset);
  void commands.add(reset);
  expect(new Set(ids).size).toBe(2);
  expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  commands.stop();
});

test('a bridge that cannot decide now is asked again; one that refuses has decided', async () => {
  const commands = new Commands({ giveUpMs: 60_000, againMs: 1 });
  const { ids, send } = connection();
  commands.attach(send);
  const outcome = commands.add(reset);
  const id = ids[0] ?? '';
  commands.decided(id, { outcome: 'refused', code: 'unavailable', message: 'the broker is away' });
  await expect.poll(() => ids).toEqual([id, id]);
  const refusal = { outcome: 'refused', code: 'other-run', message: 'no' } as const;
  commands.decided(id, refusal);
  expect(await outcome).toEqual(refusal);
});

test('a command that nobody decides is given up, and says what was heard last', async () => {
  const commands = new Commands({ giveUpMs: 20, againMs: 1_000 });
  const { ids, send } = connection();
  commands.attach(send);
  const outcome = commands.add(reset);
  commands.decided(ids[0] ?? '', { outcome: 'refused', code: 'standby', message: 'stands by' });
  expect(await outcome).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('(stands by)'),
  });
  commands.decided(ids[0] ?? '', done);
});
