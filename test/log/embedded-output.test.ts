/** The embedded output: the contract, one process at a time, and a full disk. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { expect, onTestFinished, test } from 'vitest';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { outputContract } from './contract.ts';
import { startPublishing } from './publishing-child.ts';

/** A few dozen results of 100 kB. */
const DISK_BYTES = 4 * 1024 * 1024;

async function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'haloscope-store-'));
}

/** Reads the store without the output's help. */
async function keysOf(directory: string): Promise<string[]> {
  const root = open({ path: directory, noSubdir: false });
  const results = root.openDB<unknown, [string, number]>({ name: 'results' });
  const keys = [...results.getKeys()].map(([run, file]) => `${run}/${file}`);
  await root.close();
  return keys;
}

outputContract('embedded', async () => {
  const directory = await temporary();
  return {
    create: () => new LmdbOutput({ directory }),
    committed: () => keysOf(directory),
    target: { kind: 'embedded', directory },
    partitions: 1,
    close: () => rm(directory, { recursive: true }),
  };
});

test('another process is kept out with the name of the owner, until the owner dies by kill -9', async () => {
  const directory = await temporary();
  onTestFinished(() => rm(directory, { recursive: true }));
  const child = await startPublishing({ kind: 'embedded', directory });
  await child.firstPublish;
  const output = new LmdbOutput({ directory });
  await expect(output.acquire()).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining(`process ${child.pid}`),
  });
  const acknowledged = await child.kill();
  expect(Number(await output.acquire())).toBeGreaterThanOrEqual(acknowledged);
  await output.release();
});

test('a full disk is named, and takes nothing of what was published', async () => {
  const directory = await temporary();
  onTestFinished(() => rm(directory, { recursive: true }));
  const child = await startPublishing({ kind: 'embedded', directory }, DISK_BYTES);
  expect(await child.error).toBe('disk-full');
  const acknowledged = await child.kill();
  expect(acknowledged).toBeGreaterThan(5);
  const output = new LmdbOutput({ directory });
  const files = Number(await output.acquire());
  expect(files).toBe(acknowledged);
  expect(await keysOf(directory)).toHaveLength(files);
  // With space again it goes on.
  await output.publish(
    [{ run: 'child', file: files, value: Buffer.alloc(10), headers: {} }],
    Buffer.from('on'),
  );
  expect(await output.read('child', files)).not.toBeNull();
  await output.release();
});
