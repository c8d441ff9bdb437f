/** Nobody computes: data wait in the log for as long as it takes, and the bridge stays small. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { gaussian } from '../engine/accuracy.ts';
import { keptCommand } from '../e2e/kept.ts';
import { BINS, type Recording } from '../e2e/samples.ts';
import { residentBytes } from './memory.ts';
import { nightOf } from './night.ts';
import { newRow } from './row.ts';

/** An hour at 4.1948 s per pair, but small files: 8 slices instead of 2731. */
const FILES = 858;
const SLICES = 8;
/** Volts. */
const SIGMA = 2e-3;
/** How long the backlog is looked at while it stands: an hour would show nothing else, as no clock runs meanwhile. */
const STANDING_MS = 10_000;
/** One block, one fetch of each partition, and garbage of both. */
const MOST_GROWTH_BYTES = 64e6;
const WORK_OFF_MS = 200_000;

/** Noise only: over so few slices a tone's rounding would show in the bins where the noise happens to be weakest. */
const recordings: readonly Recording[] = Array.from({ length: FILES }, (_, k) => ({
  file: k + 1,
  slices: SLICES,
  i: gaussian(SLICES * BINS, 2 * k, SIGMA),
  q: gaussian(SLICES * BINS, 2 * k + 1, SIGMA),
}));

test('an hour of pairs without a processor', { timeout: 360_000 }, async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await nightOf(row, recordings);
  const bridge = await row.bridge('--processor', 'none');
  const emptyBytes = await residentBytes(bridge.process.pid);
  await night.sendAll();
  await bridge.until('the lag is an hour', ({ lag }) => (lag?.files ?? 0) >= FILES - 1);
  await sleep(STANDING_MS);
  const standingBytes = await residentBytes(bridge.process.pid);
  expect((await bridge.state()).run.filesDone).toBe(0);
  expect(standingBytes - emptyBytes).toBeLessThan(MOST_GROWTH_BYTES);
  const begunMs = performance.now();
  keptCommand('process', bridge.url);
  await bridge.until('all is done', ({ run }) => run.filesDone === FILES, WORK_OFF_MS);
  const seconds = (performance.now() - begunMs) / 1e3;
  process.stdout.write(
    `empty ${(emptyBytes / 1e6).toFixed(0)} MB, an hour standing ${(standingBytes / 1e6).toFixed(0)} MB, ` +
      `worked off in ${seconds.toFixed(0)} s: ${(FILES / seconds).toFixed(0)} files a second\n`,
  );
  expect(await row.problems(bridge, night.outcome)).toEqual([]);
});
