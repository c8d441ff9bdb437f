/**
 * Latency: from the last acknowledged slice of a file to its result at a read_committed reader, each file sent as a
 * burst every 4.19 s.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openPairs } from './records.ts';
import { ResultReader } from '../e2e/results.ts';
import { Haloscope } from '../e2e/haloscope.ts';
import { type Bench, Chain, type Topics } from './bench.ts';
import { PAIRS, pairsFolder } from './pairs.ts';
import { startPlainChromium } from '../browser/plain-chromium.ts';
import { PYTHON_CLIENTS, startComparator } from './python.ts';
import { printTable, quantile } from './table.ts';

/** A file pair's length: 8193 · 1024 samples at 2 MS/s. */
const PERIOD_MS = (8193 * 1024) / 2000;
const GOAL_P99_MS = 200;
/** The first files find cold caches and a compiler at work; they are sent, and not counted. */
const WARM_UP_FILES = 2;
const LAST_TIMEOUT_MS = 30_000;

export async function benchLatency(bench: Bench, files: number): Promise<void> {
  const rows: (string | number)[][] = [];
  const add = (name: string, goal: number, latencies: readonly number[]): void => {
    rows.push([name, quantile(latencies, 0.5), quantile(latencies, 0.99), goal, latencies.length]);
  };
  add('browser', GOAL_P99_MS, await bridgeLatencies(bench, files, 'browser'));
  add('headless', GOAL_P99_MS, await bridgeLatencies(bench, files, 'headless'));
  if (bench.python !== undefined) {
    for (const client of PYTHON_CLIENTS) {
      const topics = { ...(await bench.newTopics()), topicOut: await bench.newResults() };
      const reader = await new ResultReader(topics.brokers, topics.topicOut).open();
      const comparator = await startComparator(bench.python, client, topics, files + WARM_UP_FILES);
      add(`Python, ${client}`, Number.NaN, await burst(bench, topics, reader, files, 'python'));
      await comparator.stop();
      await reader.close();
    }
  }
  printTable(
    `Last acknowledged slice to result, a burst every ${(PERIOD_MS / 1000).toFixed(2)} s: milliseconds`,
    ['through', 'p50', 'p99', 'goal p99', 'files'],
    rows,
  );
}

async function bridgeLatencies(bench: Bench, files: number, by: 'browser' | 'headless'): Promise<number[]> {
  const topics = await bench.newTopics();
  const chain = await Chain.start(topics, '--processor', 'none');
  const { bridge, reader } = chain;
  const processor =
    by === 'browser' ? await startPlainChromium(bridge.page()) : new Haloscope(['process', bridge.url]);
  await chain.processorSeen();
  const latencies = await burst(bench, topics, reader, files, undefined);
  await processor.stop();
  await chain.stop();
  return latencies;
}

/** Sends file after file on the clock; returns the latency of each but the first few. */
async function burst(
  bench: Bench,
  topics: Topics,
  reader: ResultReader,
  files: number,
  run: string | undefined,
): Promise<number[]> {
  const total = files + WARM_UP_FILES;
  const sender = await openPairs(topics, await pairsFolder());
  const acknowledged: number[] = [];
  const start = performance.now();
  for (let file = 0; file < total; file++) {
    const records = await sender.records(file, file % PAIRS);
    await sleep(Math.max(0, start + file * PERIOD_MS - performance.now()));
    await sender.send(records);
    acknowledged.push(Date.now());
  }
  await sender.close();
  const results = await reader.first(total, LAST_TIMEOUT_MS);
  await bench.check(`latency, ${topics.topicOut}`, results, total, run);
  const seen = new Map(results.map(({ key, seenMs }) => [Number(key.split('/')[1]), seenMs]));
  return acknowledged.map((at, file) => (seen.get(file) ?? Infinity) - at).slice(WARM_UP_FILES);
}
