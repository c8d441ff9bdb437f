/** Memory of the bridge with a backlog: while nobody processes, and while the backlog is worked off. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Haloscope, succeed } from '../e2e/haloscope.ts';
import { type Bench, Chain, produceWords } from './bench.ts';
import { longFolder } from './pairs.ts';
import { printTable } from './table.ts';
import { residentMb } from './usage.ts';

const GOAL_MB = 300;
/** Long enough for the consumer to fetch all it would ever fetch. */
const IDLE_MS = 20_000;
const SAMPLE_MS = 200;
const RESULTS_TIMEOUT_MS = 300_000;

export async function benchMemory(bench: Bench, pairs: number): Promise<void> {
  const topics = await bench.newTopics();
  await succeed(...produceWords(topics, await longFolder(pairs)), '--pace', 'max');
  const chain = await Chain.start(topics, '--processor', 'none');
  const { pid } = chain.bridge.process;
  const idle = await sample(pid, sleep(IDLE_MS));
  const processor = new Haloscope(['process', chain.bridge.url]);
  await chain.processorSeen();
  const work = chain.reader.first(pairs, RESULTS_TIMEOUT_MS);
  const busy = await sample(pid, work);
  await bench.check('memory', await work, pairs);
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

async function sample(pid: number, until: Promise<unknown>): Promise<number[]> {
  const values: number[] = [];
  const timer = setInterval(() => values.push(residentMb(pid)), SAMPLE_MS);
  await until;
  clearInterval(timer);
  return values;
}
