import { expect, test } from 'vitest';
import { Secret } from '../../bridge/config/secret.ts';
import { createLogger } from '../../bridge/logger.ts';

function lines(pretty: boolean, level: 'info' | 'debug' = 'info') {
  const written: string[] = [];
  return { written, log: createLogger(level, pretty, { write: (text) => void written.push(text) }) };
}

test('elsewhere than on a terminal each line is JSON with level and time', () => {
  const { written, log } = lines(false);
  log.warn({ topic: 'chunk_data', partition: 3 }, 'a record was refused');
  log.debug('not shown');
  expect(written).toHaveLength(1);
  const line = JSON.parse(written[0] ?? '') as Record<string, unknown>;
  expect(line).toMatchObject({
    level: 'warn',
    topic: 'chunk_data',
    partition: 3,
    msg: 'a record was refused',
  });
  expect(new Date(String(line['time'])).toISOString()).toBe(line['time']);
});

test('on a terminal each line is for people, with the cause of an error', () => {
  const { written, log } = lines(true, 'debug');
  log.info({ pairs: 3, name: 'x' }, 'sending');
  log.error({ err: new Error('no broker') }, 'cannot send');
  log.debug('shown');
  expect(written[0]).toMatch(/^\d\d:\d\d:\d\d info {2}sending pairs=3 name=x\n$/);
  expect(written[1]).toMatch(/^\d\d:\d\d:\d\d error cannot send: no broker\n$/);
  expect(written[2]).toMatch(/ debug shown\n$/);
});

test('a secret among the fields stays one', () => {
  for (const pretty of [true, false]) {
    const { written, log } = lines(pretty);
    log.info({ connection: { sasl: { password: new Secret('hush') } } }, 'connecting');
    expect(written.join('')).toContain('[secret]');
    expect(written.join('')).not.toContain('hush');
  }
});

test('nothing that a sender or client has written moves the cursor, or begins a line', () => {
  const { written, log } = lines(true);
  log.warn({ client: 'c1\u001b[2J' }, 'engine \u009b31m\nforged \u2028 line\u007f');
  expect(written).toHaveLength(1);
  expect(written[0]).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}](?!$)/u);
  expect(written[0]).toContain('engine \\u009b31m\\u000aforged');
});
