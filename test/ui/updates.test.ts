import { expect, test } from 'vitest';
import { Updates } from '../../web/worker/updates.ts';
import { bridgeState, NOW, open, spectrum } from './states.ts';

test('a reader that does not ask gets only the newest of each thing, and every trace', async () => {
  const updates = new Updates();
  updates.connection({ phase: 'connecting' });
  updates.connection(open);
  for (let file = 0; file < 50; file++) {
    updates.spectrum({ spectrum: spectrum({ file, sequence: 2 * file }), arrivedMs: NOW });
    updates.spectrum({ spectrum: spectrum({ file, trace: 'run', sequence: 2 * file + 1 }), arrivedMs: NOW });
    updates.state({ state: bridgeState(), arrivedMs: NOW + file });
  }
  const update = await updates.next();
  expect(update.connection).toBe(open);
  expect(update.state?.arrivedMs).toBe(NOW + 49);
  expect(update.spectra.map(({ spectrum: s }) => [s.trace, s.file])).toEqual([
    ['latest', 49],
    ['run', 49],
  ]);
});

test('of an average that was ended nothing waits', async () => {
  const updates = new Updates();
  for (const trace of ['run', 'latest'] as const)
    updates.spectrum({ spectrum: spectrum({ trace }), arrivedMs: NOW });
  updates.endAverage();
  expect((await updates.next()).spectra.map(({ spectrum: { trace } }) => trace)).toEqual(['latest']);
});

test('a reader that asks waits until something changes, and gets each change once', async () => {
  const updates = new Updates();
  const first = updates.next();
  const report = { description: { kind: 'ts', name: 'x', why: 'y' }, trouble: null } as const;
  updates.engine(report);
  expect(await first).toEqual({ engine: report, spectra: [] });
  let answered = false;
  const second = updates.next().then((update) => {
    answered = true;
    return update;
  });
  await Promise.resolve();
  expect(answered).toBe(false);
  updates.engine({ description: null, trouble: 'gone' });
  expect(await second).toEqual({ engine: { description: null, trouble: 'gone' }, spectra: [] });
});

test('rows of a page that does not ask are all there when it does, and bounded', async () => {
  const updates = new Updates();
  const row = (file: number) => ({
    run: 'run404',
    firstFile: file,
    lastFile: file,
    files: 1,
    slices: 2731,
    slicesExpected: 2731,
    startMs: NOW + file * 4194,
    endMs: NOW + (file + 1) * 4194,
    totalPower: 1,
    mean: new Float32Array(2),
  });
  for (let file = 0; file < 3000; file++) updates.row(row(file));
  const rows = (await updates.next()).rows ?? [];
  expect(rows.length).toBe(1024);
  expect(rows.reduce((sum, { files }) => sum + files, 0)).toBe(3000);
  updates.row(row(3000));
  expect((await updates.next()).rows?.map(({ firstFile }) => firstFile)).toEqual([3000]);
});
