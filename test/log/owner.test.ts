/** Who owns the embedded store: alive, dead, and a number that was given to another process since. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive, thisProcess } from '../../bridge/log/embedded/owner.ts';

test('this process lives', () => {
  expect(isAlive(thisProcess())).toBe(true);
});

test('a process is dead after kill -9', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const owner = { pid: child.pid as number, started: '' };
  expect(isAlive(owner)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(owner)).toBe(false);
});

test('the same number with another start is another process', () => {
  const me = thisProcess();
  // Where the system tells no start, the number has to do.
  expect(isAlive({ ...me, started: 'another boot 1' })).toBe(me.started === '');
});
