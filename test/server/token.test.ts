import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Secret } from '../../bridge/config/secret.ts';
import { isToken, loadToken } from '../../bridge/server/token.ts';
import { temporaryFolder } from './harness.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('a token that is given is used, and not written down', () => {
  const folder = join(temporaryFolder(), 'data');
  expect(loadToken(folder, new Secret('given')).reveal()).toBe('given');
  expect(() => statSync(folder)).toThrow();
});

test('a token is made once, for its owner only, and found again', () => {
  const folder = join(temporaryFolder(), 'data');
  const first = loadToken(folder, null);
  expect(first.reveal()).toMatch(/^[A-Za-z0-9_-]{32}$/);
  expect(readFileSync(join(folder, 'token'), 'utf8')).toBe(`${first.reveal()}\n`);
  expect(modeOf(join(folder, 'token'))).toBe(0o600);
  expect(loadToken(folder, null).reveal()).toBe(first.reveal());
  expect(loadToken(join(temporaryFolder(), 'other'), null).reveal()).not.toBe(first.reveal());
});

test('a token that everybody could read is closed, an empty one is made anew', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'token');
  writeFileSync(path, 'mine\n', { mode: 0o644 });
  expect(loadToken(folder, null).reveal()).toBe('mine');
  expect(modeOf(path)).toBe(0o600);
  writeFileSync(path, '\n');
  expect(loadToken(folder, null).reveal()).toMatch(/^[A-Za-z0-9_-]{32}$/);
});

test('only the same token is the token', () => {
  const token = new Secret('abc');
  expect(isToken(token, 'abc')).toBe(true);
  for (const wrong of ['', 'ab', 'abcd', 'ABC', 'abd']) expect(isToken(token, wrong), wrong).toBe(false);
});
