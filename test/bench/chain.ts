/** Whole chain flat out: 16 pairs already in Kafka, from the moment a processor is there to the last result. */
import { Haloscope } from '../e2e/haloscope.ts';
import { ResultReader } from '../e2e/results.ts';
import { type Bench, Chain } from './bench.ts';
import { PAIR_BYTES, PAIRS, pairsFolder } from './pairs.ts';
import { startPlainChromium } from '../browser/plain-chromium.ts';
import { PYTHON_CLIENTS, type PythonClient, startComparator } from './python.ts';
import { printTable } from './table.ts';
import { countCpu, type Watched } from './usage.ts';

/** Goals of this version on 2 cores, CPU engine, everything on one machine. */
const GOAL_SECONDS = { browser: 0.4, headless: 0.25 } as const;
const RESULTS_TIMEOUT_MS = 120_000;
const GIGABYTES = (PAIRS * PAIR_BYTES) / 1e9;

interface Measured {
  readonly name: string;
  readonly secondsPerPair: number;
  /** Engine time per pair, as the processor reports it. */
  readonly engineMs: number;
  readonly goalSeconds: number;
  readonly cpu: ReadonlyMap<string, number>;
}

export async function benchChain(bench: Bench): Promise<void> {
  const rows = [
    await throughBridge(bench, 'browser', async (bridge) => {
      const chromium = await startPlainChromium(bridge.page());
      return { pid: chromium.pid, stop: () => chromium.stop() };
    }),
    await throughBridge(bench, 'headless', async (bridge) => {
      const processor = new Haloscope(['process', bridge.url]);
      return { pid: processor.pid, stop: async () => void (await processor.stop()) };
    }),
  ];
  if (bench.python !== undefined) {
    for (const client of PYTHON_CLIENTS) rows.push(await throughPython(bench, bench.python, client));
  }
  printChain(rows);
}

async function throughBridge(
  bench: Bench,
  name: 'browser' | 'headless',
  startProcessor: (bridge: Chain['bridge']) => Promise<{ pid: number; stop(): Promise<void> }>,
): Promise<Measured> {
  const chain = await Chain.start(await bench.filled(await pairsFolder()), '--processor', 'none');
  const { bridge, reader } = chain;
  const processor = await startProcessor(bridge);
  const since = await chain.processorSeen();
  const cpuSince = countCpu([...hops(bench, bridge.process.pid), { name, pid: processor.pid }]);
  const results = await reader.first(PAIRS, RESULTS_TIMEOUT_MS);
  const cpu = cpuSince();
  const engineMs = (await bridge.state()).clients[0]?.msPerFile ?? Number.NaN;
  await processor.stop();
  await chain.stop();
  await bench.check(`chain, ${name}`, results, PAIRS);
  const secondsPerPair = secondsBetween(since, results.at(-1)?.seenMs);
  return { name, secondsPerPair, engineMs, goalSeconds: GOAL_SECONDS[name], cpu };
}

async function throughPython(bench: Bench, python: string, client: PythonClient): Promise<Measured> {
  const topics = { ...(await bench.filled(await pairsFolder())), topicOut: await bench.newResults() };
  const reader = await new ResultReader(topics.brokers, topics.topicOut).open();
  const comparator = await startComparator(python, client, topics, PAIRS);
  const since = Date.now();
  const cpuSince = countCpu([
    { name: 'broker', pid: bench.kafka.pid() ?? Number.NaN },
    { name: 'python', pid: comparator.pid },
  ]);
  const results = await reader.first(PAIRS, RESULTS_TIMEOUT_MS);
  const cpu = cpuSince();
  await comparator.stop();
  await reader.close();
  await bench.check(`Python, ${client}`, results, PAIRS, 'python');
  const secondsPerPair = secondsBetween(since, results.at(-1)?.seenMs);
  return { name: `Python, ${client}`, secondsPerPair, engineMs: Number.NaN, goalSeconds: Number.NaN, cpu };
}

const hops = (bench: Bench, bridgePid: number): Watched[] => [
  { name: 'broker', pid: bench.kafka.pid() ?? Number.NaN },
  { name: 'bridge', pid: bridgePid },
];

const secondsBetween = (sinceMs: number, lastMs: number | undefined): number =>
  lastMs === undefined ? Number.NaN : (lastMs - sinceMs) / 1000 / PAIRS;

function printChain(rows: readonly Measured[]): void {
  printTable(
    `Whole chain flat out, ${PAIRS} pairs already in Kafka: seconds per pair`,
    ['through', 's/pair', 'goal', 'MB/s', 'engine ms/pair'],
    rows.map((row) => [
      row.name,
      row.secondsPerPair,
      row.goalSeconds,
      PAIR_BYTES / 1e6 / row.secondsPerPair,
      row.engineMs,
    ]),
  );
  const names = ['broker', 'bridge', 'browser', 'headless', 'python'];
  printTable(
    'CPU seconds per GB of samples, by hop',
    ['through', ...names],
    rows.map((row) => [row.name, ...names.map((name) => (row.cpu.get(name) ?? Number.NaN) / GIGABYTES)]),
  );
}
