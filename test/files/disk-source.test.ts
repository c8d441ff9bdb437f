import { appendFile, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DiskOptions, findSources } from '../../bridge/files/disk-source.ts';
import { type ByteSource, readAll } from '../../bridge/protocol/source.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'haloscope-disk-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options: DiskOptions = { settleMs: 0, signal: new AbortController().signal };
const AN_HOUR_AGO = new Date(Date.now() - 3_600_000);

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  await utimes(path, AN_HOUR_AGO, AN_HOUR_AGO);
  return path;
}

async function only(path: string, how = options): Promise<ByteSource> {
  const [source] = (await findSources([path], how)).named;
  if (source === undefined) throw new Error(`${path} was not found`);
  return source;
}

test('folders within folders, and files that are named', async () => {
  await mkdir(join(folder, 'a', 'b'), { recursive: true });
  const named = await write('one.cf32', new Uint8Array(8));
  await write('a/two.cf32', new Uint8Array(16));
  await write('a/b/three.cf32', new Uint8Array(24));
  const { found, named: files, problems } = await findSources([join(folder, './a/'), named], options);
  expect(found.map(({ path, bytes }) => [path, bytes])).toEqual([
    [join(folder, 'a/b/three.cf32'), 24],
    [join(folder, 'a/two.cf32'), 16],
  ]);
  expect(files.map(({ path }) => path)).toEqual([named]);
  expect(problems).toEqual([]);
});

test('a path that is not there is an error; a link that leads nowhere, a problem', async () => {
  await expect(findSources([join(folder, 'none')], options)).rejects.toMatchObject({ code: 'unreadable' });
  await symlink(join(folder, 'none'), join(folder, 'link.dat'));
  await symlink(folder, join(folder, 'circle'));
  const { found, problems } = await findSources([folder], options);
  expect(found).toEqual([]);
  expect(problems.map(({ code, file }) => [code, file])).toEqual([['unreadable', join(folder, 'link.dat')]]);
});

test('bytes are those of the file, from anywhere', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, k) => k);
  const source = await only(await write('x', bytes));
  expect(await readAll(source)).toEqual(bytes);
  const open = await source.open();
  const part = new Uint8Array(10);
  await open.read(part, 300);
  expect(part).toEqual(bytes.slice(300, 310));
  await open.close();
});

test('a file that changes while it is read is told', async () => {
  const path = await write('x', new Uint8Array(1000));
  const open = await (await only(path)).open();
  await appendFile(path, 'more');
  await expect(open.checkUnchanged()).rejects.toMatchObject({ code: 'changed' });
  await truncate(path, 500);
  await expect(open.read(new Uint8Array(600), 0)).rejects.toMatchObject({ code: 'changed' });
  await open.close();
});

test('a file that disappears after it was found is told', async () => {
  const path = await write('x', new Uint8Array(10));
  const source = await only(path);
  await rm(path);
  await expect(source.open()).rejects.toMatchObject({ code: 'unreadable', file: path });
});

test('a young file is waited for; if it grows meanwhile it is not used', async () => {
  const young = async (name: string): Promise<ByteSource> => {
    const path = await write(name, new Uint8Array(10));
    await utimes(path, new Date(), new Date());
    return only(path, { ...options, settleMs: 300 });
  };
  const quiet = await young('quiet');
  await (await quiet.open()).close();
  expect(Date.now() - quiet.modifiedMs).toBeGreaterThanOrEqual(295);
  const growing = await young('growing');
  const opening = growing.open();
  await appendFile(growing.path, 'more');
  await expect(opening).rejects.toMatchObject({ code: 'growing' });
});
