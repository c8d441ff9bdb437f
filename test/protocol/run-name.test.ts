import { expect, test } from 'vitest';
import {
  givenRunName,
  isGivenRunName,
  isRunName,
  MAX_RUN_NAME_LENGTH,
  nextRunName,
} from '../../bridge/protocol/run-name.ts';

const longest = 'x'.repeat(64);

test.each(['run404', 'a', '0', 'A.b_c-d', '.hidden', '-', longest])(
  'a person may call a run "%s"',
  (name) => {
    expect(isGivenRunName(name)).toBe(true);
    expect(isRunName(name)).toBe(true);
  },
);

test.each([
  '',
  ' ',
  'a b',
  'a/b',
  'ä',
  'a~',
  'a~1',
  'a~02',
  'a~2~2',
  '~2',
  '.',
  '..',
  '...~2',
  `${longest}x`,
  'a\n',
])('nobody may call a run %j', (name) => {
  expect(isGivenRunName(name)).toBe(false);
  expect(isRunName(name)).toBe(false);
});

test('the suffix is kept for the bridge', () => {
  expect(isGivenRunName('a~2')).toBe(false);
  expect(isRunName('a~2')).toBe(true);
  expect(isRunName(`${longest}~999999`)).toBe(true);
  expect(`${longest}~999999`.length).toBe(MAX_RUN_NAME_LENGTH);
  expect(isRunName(`${longest}~1000000`)).toBe(false);
});

test('runs under one name are counted', () => {
  expect(nextRunName('a')).toBe('a~2');
  expect(nextRunName('a~2')).toBe('a~3');
  expect(nextRunName('a~9')).toBe('a~10');
  expect(givenRunName('a~10')).toBe('a');
  expect(givenRunName('a')).toBe('a');
});
