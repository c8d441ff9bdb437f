/** The bridge is stopped by signals: frozen while another one takes over, and asked to end in the middle of a file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { produceWords } from '../e2e/chain.ts';
import type { Bridge } from '../e2e/haloscope.ts';
import { keptCommand, keptFolder } from '../e2e/kept.ts';
import { recordMany, writePairs } from '../e2e/samples.ts';
import { filesDone, sendFiles } from './night.ts';
import { keptProxy, proxiedBrokers } from './proxy.ts';
import { newRow } from './row.ts';

const VERSION = '4.4.0';
const SLICES = 200;
/** As the list says; also the time after which a broker aborts a transaction by itself. */
const FROZEN_MS = 30_000;
/** The contract of SIGTERM. */
const STOP_MS = 10_000;

const recordings = recordMany(1, 8, SLICES);

/** @returns goes on */
function freeze({ process: { pid } }: Bridge): () => void {
  process.kill(pid, 'SIGSTOP');
  const goOn = (): void => void process.kill(pid, 'SIGCONT');
  onTestFinished(goOn);
  return goOn;
}

test('SIGSTOP of the bridge for 30 s, its commit on the way, while a second one starts', async () => {
  const brokers = inject('kafka')[VERSION];
  const proxied = inject('proxied')[VERSION];
  const proxy = await keptProxy(proxied);
  const row = await newRow(brokers, proxiedBrokers(proxied));
  const first = await row.bridge();
  const commit = proxy.holdRequest('EndTxn', { skip: 1 });
  await sendFiles(row, recordings.slice(0, 4));
  await commit.caught;
  const frozenMs = performance.now();
  const goOn = freeze(first);

  const second = await row.bridge('--brokers', brokers);
  await filesDone(second, 4);
  await sleep(FROZEN_MS - (performance.now() - frozenMs));
  // The commit of the one that was frozen comes to the broker after its successor has published the same file.
  commit.release();
  goOn();
  await sendFiles(row, recordings.slice(4, 6));
  await filesDone(second, 6);
  expect((await second.state()).alarms.map(({ code }) => code)).not.toContain('fenced');

  // It goes on as a standby, and is as good as new when it is needed.
  await second.stop('SIGKILL');
  await sendFiles(row, recordings.slice(6));
  expect(await row.problems(first, { complete: { night: recordings } })).toEqual([]);
});

test('SIGTERM of the bridge in the middle of a file', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const first = await row.bridge();
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const producer = keptCommand(...produceWords(row.chain, folder, 'night'), '--pace', '1.5');
  const { current } = await first.until('it is in the middle of a file', (state) => {
    const done = state.current?.slicesDone ?? 0;
    return state.run.filesDone >= 2 && done > 0 && done < SLICES;
  });
  const asked = performance.now();
  expect(await first.stop('SIGTERM')).toBe(0);
  expect(performance.now() - asked).toBeLessThan(STOP_MS);
  // What it had in hand when it was asked is published, so its successor begins behind it.
  const second = await row.bridge();
  const { run } = await second.state();
  expect(run.filesDone).toBeGreaterThanOrEqual(current?.file ?? Infinity);
  expect((await producer.finished()).status).toBe(0);
  expect(await row.problems(second, { complete: { night: recordings } })).toEqual([]);
});
