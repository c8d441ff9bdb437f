/** A recording that is in the sum is known again, and no other is taken for it. */
import { expect, test } from 'vitest';
import { DoneFiles } from '../../../web/offline/browser/done-files.ts';

const file = (path: string, bytes = 8, modifiedMs = 1) => ({ path, bytes, modifiedMs });

test('known again under the same path, from the folder around it, and by itself', () => {
  const done = new DoneFiles();
  done.add(file('run404/duck_{i,q}_00001.dat'));
  for (const path of [
    'run404/duck_{i,q}_00001.dat',
    'disk/run404/duck_{i,q}_00001.dat',
    'duck_{i,q}_00001.dat',
  ])
    expect(done.has(file(path)), path).toBe(true);
});

test('another folder, size, time or name is another file', () => {
  const done = new DoneFiles();
  done.add(file('a/x.cf32'));
  expect(done.has(file('b/x.cf32'))).toBe(false);
  expect(done.has(file('a/x.cf32', 16))).toBe(false);
  expect(done.has(file('a/x.cf32', 8, 2))).toBe(false);
  expect(done.has(file('a/yx.cf32'))).toBe(false);
  expect(done.has(file('za/x.cf32'))).toBe(false);
});

test('two folders with files of the same name, size and time are both known', () => {
  const done = new DoneFiles();
  done.add(file('a/x.cf32'));
  done.add(file('b/x.cf32'));
  expect(done.has(file('a/x.cf32'))).toBe(true);
  expect(done.has(file('b/x.cf32'))).toBe(true);
  expect(done.has(file('c/x.cf32'))).toBe(false);
});
