/** kill -9 of the bridge in the middle of a file: nothing is lost and nothing is published twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { newChain, produceWords, serveChain } from './chain.ts';
import { fileProblems, runProblems } from './exports.ts';
import { type Bridge, freePort } from './haloscope.ts';
import { keptBridge, keptChromium, keptCommand, keptFolder, keptReader } from './kept.ts';
import { problemsOf } from './results.ts';
import { expectedOf, recordMany, writePairs } from './samples.ts';

const FILES = 8;
const SLICES = 1200;
const KILLS = 3;

/** Waits until a file is partly done, and kills the bridge there. */
async function killInMidFile(bridge: Bridge, filesBefore: number): Promise<void> {
  await bridge.until('the bridge is in the middle of a file', ({ run, current }) => {
    const done = current?.slicesDone ?? 0;
    return run.filesDone >= filesBefore && done > 0 && done < SLICES;
  });
  await bridge.stop('SIGKILL');
}

test('Kafka: killed three times in the middle of a file, with a page that comes back by itself', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(1, FILES, SLICES);
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')['3.4.0']);
  const listen = ['--listen', `127.0.0.1:${await freePort()}`, '--processor', 'none'];
  let bridge = await serveChain(chain, ...listen);
  await openPage(await keptChromium(), bridge.page());
  const reader = await keptReader(chain.brokers, chain.topicOut);
  const producer = keptCommand(...produceWords(chain, folder, 'night'), '--pace', '1.5');

  for (let kill = 0; kill < KILLS; kill++) {
    await killInMidFile(bridge, 2 * kill);
    await sleep(500);
    bridge = await serveChain(chain, ...listen);
  }

  expect((await producer.finished()).status).toBe(0);
  const results = await reader.first(FILES);
  expect(problemsOf(results, recordings.map(expectedOf), 'night')).toEqual([]);
  const state = await bridge.state();
  expect(state.run).toMatchObject({ filesDone: FILES, slicesDone: FILES * SLICES });
});

test('embedded store: killed three times while it reads a folder', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(1, FILES, SLICES);
  await writePairs(folder, recordings);
  const words = ['--folder', folder, '--data', await keptFolder(), '--run', 'night', '--processor', 'always'];
  let bridge = await keptBridge(...words);
  for (let kill = 0; kill < KILLS; kill++) {
    await killInMidFile(bridge, kill);
    bridge = await keptBridge(...words);
  }
  await bridge.until('all files are done', ({ run }) => run.filesDone === FILES);
  expect((await bridge.state()).run).toMatchObject({ name: 'night', slicesDone: FILES * SLICES });
  const expected = recordings.map(expectedOf);
  expect(await fileProblems(bridge, 'night', expected)).toEqual([]);
  expect(await runProblems(bridge, 'night', expected)).toEqual([]);
});
