/** The bridge is stopped by signals: frozen while another one takes over, and asked to end in the middle of a file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Bridge } from '../e2e/haloscope.ts';
import { legacyMessages } from '../e2e/legacy-producer.ts';
import { quietKafka } from '../e2e/results.ts';
import { type Recording, recordMany } from '../e2e/samples.ts';
import { filesDone, sendFiles } from './night.ts';
import { keptProxy, proxiedBrokers } from './proxy.ts';
import { newRow, type Row } from './row.ts';

const VERSION = '4.4.0';
const SLICES = 200;
/** As the list says; also the time after which a broker aborts a transaction by itself. */
const FROZEN_MS = 30_000;
/** A file of 200 slices takes three seconds, well within what a bridge waits for when it is asked to end. */
const SLICES_PER_MESSAGE = 4;
const TRICKLE_MS = 60;
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

/** Sends message after message, as slowly as a DAQ does. */
async function trickle({ chain }: Row, files: readonly Recording[]): Promise<void> {
  const producer = quietKafka(chain.brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (const message of files.flatMap((file) => legacyMessages(file, SLICES_PER_MESSAGE))) {
    await producer.send({ topic: chain.topicIn, messages: [message] });
    await sleep(TRICKLE_MS);
  }
  await producer.disconnect();
}

test('SIGTERM of the bridge in the middle of a file', async () => {
  const row = await newRow(inject('kafka')['3.4.0']);
  const words = ['--run', 'old', '--slices-per-file', String(SLICES)];
  const first = await row.bridge(...words);
  await first.processor();
  const files = recordings.slice(0, 3);
  const sent = trickle(row, files);
  await first.until('it is in the middle of the second file', ({ run, current }) => {
    const done = current?.slicesDone ?? 0;
    return run.filesDone === 1 && done > 0 && done < SLICES / 2;
  });
  const asked = performance.now();
  expect(await first.stop('SIGTERM')).toBe(0);
  expect(performance.now() - asked).toBeLessThan(STOP_MS);
  await sent;
  // What it had in hand when it was asked is published, so its successor begins behind it.
  const second = await row.bridge(...words);
  expect((await second.state()).run.filesDone).toBeGreaterThanOrEqual(2);
  expect(await row.problems(second, { complete: { old: files } })).toEqual([]);
});
