/**
 * Delivery: how the work spreads over several processors, what a transaction costs, how long each kind of fault is
 * felt, and the bridge's memory through an hour of backlog while a hundred viewers watch.
 */
import type { Bridge } from '../e2e/haloscope.ts';
import { freePort, Haloscope, succeed } from '../e2e/haloscope.ts';
import { type Bench, Chain, produceWords, type Topics } from './bench.ts';
import { PAIRS, pairsFolder, shortFolder } from './pairs.ts';
import { benchRecovery } from './recovery.ts';
import { printTable } from './table.ts';
import { sampleMb } from './usage.ts';
import { openViewers } from './viewers.ts';

const PROCESSORS = [1, 2, 4];
const RESULTS_TIMEOUT_MS = 240_000;
/** An hour of the experiment, in files; each is a hundredth as long as a real one, so that an hour takes a minute. */
const HOUR_FILES = 858;
export const SHORT_SLICES = 27;
const VIEWERS = 100;
const STALLED = 5;
const GOAL_MB = 300;

export async function benchDelivery(bench: Bench): Promise<void> {
  await benchProcessors(bench);
  await benchRecovery(bench);
  await benchCrowd(bench);
}

async function benchProcessors(bench: Bench): Promise<void> {
  const topics = await bench.filled(await pairsFolder());
  const rows: number[][] = [];
  for (const processors of PROCESSORS) rows.push(await withProcessors(bench, topics, processors));
  printTable(
    `Several headless processors on this machine, ${PAIRS} pairs already in Kafka`,
    ['processors', 's/pair', 'times one', 'most of the blocks', 'least', 'transaction ms'],
    rows.map((row) => [row[0] ?? 0, row[1] ?? 0, (rows[0]?.[1] ?? 0) / (row[1] ?? 1), ...row.slice(2)]),
  );
}

async function withProcessors(bench: Bench, topics: Topics, processors: number): Promise<number[]> {
  const listen = `127.0.0.1:${await freePort()}`;
  // They wait for the bridge, so that all of them are there when the data begin.
  const working = Array.from({ length: processors }, () => new Haloscope(['process', `http://${listen}/`]));
  const chain = await Chain.start(topics, '--processor', 'none', '--listen', listen);
  const sinceMs = await chain.processorSeen();
  const results = await chain.reader.first(PAIRS, RESULTS_TIMEOUT_MS);
  const blocks = (await chain.bridge.state()).clients.map(({ blocksDone }) => blocksDone);
  const transactionMs = await transactionCost(chain.bridge);
  for (const each of working) await each.stop();
  await chain.stop();
  await bench.check(`${processors} processors`, results, PAIRS);
  const seconds = ((results.at(-1)?.seenMs ?? Number.NaN) - sinceMs) / 1000 / PAIRS;
  const total = blocks.reduce((sum, each) => sum + each, 0);
  return [processors, seconds, Math.max(...blocks) / total, Math.min(...blocks) / total, transactionMs];
}

/** Mean of `haloscope_publish_seconds` so far, in milliseconds. */
async function transactionCost(bridge: Bridge): Promise<number> {
  const text = await (await bridge.get('metrics')).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return (1000 * value('haloscope_publish_seconds_sum')) / value('haloscope_publish_seconds_count');
}

async function benchCrowd(bench: Bench): Promise<void> {
  const topics = await bench.newTopics();
  const folder = await shortFolder(HOUR_FILES, SHORT_SLICES);
  await succeed(...produceWords(topics, folder), '--pace', 'max');
  const chain = await Chain.start(topics, '--processor', 'none');
  const { bridge, reader } = chain;
  const crowd = await openViewers(bridge.url, VIEWERS, STALLED);
  const processor = new Haloscope(['process', bridge.url]);
  const sinceMs = await chain.processorSeen();
  const { values, done } = await sampleMb(bridge.process.pid, reader.first(HOUR_FILES, RESULTS_TIMEOUT_MS));
  const seconds = ((done.at(-1)?.seenMs ?? Number.NaN) - sinceMs) / 1000;
  const seen = crowd.spectra();
  crowd.close();
  await processor.stop();
  await chain.stop();
  const files = new Set(done.map(({ key }) => key)).size;
  if (files !== HOUR_FILES || done.length !== HOUR_FILES)
    bench.problems.push(`hour of backlog: ${done.length} results of ${files} files, not ${HOUR_FILES}`);
  const half = Math.floor(values.length / 2);
  printTable(
    `An hour of backlog (${HOUR_FILES} files of ${SHORT_SLICES} slices), ${VIEWERS} viewers, ${STALLED} of them stalled`,
    ['s', 'files/s', 'spectra per viewer and s', 'MB, 1st half', 'MB, 2nd half', 'goal'],
    [
      [
        seconds,
        HOUR_FILES / seconds,
        seen / (VIEWERS - STALLED) / seconds,
        Math.max(...values.slice(0, half)),
        Math.max(...values.slice(half)),
        GOAL_MB,
      ],
    ],
  );
}
