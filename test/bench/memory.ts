/** Memory of the bridge with a backlog: while nobody processes, and while the backlog is worked off. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Haloscope, succeed } from '../e2e/haloscope.ts';
import { type Bench, Chain, produceWords } from './bench.ts';
import { longFolder } from './pairs.ts';
import { printTable } from './table.ts';
import { sampleMb } from './usage.ts';

const GOAL_MB = 300;
/** Long enough for the consumer to fetch all it would ever fetch. */
const IDLE_MS = 20_000;
const RESULTS_TIMEOUT_MS = 300_000;

export async function benchMemory(bench: Bench, pairs: number): Promise<void> {
  const topics = await bench.newTopics();
  await succeed(...produceWords(topics, await longFolder(pairs)), '--pace', 'max');
  const chain = await Chain.start(topics, '--processor', 'none');
  const { pid } = chain.bridge.process;
  const { values: idle } = await sampleMb(pid, sleep(IDLE_MS));
  const processor = new Haloscope(['process', chain.bridge.url]);
  await chain.processorSeen();
  const { values: busy, done } = await sampleMb(pid, chain.reader.first(pairs, RESULTS_TIMEOUT_MS));
  await bench.check('memory', done, pairs);
  await processor.stop();
  await chain.stop();
  await bench.deleteTopic(topics.topicIn);
  const row = (name: string, values: readonly number[]): (string | number)[] => {
    const half = Math.floor(values.length / 2);
    return [
      name,
      values[0] ?? Number.NaN,
      largest(values.slice(0, half)),
      largest(values.slice(half)),
      GOAL_MB,
    ];
  };
  printTable(
    `Bridge with a backlog of ${pairs} pairs: resident MB`,
    ['state', 'first', 'most, 1st half', 'most, 2nd half', 'goal'],
    [row('no processor', idle), row('working it off', busy)],
  );
}

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), 0);
