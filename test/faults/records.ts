/** Records of a recording, right ones and such with one thing wrong, and the producer that sends them as they are. */
import { type IHeaders, Partitioners } from 'kafkajs';
import { onTestFinished } from 'vitest';
import { DEFAULT_LO_HZ } from '../../bridge/protocol/geometry.ts';
import { buildRecord, type ChunkRecord } from '../../bridge/records.ts';
import { quietKafka } from '../e2e/results.ts';
import { BINS, type Recording, SAMPLE_RATE_HZ } from '../e2e/samples.ts';

const BYTES_PER_SAMPLE = 4;

/** What goes to Kafka, however wrong. */
export interface RawRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  /** Left to the key where not given. */
  readonly partition?: number;
}

/** `slices` slices of I from `first`, then the same of Q. */
export function valueOf({ i, q }: Recording, first: number, slices: number): Buffer {
  const cut = ({ buffer }: Float32Array<ArrayBuffer>): Buffer =>
    Buffer.from(buffer, first * BINS * BYTES_PER_SAMPLE, slices * BINS * BYTES_PER_SAMPLE);
  return Buffer.concat([cut(i), cut(q)]);
}

/** The messages of a recording as this project's producer writes them. */
export function recordsOf(recording: Recording, run: string, perMessage: number): ChunkRecord[] {
  const geometry = { bins: BINS, sampleRateHz: SAMPLE_RATE_HZ, loHz: DEFAULT_LO_HZ };
  const { file, slices } = recording;
  const start = { utcMs: Date.UTC(2026, 10, 23) + 4195 * file, source: 'given' } as const;
  const records: ChunkRecord[] = [];
  for (let first = 0, message = 0; first < slices; first += perMessage, message++) {
    const value = valueOf(recording, first, Math.min(perMessage, slices - first));
    records.push(buildRecord({ run, file, slices, geometry, start }, message, first, value));
  }
  return records;
}

/** Sends one record after the other; ends with the test. */
export async function keptSender(
  brokers: string,
  topic: string,
): Promise<(records: readonly RawRecord[]) => Promise<void>> {
  const producer = quietKafka(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  return async (records) => {
    for (const record of records) await producer.send({ topic, acks: -1, messages: [record] });
  };
}
