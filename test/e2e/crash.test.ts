/** kill -9 of the bridge in the middle of a file: nothing is lost and nothing is published twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { TONE_TOLERANCE } from '../engine/accuracy.ts';
import { newChain, produceWords, serveChain } from './chain.ts';
import { type Bridge, freePort } from './haloscope.ts';
import { keptBridge, keptChromium, keptCommand, keptFolder, keptReader } from './kept.ts';
import { problemsOf, relativeError } from './results.ts';
import { type Expected, expectedOf, recordMany, writePairs } from './samples.ts';

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

interface ExportedFile {
  readonly power: readonly number[];
  readonly std: readonly number[];
  readonly count: number;
}

/** What the bridge serves of a run, against the reference: every file, and the average over all of them. */
async function embeddedProblems(
  bridge: Bridge,
  run: string,
  expected: readonly Expected[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const each of expected) {
    const response = await bridge.get(`api/runs/${run}/files/${each.file}.json`);
    if (response.status !== 200) problems.push(`file ${each.file}: status ${response.status}`);
    else problems.push(...exportProblems(`file ${each.file}`, (await response.json()) as ExportedFile, each));
  }
  const all = (await (await bridge.get(`api/runs/${run}/spectrum.json`)).json()) as ExportedFile;
  return [...problems, ...exportProblems('run', all, averageOf(expected))];
}

function exportProblems(what: string, actual: ExportedFile, expected: Omit<Expected, 'file'>): string[] {
  const problems: string[] = [];
  // A file that was published twice would be in the run-wide average twice.
  if (actual.count !== expected.count)
    problems.push(`${what}: ${actual.count} slices, not ${expected.count}`);
  const worst = (got: readonly number[], want: Float64Array): number =>
    want.reduce((most, value, bin) => Math.max(most, relativeError(got[bin], value)), 0);
  const mean = worst(actual.power, expected.mean);
  const std = worst(actual.std, expected.std);
  if (!(mean <= TONE_TOLERANCE.mean)) problems.push(`${what}: power off by ${mean}, relative`);
  if (!(std <= TONE_TOLERANCE.std)) problems.push(`${what}: std off by ${std}, relative`);
  return problems;
}

/** Mean and sample standard deviation over all slices of all files, from those of each file. */
function averageOf(files: readonly Expected[]): Omit<Expected, 'file'> {
  const count = files.reduce((sum, file) => sum + file.count, 0);
  const bins = files[0]?.mean.length ?? 0;
  const mean = new Float64Array(bins);
  const std = new Float64Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const at = (of: Float64Array): number => of[bin] as number;
    mean[bin] = files.reduce((sum, file) => sum + file.count * at(file.mean), 0) / count;
    const spread = files.reduce(
      (sum, file) =>
        sum + (file.count - 1) * at(file.std) ** 2 + file.count * (at(file.mean) - at(mean)) ** 2,
      0,
    );
    std[bin] = Math.sqrt(spread / (count - 1));
  }
  return { count, mean, std };
}

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
  expect(await embeddedProblems(bridge, 'night', recordings.map(expectedOf))).toEqual([]);
});
