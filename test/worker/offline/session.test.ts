/** The offline session with real files and a real engine: what is counted, what is named, and what is shown. */
import { expect, test } from 'vitest';
import { createCpuEngine } from '../../../web/engine/cpu.ts';
import { type EngineBlock, EngineError } from '../../../web/engine/engine.ts';
import { MODIFIED_MS } from '../../offline/sources.ts';
import { BINS, entry, failing, newSession, pairEntries, SETTINGS, type Told } from './dropped.ts';

const SLICES = 40;
const last = ({ statuses }: Told) => statuses.at(-1);
const names = (told: Told): string[] => told.measured.map(({ path }) => path);

async function textOf(told: Told, format: 'csv' | 'json', path: string | null = null): Promise<string> {
  const [file] = await told.session.export(format, path);
  return file === undefined ? '' : file.content.text();
}

const numbersOf = async (told: Told, path: string | null = null) =>
  JSON.parse(await textOf(told, 'json', path)) as {
    readonly slices: number;
    readonly files: number;
    readonly power: readonly number[];
    readonly run: string;
    readonly missing: string;
  };

test('what is dropped is judged by name and size, measured once, and added up', async () => {
  const told = newSession();
  const { session } = told;
  session.add({
    entries: [
      ...pairEntries('run404', 2, SLICES),
      ...pairEntries('run404', 1, SLICES),
      entry('run404/duck_i_00003.dat', new Uint8Array(4 * BINS)),
      entry('run404/readme.txt', 'no recording'),
    ],
    problems: [{ code: 'unreadable', path: 'run404/secret', reason: 'no permission' }],
  });
  const survey = await session.survey(SETTINGS);
  expect(survey.rows.map(({ path, status, slices }) => [path, status, slices])).toEqual([
    ['run404/duck_{i,q}_00001.dat', 'new', SLICES],
    ['run404/duck_{i,q}_00002.dat', 'new', SLICES],
  ]);
  expect(survey.problems.map(({ path, code }) => [path, code])).toEqual([
    ['run404/duck_i_00003.dat', 'orphan'],
    ['run404/secret', 'unreadable'],
  ]);
  expect(survey).toMatchObject({ run: 'run404', isFixed: false, ignored: 1, bytes: 2 * SLICES * BINS * 8 });
  expect((await session.pace(SETTINGS)).bytesPerSecond).toBeGreaterThan(0);
  expect(told.measured).toEqual([]);

  await session.start(null, SETTINGS);
  await session.rest();
  expect(last(told)).toMatchObject({
    phase: 'done',
    files: 2,
    slices: 2 * SLICES,
    recordings: { done: 2, all: 2 },
    bytes: { done: survey.bytes, all: survey.bytes },
    missing: 'run404: 3 of 1-3; run404/secret (unreadable)',
    inHand: [],
  });
  expect(await numbersOf(told)).toMatchObject({ run: 'run404', files: 2, slices: 2 * SLICES });

  await session.start(null, SETTINGS);
  await session.rest();
  expect(told.measured).toHaveLength(2);
  const again = await session.survey(SETTINGS);
  expect(again.rows.map(({ status }) => status)).toEqual(['done', 'done']);
  expect(again.isFixed).toBe(true);
});

test('more may be added while others are measured, in whatever order, and gives the same sum', async () => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const told = newSession(undefined, async (options) => {
    const engine = await createCpuEngine({ ...options, workers: 0 });
    const process = engine.process.bind(engine);
    return Object.assign(engine, { process: (block: EngineBlock) => gate.then(() => process(block)) });
  });
  const { session } = told;
  session.add({ entries: [...pairEntries('a', 1, SLICES), ...pairEntries('a', 3, SLICES)], problems: [] });
  await session.start(null, SETTINGS);
  session.add({ entries: pairEntries('a', 2, SLICES), problems: [] });
  await session.start(null, SETTINGS);
  open();
  await session.rest();
  expect(names(told)).toEqual([1, 3, 2].map((file) => `a/duck_{i,q}_0000${file}.dat`));
  expect(last(told)).toMatchObject({ phase: 'done', files: 3, recordings: { done: 3, all: 3 } });

  const whole = newSession();
  whole.session.add({ entries: [1, 2, 3].flatMap((file) => pairEntries('a', file, SLICES)), problems: [] });
  await whole.session.start(null, SETTINGS);
  await whole.session.rest();
  const [one, other] = [await numbersOf(told), await numbersOf(whole)];
  expect(one.slices).toBe(other.slices);
  // Merged in another order: only the rounding of float64 may differ.
  one.power.forEach((power, k) => expect(power / (other.power[k] as number)).toBeCloseTo(1, 12));
});

test('a cancel keeps what is done, and a start goes on with the rest', async () => {
  const told = newSession(({ session, measured }) => {
    if (measured.length === 1) session.cancel();
  });
  const entries = [1, 2, 3, 4, 5, 6].flatMap((file) => pairEntries('a', file, SLICES));
  told.session.add({ entries, problems: [] });
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(last(told)?.phase).toBe('stopped');
  const kept = told.measured.length;
  expect(kept).toBeLessThan(6);
  expect(last(told)).toMatchObject({ files: kept, recordings: { done: kept, all: kept }, inHand: [] });
  expect(last(told)?.missing).toContain('of 1-6');

  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(last(told)).toMatchObject({ phase: 'done', files: 6, missing: '' });
  expect(new Set(names(told)).size).toBe(6);
});

test('files that change, go, or are forbidden while they are read are named, and the others are measured', async () => {
  const told = newSession();
  const [i1, q1] = pairEntries('a', 1, SLICES);
  const [i2, q2] = pairEntries('a', 2, SLICES);
  const [i3, q3] = pairEntries('a', 3, SLICES);
  const good = pairEntries('a', 4, SLICES);
  if (!i1 || !q1 || !i2 || !q2 || !i3 || !q3) throw new Error('a pair is two files');
  told.session.add({
    entries: [
      failing(i1, 'NotReadableError'),
      q1,
      i2,
      failing(q2, 'NotFoundError'),
      failing(i3, 'NotAllowedError'),
      q3,
      ...good,
    ],
    problems: [],
  });
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(told.problems.map(({ path, code }) => [path, code])).toEqual([
    ['a/duck_i_00001.dat', 'changed'],
    ['a/duck_q_00002.dat', 'unreadable'],
    ['a/duck_i_00003.dat', 'unreadable'],
  ]);
  for (const { reason } of told.problems) expect(reason).toMatch(/drop it again/);
  expect(last(told)).toMatchObject({ phase: 'done', files: 1, recordings: { done: 4, all: 4 } });
  const survey = await told.session.survey(SETTINGS);
  expect(survey.problems).toHaveLength(3);
  expect(survey.rows.map(({ status }) => status)).toEqual(['done']);
  // Dropped again, when it can be read.
  told.session.add({ entries: pairEntries('a', 3, SLICES), problems: [] });
  expect(told.problems).toHaveLength(2);
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(last(told)).toMatchObject({ phase: 'done', files: 2, recordings: { done: 1, all: 1 } });
});

test('with a handle the file is looked at anew when its turn comes', async () => {
  const told = newSession();
  const [i, q] = pairEntries('a', 1, SLICES);
  if (!i || !q) throw new Error('a pair is two files');
  const grown = new File([new Uint8Array(8)], 'grown', { lastModified: MODIFIED_MS + 1 });
  const handle = { getFile: async () => grown } as unknown as FileSystemFileHandle;
  told.session.add({ entries: [{ ...i, handle }, q], problems: [] });
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(told.problems).toMatchObject([{ path: 'a/duck_i_00001.dat', code: 'changed' }]);
});

test('a saved result is merged by count with what is measured', async () => {
  const first = newSession();
  first.session.add({ entries: pairEntries('a', 1, SLICES), problems: [] });
  await first.session.start(null, SETTINGS);
  await first.session.rest();
  const json = await textOf(first, 'json');

  const told = newSession();
  told.session.add({
    entries: [entry('saved.json', json), entry('junk.json', '{}'), ...pairEntries('a', 2, 2 * SLICES)],
    problems: [],
  });
  const survey = await told.session.survey(SETTINGS);
  expect(survey.rows.map(({ kind, slices }) => [kind, slices])).toEqual([
    ['saved', SLICES],
    ['pair', 2 * SLICES],
  ]);
  expect(survey.problems).toMatchObject([{ path: 'junk.json', code: 'unsupported' }]);
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(last(told)).toMatchObject({ files: 2, slices: 3 * SLICES });

  const both = newSession();
  both.session.add({
    entries: [...pairEntries('a', 1, SLICES), ...pairEntries('a', 2, 2 * SLICES)],
    problems: [],
  });
  await both.session.start(null, SETTINGS);
  await both.session.rest();
  const [merged, whole] = [await numbersOf(told), await numbersOf(both)];
  merged.power.forEach((power, k) => expect(power / (whole.power[k] as number)).toBeCloseTo(1, 12));
});

test('any file can be looked at, and the newest is followed again', async () => {
  const told = newSession();
  told.session.add({ entries: [1, 2].flatMap((file) => pairEntries('a', file, SLICES)), problems: [] });
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  const [first] = names(told);
  if (first === undefined) throw new Error('nothing was measured');
  await told.session.show(first);
  expect(told.looks.at(-1)).toMatchObject({ trace: 'latest', file: 1, slices: SLICES });
  expect(last(told)?.shown).toBe(first);
  const exported = await numbersOf(told, first);
  const shown = told.looks.at(-1);
  expect(shown?.mean[7]).toBeCloseTo(exported.power[7] as number, 12);
  await told.session.show(null);
  expect(told.looks.at(-1)?.file).toBe(2);
  expect(last(told)?.shown).toBeNull();
  expect(told.rows.map(({ file }) => file)).toEqual([1, 2]);
});

test('the metadata of a pair is a file for each half', async () => {
  const told = newSession();
  told.session.add({ entries: pairEntries('a', 1, SLICES), problems: [] });
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  const files = await told.session.export('sigmf', 'a/duck_{i,q}_00001.dat');
  expect(files.map(({ name }) => name)).toEqual(['duck_i_00001.sigmf-meta', 'duck_q_00001.sigmf-meta']);
});

test('an engine that cannot go on is said; what is done stays, and a start tries again', async () => {
  let isBroken = true;
  const told = newSession(undefined, async (options) => {
    if (isBroken) throw new EngineError('unavailable', 'no engine here');
    return createCpuEngine({ ...options, workers: 0 });
  });
  told.session.add({ entries: pairEntries('a', 1, SLICES), problems: [] });
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(last(told)).toMatchObject({ phase: 'failed', trouble: 'no engine here', files: 0 });
  expect(told.troubles).toEqual(['no engine here']);
  isBroken = false;
  await told.session.start(null, SETTINGS);
  await told.session.rest();
  expect(last(told)).toMatchObject({ phase: 'done', files: 1, trouble: null });
});
