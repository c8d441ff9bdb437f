/** The disk of the embedded store is full for a while. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Bridge } from '../e2e/haloscope.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { alarm, filesDone } from './night.ts';
import { newEmbeddedRow } from './row.ts';

const FILES = 6;
const SLICES = 100;
/** Six results and their progress take 750 kB. */
const DISK_BYTES = 450_000;

/** A limit on the size of any file that the process writes stands for the disk: it needs no right to mount one. */
const limitFiles = ({ process: { pid } }: Bridge, limit: number | 'unlimited'): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${limit}:`]);

test('the disk is full, and has room again', async () => {
  const recordings = recordMany(1, FILES, SLICES);
  const row = await newEmbeddedRow();
  const bridge = await row.bridge('--run', 'night', '--settle', '1s');
  await writePairs(row.folder, recordings.slice(0, 2));
  await filesDone(bridge, 2);
  limitFiles(bridge, DISK_BYTES);
  await writePairs(row.folder, recordings.slice(2));
  expect(await alarm(bridge, 'output')).toMatch(/disk|space|full/i);
  expect((await bridge.get('readyz')).status).toBe(503);
  limitFiles(bridge, 'unlimited');
  expect(await row.problems(bridge, { complete: { night: recordings } })).toEqual([]);
});
