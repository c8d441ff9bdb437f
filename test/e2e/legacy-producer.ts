/**
 * Messages as the existing producer sends them: no headers, Java's murmur2 over the key, so one file over all
 * partitions; and what can happen to them on the way: partitions that run ahead of each other, and duplicates.
 */
import { Partitioners } from 'kafkajs';
import { uniform } from '../engine/accuracy.ts';
import { quietKafka } from './results.ts';
import { BINS, type Recording } from './samples.ts';

const BYTES_PER_SAMPLE = 4;

export interface LegacyMessage {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Key: file (modulo 65536) and message, 16 bits each, big-endian. Value: n slices of I, then the same n of Q. */
export function legacyMessages({ file, slices, i, q }: Recording, slicesPerMessage: number): LegacyMessage[] {
  const messages: LegacyMessage[] = [];
  for (let first = 0, index = 0; first < slices; first += slicesPerMessage, index++) {
    const last = Math.min(slices, first + slicesPerMessage);
    const key = Buffer.alloc(4);
    key.writeUInt16BE(file % 65_536, 0);
    key.writeUInt16BE(index, 2);
    messages.push({ key, value: Buffer.concat([bytesOf(i, first, last), bytesOf(q, first, last)]) });
  }
  return messages;
}

const bytesOf = (samples: Float32Array<ArrayBuffer>, first: number, last: number): Buffer =>
  Buffer.from(samples.buffer, first * BINS * BYTES_PER_SAMPLE, (last - first) * BINS * BYTES_PER_SAMPLE);

export interface Disorder {
  readonly seed: number;
  /** Share of messages that are sent a second time. */
  readonly duplicates: number;
  /** How many files a partition may be ahead of the slowest. */
  readonly filesAhead: number;
}

/**
 * Sends all messages. The partition is left to murmur2; partitions are served in an order drawn by chance, one message
 * at a time, so that one runs ahead of another; order within a partition stays.
 */
export async function sendLegacy(
  brokers: string,
  topic: string,
  partitions: number,
  messages: readonly LegacyMessage[],
  { seed, duplicates, filesAhead }: Disorder,
): Promise<void> {
  const chance = uniform(seed);
  const partitionOf = murmur2Partitioner(topic, partitions);
  const queues: LegacyMessage[][] = Array.from({ length: partitions }, () => []);
  for (const message of messages) {
    const queue = queues[partitionOf(message.key)] as LegacyMessage[];
    queue.push(message);
    if (chance() < duplicates) queue.push(message);
  }
  const producer = quietKafka(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (;;) {
    const heads = queues.flatMap((queue) => queue.slice(0, 1)).map(fileOf);
    if (heads.length === 0) break;
    const limit = Math.min(...heads) + filesAhead;
    const ready = queues.filter(([head]) => head !== undefined && fileOf(head) <= limit);
    const queue = ready[Math.floor(chance() * ready.length)] as LegacyMessage[];
    await producer.send({ topic, acks: -1, messages: queue.splice(0, 1) });
  }
  await producer.disconnect();
}

const fileOf = ({ key }: LegacyMessage): number => key.readUInt16BE(0);

/** kafkajs's own partitioner, which is Java's; the broker is not asked, as the number of partitions is known. */
export function murmur2Partitioner(topic: string, partitions: number): (key: Buffer) => number {
  const partitioner = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  return (key) => partitioner({ topic, partitionMetadata, message: { key, value: null } });
}
