/**
 * `npm run bench -- [engine] [producer] [chain] [latency] [memory]`: tables of what a chain costs on this machine, beside
 * what two short Python programs need for the same. Fails when what was published is wrong.
 */
import { parseArgs } from 'node:util';
import { startKafka } from '../broker/kafka.ts';
import { Bench } from './bench.ts';
import { benchChain } from './chain.ts';
import { benchEngine } from './engine-section.ts';
import { benchLatency } from './latency.ts';
import { benchMemory } from './memory.ts';
import { benchProducer } from './producer.ts';
import { comparatorPython } from './python.ts';

const SECTIONS = ['engine', 'producer', 'chain', 'latency', 'memory'] as const;
const DEFAULT_LATENCY_FILES = 24;
const DEFAULT_BACKLOG_PAIRS = 100;

/** @returns exit status */
export async function main(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      files: { type: 'string', default: String(DEFAULT_LATENCY_FILES) },
      pairs: { type: 'string', default: String(DEFAULT_BACKLOG_PAIRS) },
    },
  });
  const unknown = positionals.filter((word) => !SECTIONS.some((section) => section === word));
  if (unknown.length > 0) {
    console.error(`no such benchmark: ${unknown.join(', ')}; there are ${SECTIONS.join(', ')}`);
    return 2;
  }
  const wants = (section: string): boolean => positionals.length === 0 || positionals.includes(section);
  if (wants('engine')) await benchEngine();
  if (positionals.length === 1 && wants('engine')) return 0;
  const python = wants('chain') || wants('latency') ? await comparatorPython() : undefined;
  const kafka = await startKafka({ version: '3.4.0' });
  try {
    const bench = new Bench(kafka, python);
    if (wants('producer')) await benchProducer(bench);
    if (wants('chain')) await benchChain(bench);
    if (wants('latency')) await benchLatency(bench, Number(values.files));
    if (wants('memory')) await benchMemory(bench, Number(values.pairs));
    for (const problem of bench.problems) console.error(`wrong: ${problem}`);
    if (bench.problems.length === 0) console.log('\neverything that was published is right');
    return bench.problems.length === 0 ? 0 : 1;
  } finally {
    await kafka.stop();
  }
}
