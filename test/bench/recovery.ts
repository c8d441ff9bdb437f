/**
 * How long each kind of fault is felt: files come at a steady pace while a part of the chain is killed, stopped or
 * told to end. Printed is the longest silence between two results until the chain has caught up again, beside the
 * longest one without a fault.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bridge, freePort, Haloscope, serve, until } from '../e2e/haloscope.ts';
import { ResultReader } from '../e2e/results.ts';
import { type Bench, produceWords, type Topics } from './bench.ts';
import { shortFolder } from './pairs.ts';
import { printTable } from './table.ts';

const FILES = 60;
const SLICES = 300;
const PACE_SECONDS = 0.5;
/** The fault falls into a chain that runs. */
const FILES_BEFORE = 12;
const BROKER_STOP_MS = 3_000;
const RESULTS_TIMEOUT_MS = 180_000;

/** A chain under fault: one or two bridges of one group, and processors that know all of them. */
class Stage {
  readonly bench: Bench;
  readonly topics: Topics;
  readonly bridges: Bridge[] = [];
  readonly processors: Haloscope[] = [];
  readonly #group: string;

  constructor(bench: Bench, topics: Topics) {
    this.bench = bench;
    this.topics = topics;
    this.#group = topics.topicOut;
  }

  async addBridge(listen?: string): Promise<Bridge> {
    const { brokers, topicIn, topicOut } = this.topics;
    const names = ['--topic-in', topicIn, '--topic-out', topicOut, '--group', this.#group];
    const words = ['--brokers', brokers, ...names, '--processor', 'none'];
    const bridge = await serve(...words, '--listen', listen ?? `127.0.0.1:${await freePort()}`);
    this.bridges.push(bridge);
    return bridge;
  }

  addProcessor(bridge: Bridge): Haloscope {
    const processor = new Haloscope(['process', bridge.url]);
    this.processors.push(processor);
    return processor;
  }

  /** The same bridge again, where its clients look for it. */
  async again(bridge: Bridge, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await bridge.stop(signal);
    await this.addBridge(new URL(bridge.url).host);
  }

  async end(): Promise<void> {
    const all = [...this.processors, ...this.bridges.map((bridge) => bridge.process)];
    for (const each of all) if (each.isRunning) await each.stop('SIGKILL');
  }
}

interface Fault {
  readonly name: string;
  readonly standby?: boolean;
  act(stage: Stage): Promise<void>;
}

const first = <T>(list: readonly T[]): T => {
  const [item] = list;
  if (item === undefined) throw new Error('nothing there to put a fault on');
  return item;
};

const FAULTS: readonly Fault[] = [
  { name: 'none', act: () => Promise.resolve() },
  {
    name: 'processor: kill -9, another is there',
    act: async ({ processors }) => void (await first(processors).stop('SIGKILL')),
  },
  { name: 'bridge: SIGTERM, started again', act: (stage) => stage.again(first(stage.bridges), 'SIGTERM') },
  { name: 'bridge: kill -9, started again', act: (stage) => stage.again(first(stage.bridges), 'SIGKILL') },
  {
    name: 'bridge: kill -9, a standby takes over',
    standby: true,
    act: async ({ bridges }) => void (await first(bridges).stop('SIGKILL')),
  },
  {
    name: 'bridge: SIGSTOP, a standby takes over',
    standby: true,
    act: ({ bridges }) => {
      process.kill(first(bridges).process.pid, 'SIGSTOP');
      return Promise.resolve();
    },
  },
  { name: 'broker: kill -9, started again', act: ({ bench }) => bench.kafka.restart() },
  {
    name: `broker: SIGSTOP for ${BROKER_STOP_MS / 1000} s`,
    act: async ({ bench }) => {
      bench.kafka.pause();
      await sleep(BROKER_STOP_MS);
      bench.kafka.resume();
    },
  },
];

export async function benchRecovery(bench: Bench): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const fault of FAULTS) {
    const { silenceSeconds, published } = await recover(bench, fault);
    if (published !== FILES) bench.problems.push(`recovery, ${fault.name}: ${published} results of ${FILES}`);
    rows.push([fault.name, silenceSeconds, published]);
  }
  printTable(
    `Recovery: longest silence between results, a file of ${SLICES} slices every ${PACE_SECONDS} s`,
    ['fault', 's', `results of ${FILES}`],
    rows,
  );
}

async function recover(bench: Bench, fault: Fault): Promise<{ silenceSeconds: number; published: number }> {
  const topics = await bench.newTopics();
  const stage = new Stage(bench, topics);
  const bridge = await stage.addBridge();
  await bridge.ready();
  const standby = fault.standby === true ? await stage.addBridge() : bridge;
  stage.addProcessor(bridge);
  stage.addProcessor(standby);
  await bridge.processor();
  const reader = await new ResultReader(topics.brokers, topics.topicOut).open();
  const folder = await shortFolder(FILES, SLICES);
  const producer = new Haloscope([...produceWords(topics, folder), '--pace', String(PACE_SECONDS)]);
  const running = async (): Promise<true | undefined> =>
    reader.all.length >= FILES_BEFORE ? true : undefined;
  await until('the chain runs', running, RESULTS_TIMEOUT_MS);
  const before = reader.all.length;
  await fault.act(stage);
  const results = await reader.first(FILES, RESULTS_TIMEOUT_MS);
  await producer.finished();
  await reader.close();
  await stage.end();
  const times = results.slice(before - 1).map(({ seenMs }) => seenMs);
  const silences = times.slice(1).map((at, k) => at - (times[k] as number));
  const published = new Set(results.map(({ key }) => key)).size;
  return {
    silenceSeconds: Math.max(...silences) / 1000,
    published: published === results.length ? published : -results.length,
  };
}
