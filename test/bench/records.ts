/** Sends single files as bursts, in this project's form, with the time of the last acknowledgement known. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_BINS, DEFAULT_LO_HZ, DEFAULT_SAMPLE_RATE_HZ } from '../../bridge/protocol/geometry.ts';
import { buildRecord, type ChunkRecord } from '../../bridge/records.ts';
import { quietKafka } from '../e2e/results.ts';
import { BINS, NOMINAL_SLICES } from '../e2e/samples.ts';
import { PARTITIONS, RUN, type Topics } from './bench.ts';

const SLICES_PER_MESSAGE = 40;
const HALF_SLICE_BYTES = BINS * 4;
const GEOMETRY = { bins: DEFAULT_BINS, sampleRateHz: DEFAULT_SAMPLE_RATE_HZ, loHz: DEFAULT_LO_HZ };

export interface Sender {
  /** Records of file number `file`, made of the samples of pair `pair`. */
  records(file: number, pair: number): Promise<FileRecords>;
  /** Resolves when the last of them is acknowledged. */
  send(records: FileRecords): Promise<void>;
  close(): Promise<void>;
}

export interface FileRecords {
  readonly partition: number;
  readonly records: readonly ChunkRecord[];
}

export async function openPairs({ brokers, topicIn }: Topics, folder: string): Promise<Sender> {
  const producer = quietKafka(brokers).producer();
  await producer.connect();
  return {
    records: async (file, pair) => ({
      partition: file % PARTITIONS,
      records: await recordsOf(folder, file, pair),
    }),
    send: async ({ partition, records }) => {
      for (const { key, value, headers } of records)
        await producer.send({
          topic: topicIn,
          messages: [{ key, value, headers: { ...headers }, partition }],
        });
    },
    close: () => producer.disconnect(),
  };
}

async function recordsOf(folder: string, file: number, pair: number): Promise<ChunkRecord[]> {
  const number = String(pair).padStart(5, '0');
  const i = await readFile(join(folder, `duck_i_${number}.dat`));
  const q = await readFile(join(folder, `duck_q_${number}.dat`));
  const start = { utcMs: Date.now(), source: 'given' } as const;
  const identity = { run: RUN, file, slices: NOMINAL_SLICES, geometry: GEOMETRY, start };
  const records: ChunkRecord[] = [];
  for (let first = 0; first < NOMINAL_SLICES; first += SLICES_PER_MESSAGE) {
    const last = Math.min(NOMINAL_SLICES, first + SLICES_PER_MESSAGE);
    const cut = (half: Buffer): Buffer => half.subarray(first * HALF_SLICE_BYTES, last * HALF_SLICE_BYTES);
    const value = Buffer.concat([cut(i), cut(q)]);
    records.push(buildRecord(identity, records.length, first, value));
  }
  return records;
}
