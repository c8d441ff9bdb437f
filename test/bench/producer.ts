/** Producer: seconds per pair, with and without sending, by slices per message; mean ± std. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DiskFolder } from '../../bridge/files/disk-folder.ts';
import { type FilePair } from '../../bridge/files/pairs.ts';
import { pairFileName } from '../../bridge/protocol/pairs.ts';
import { readMessages, slicesOf } from '../../bridge/files/reader.ts';
import {
  DEFAULT_BINS,
  DEFAULT_LO_HZ,
  DEFAULT_SAMPLE_RATE_HZ,
  NOMINAL_SAMPLES_PER_FILE,
} from '../../bridge/protocol/geometry.ts';
import { buildRecord } from '../../bridge/records.ts';
import { Haloscope } from '../e2e/haloscope.ts';
import { quietKafka } from '../e2e/results.ts';
import { type Bench, PARTITIONS, produceWords, RUN, type Topics } from './bench.ts';
import { PAIR_BYTES, PAIRS, pairsFolder } from './pairs.ts';
import { printTable, spreadOf, spreadText } from './table.ts';
import { countCpu } from './usage.ts';

const SLICES_PER_MESSAGE = [1, 10, 20, 30, 40] as const;
const GOAL_SECONDS = 0.5;
const GIGABYTES = (PAIRS * PAIR_BYTES) / 1e9;

export async function benchProducer(bench: Bench): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const slicesPerMessage of SLICES_PER_MESSAGE) {
    const dry = spreadOf(await dryRun(slicesPerMessage));
    const { seconds, cpu } = await send(bench, slicesPerMessage);
    const sent = spreadOf(seconds);
    const perGigabyte = ['producer', 'broker'].map((name) => (cpu.get(name) ?? Number.NaN) / GIGABYTES);
    const rate = PAIR_BYTES / 1e6 / sent.mean;
    rows.push([
      `n = ${slicesPerMessage}`,
      spreadText(dry),
      spreadText(sent),
      GOAL_SECONDS,
      rate,
      ...perGigabyte,
    ]);
  }
  printTable(
    `Producer, ${PAIRS} pairs: seconds per pair, mean ± std (sending: of groups of ${PARTITIONS} side by side)`,
    ['slices/message', 'not sending', 'sending', 'goal', 'MB/s', 'CPU s/GB, producer', 'broker'],
    rows,
  );
}

/** Everything but the network: read the pair, cut it into records, checksum them. */
async function dryRun(slicesPerMessage: number): Promise<number[]> {
  const geometry = { bins: DEFAULT_BINS, sampleRateHz: DEFAULT_SAMPLE_RATE_HZ, loHz: DEFAULT_LO_HZ };
  const start = { utcMs: Date.now(), source: 'given' } as const;
  const folder = await pairsFolder();
  const seconds: number[] = [];
  for (let file = 0; file < PAIRS; file++) {
    const pair: FilePair = {
      folder: new DiskFolder(folder),
      file,
      samples: NOMINAL_SAMPLES_PER_FILE,
      modifiedMs: await modifiedMs(folder, file),
    };
    const since = performance.now();
    const identity = { run: RUN, file: pair.file, slices: slicesOf(pair, DEFAULT_BINS), geometry, start };
    for await (const { index, first, value } of readMessages(pair, DEFAULT_BINS, slicesPerMessage)) {
      buildRecord(identity, index, first, value);
    }
    seconds.push((performance.now() - since) / 1000);
  }
  return seconds;
}

/** The later of the two halves, as the reader compares it at the end. */
async function modifiedMs(folder: string, file: number): Promise<number> {
  const halves = (['i', 'q'] as const).map((channel) => stat(join(folder, pairFileName(channel, file))));
  return Math.max(...(await Promise.all(halves)).map(({ mtimeMs }) => mtimeMs));
}

/** Runs `produce`, and times it by the broker's clock. */
async function send(
  bench: Bench,
  slicesPerMessage: number,
): Promise<{ seconds: number[]; cpu: Map<string, number> }> {
  const topics = await bench.newTopics();
  const words = [...produceWords(topics, await pairsFolder()), '--pace', 'max'];
  const producer = new Haloscope([...words, '--slices-per-message', String(slicesPerMessage)]);
  const cpuSince = countCpu([{ name: 'broker', pid: bench.kafka.pid() ?? Number.NaN }]);
  let used = 0;
  // A process that has ended has no CPU time any more: keep the last that was seen.
  const producerCpu = countCpu([{ name: 'producer', pid: producer.pid }]);
  const timer = setInterval(() => {
    used = Math.max(used, producerCpu().get('producer') ?? 0);
  }, 50);
  const { status, stderr } = await producer.finished();
  clearInterval(timer);
  if (status !== 0) throw new Error(`produce ended with ${status}: ${stderr}`);
  const cpu = cpuSince().set('producer', used);
  const { first, last } = await arrivals(topics);
  if (last.length !== PAIRS) bench.problems.push(`producer: ${last.length} files instead of ${PAIRS}`);
  await bench.deleteTopic(topics.topicIn);
  return { seconds: secondsPerPair(first, last), cpu };
}

/**
 * Seconds per pair for each group of pairs that were sent side by side, one per partition: a pair alone has no time of
 * its own.
 */
function secondsPerPair(firstMs: number, lastMs: readonly number[]): number[] {
  const ends = lastMs.toSorted((a, b) => a - b).filter((_, k) => k % PARTITIONS === PARTITIONS - 1);
  return ends.map((at, k) => (at - (k === 0 ? firstMs : (ends[k - 1] as number))) / 1000 / PARTITIONS);
}

/** Unix milliseconds of the first record of all and of the last record of every file, by the broker's clock. */
async function arrivals({ brokers, topicIn }: Topics): Promise<{ first: number; last: number[] }> {
  const admin = quietKafka(brokers).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topicIn);
  await admin.disconnect();
  const wanted = ends.reduce((sum, { high }) => sum + Number(high), 0);
  const consumer = quietKafka(brokers).consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: topicIn, fromBeginning: true });
  const last = new Map<number, number>();
  let first = Infinity;
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: { messages: Message[] } }): Promise<void> => {
      for (const { key, timestamp } of batch.messages) {
        first = Math.min(first, Number(timestamp));
        const file = key?.readUInt16BE(0) ?? -1;
        last.set(file, Math.max(last.get(file) ?? 0, Number(timestamp)));
      }
      seen += batch.messages.length;
      if (seen >= wanted) resolve();
    };
    consumer.run({ eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return { first, last: [...last.values()] };
}

interface Message {
  readonly key: Buffer | null;
  readonly timestamp: string;
}
