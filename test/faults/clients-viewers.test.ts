/** Any number of viewers, stalled and slow ones among them, cost a processor nothing and the bridge next to nothing. */
import { expect, inject, test } from 'vitest';
import { produceWords } from '../e2e/chain.ts';
import { type Bridge, succeed, until } from '../e2e/haloscope.ts';
import { keptFolder } from '../e2e/kept.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { residentBytes } from './memory.ts';
import { processors } from './night.ts';
import { keptSlowed } from './processors.ts';
import { newRow } from './row.ts';
import { keptViewers, type Viewer } from './viewers.ts';

const VIEWERS = 100;
const STALLED = 5;
const PAIRS = 6;
const SLICES = 320;
/** The processor sleeps for so long per pair, so what slows it down is the bridge and not this machine. */
const PAIR_MS = 1_000;
/** Time with viewers over time without: 1, and room for a busy machine. */
const MOST_SLOWER = 1.5;
/** Sockets, their buffers, and garbage of 100 encoded spectra of 25 KB, ten times a second. */
const MOST_GROWTH_BYTES = 120e6;
const LONG_MS = 60_000;

const recordings = recordMany(1, PAIRS, SLICES);

async function workOff(bridge: Bridge, run: string): Promise<number> {
  const processor = await keptSlowed(bridge, (slices) => (slices / SLICES) * PAIR_MS);
  const isDone = (state: { run: { name: string; filesDone: number } }): boolean =>
    state.run.name === run && state.run.filesDone === PAIRS;
  await bridge.until(`${run} is done`, isDone);
  await processor.stop();
  await processors(bridge, 0);
  return processor.endedMs - processor.begunMs;
}

/** Whether a viewer shows what was published last. */
async function showsLast(bridge: Bridge): Promise<(viewer: Viewer) => boolean> {
  const { run, latest } = await bridge.state();
  return ({ shown }) => shown.get('latest')?.run === run.name && shown.get('latest')?.file === latest?.file;
}

const untilAll = (
  what: string,
  viewers: readonly Viewer[],
  isSo: (viewer: Viewer) => boolean,
): Promise<true> =>
  until(what, () => Promise.resolve(viewers.every(isSo) ? (true as const) : undefined), LONG_MS);

test('a hundred viewers, five of them stalled', async () => {
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(inject('kafka')['4.4.0']);
  const bridge = await row.bridge('--processor', 'none');
  const send = (run: string) => succeed(...produceWords(row.chain, folder, run), '--pace', 'max');

  await send('unwatched');
  const unwatchedMs = await workOff(bridge, 'unwatched');
  const unwatchedBytes = await residentBytes(bridge.process.pid);

  const viewers = await keptViewers(bridge, VIEWERS);
  await untilAll('all see the first run', viewers, await showsLast(bridge));
  const stalled = viewers.slice(0, STALLED);
  for (const viewer of stalled) viewer.stall();
  const spectraBefore = stalled.map(({ spectra }) => spectra);
  await send('watched');
  const watchedMs = await workOff(bridge, 'watched');
  const watchedBytes = await residentBytes(bridge.process.pid);
  process.stdout.write(
    `unwatched: ${(unwatchedMs / PAIRS).toFixed(0)} ms per pair, ${(unwatchedBytes / 1e6).toFixed(0)} MB; ` +
      `watched by ${VIEWERS}: ${(watchedMs / PAIRS).toFixed(0)} ms, ${(watchedBytes / 1e6).toFixed(0)} MB\n`,
  );
  expect(watchedMs).toBeLessThan(MOST_SLOWER * unwatchedMs);
  expect(watchedBytes - unwatchedBytes).toBeLessThan(MOST_GROWTH_BYTES);

  const isLast = await showsLast(bridge);
  await untilAll('all that read have the latest', viewers.slice(STALLED), isLast);
  for (const [k, viewer] of stalled.entries()) {
    expect(viewer.spectra).toBe(spectraBefore[k]);
    viewer.resume();
  }
  await untilAll('those that stalled have it, too', stalled, isLast);
  // Two that were on their way, and the newest of three traces; the others, dozens, were skipped.
  for (const [k, { spectra }] of stalled.entries())
    expect(spectra - (spectraBefore[k] ?? 0)).toBeLessThanOrEqual(5);
  const outcome = { complete: { unwatched: recordings, watched: recordings } };
  expect(await row.problems(bridge, outcome)).toEqual([]);
});

test('a viewer that takes a second for each spectrum sees fewer of them, and the latest in the end', async () => {
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(inject('kafka')['3.4.0']);
  const bridge = await row.bridge('--processor', 'none');
  const [slow] = await keptViewers(bridge, 1, 1_000);
  const [quick] = await keptViewers(bridge, 1);
  if (slow === undefined || quick === undefined) throw new Error('no viewers');
  await succeed(...produceWords(row.chain, folder, 'night'), '--pace', 'max');
  await workOff(bridge, 'night');
  await untilAll('both have the latest', [slow, quick], await showsLast(bridge));
  expect(slow.spectra).toBeLessThan(quick.spectra);
  expect(await row.problems(bridge, { complete: { night: recordings } })).toEqual([]);
});
