/**
 * `npm run bench -- [SECTION…]`: tables of what engines and a chain cost on this machine, beside what others need for
 * the same. Fails when what came out is wrong. `steady`, `kiosk` and `delivery` take minutes and run only when they are named.
 */
import { parseArgs } from 'node:util';
import { startKafka } from '../broker/kafka.ts';
import { Bench } from './bench.ts';
import { benchChain } from './chain.ts';
import { benchDelivery } from './delivery.ts';
import { benchEngine } from './engine-section.ts';
import { benchFeel } from './feel.ts';
import { benchGpu } from './gpu.ts';
import { benchKiosk } from './kiosk.ts';
import { benchLatency } from './latency.ts';
import { benchMemory } from './memory.ts';
import { benchOffline } from './offline.ts';
import { benchProducer } from './producer.ts';
import { comparatorPython } from './python.ts';
import { benchSteady } from './steady.ts';

/** What needs neither broker nor Java, and what does; `scripts/bench.mjs` provides them accordingly. */
const ENGINE_SECTIONS = ['engine', 'gpu', 'steady', 'offline', 'feel', 'kiosk'];
const CHAIN_SECTIONS = ['producer', 'chain', 'latency', 'memory', 'delivery'];
const SECTIONS: readonly string[] = [...ENGINE_SECTIONS, ...CHAIN_SECTIONS];
const DEFAULT_STEADY_FILES = 2000;
const DEFAULT_KIOSK_RESULTS = 20_000;
const DEFAULT_KIOSK_KILLS = 20;
const DEFAULT_LATENCY_FILES = 24;
const DEFAULT_BACKLOG_PAIRS = 100;
const DEFAULT_OFFLINE_PAIRS = 64;

/** @returns exit status */
export async function main(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      files: { type: 'string' },
      pairs: { type: 'string' },
      kills: { type: 'string' },
      software: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((word) => !SECTIONS.includes(word));
  if (unknown.length > 0) {
    console.error(`no such benchmark: ${unknown.join(', ')}; there are ${SECTIONS.join(', ')}`);
    return 2;
  }
  const wants = (section: string): boolean => positionals.length === 0 || positionals.includes(section);
  const files = (otherwise: number): number =>
    values.files === undefined ? otherwise : Number(values.files);
  const pairs = (otherwise: number): number =>
    values.pairs === undefined ? otherwise : Number(values.pairs);
  const problems: string[] = [];
  if (wants('engine')) problems.push(...(await benchEngine()));
  if (wants('gpu')) problems.push(...(await benchGpu(values.software)));
  if (wants('offline')) problems.push(...(await benchOffline(pairs(DEFAULT_OFFLINE_PAIRS))));
  if (positionals.includes('steady')) problems.push(...(await benchSteady(files(DEFAULT_STEADY_FILES))));
  if (positionals.includes('kiosk')) {
    const kills = values.kills === undefined ? DEFAULT_KIOSK_KILLS : Number(values.kills);
    problems.push(...(await benchKiosk(files(DEFAULT_KIOSK_RESULTS), kills)));
  }
  if (wants('feel')) problems.push(...(await benchFeel()));
  for (const problem of problems) console.error(`wrong: ${problem}`);
  if (!CHAIN_SECTIONS.some(wants)) return problems.length === 0 ? 0 : 1;
  const python = wants('chain') || wants('latency') ? await comparatorPython() : undefined;
  const kafka = await startKafka({ version: '3.4.0' });
  try {
    const bench = new Bench(kafka, python);
    if (wants('producer')) await benchProducer(bench);
    if (wants('chain')) await benchChain(bench);
    if (wants('latency')) await benchLatency(bench, files(DEFAULT_LATENCY_FILES));
    if (wants('memory')) await benchMemory(bench, pairs(DEFAULT_BACKLOG_PAIRS));
    if (positionals.includes('delivery')) await benchDelivery(bench);
    for (const problem of bench.problems) console.error(`wrong: ${problem}`);
    if (bench.problems.length === 0) console.log('\neverything that was published is right');
    return bench.problems.length + problems.length === 0 ? 0 : 1;
  } finally {
    await kafka.stop();
  }
}
