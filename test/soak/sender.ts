/** A sender that knows no order: files in shuffled messages, many twice, and messages that are nothing at all. */
import { type Kafka, Partitioners } from 'kafkajs';
import { buildRecord, type ChunkRecord } from '../../bridge/records.ts';
import { quietKafka } from '../e2e/results.ts';
import { BINS, type Recording, record, SAMPLE_RATE_HZ } from '../e2e/samples.ts';
import type { Random } from './random.ts';

const PARTITIONS = 4;
const SLICES = 40;
const PER_MESSAGE = 7;
const LO_HZ = 10.353e9;
/** The share of messages that comes twice. */
const TWICE = 0.4;

export class ShuffledSender {
  readonly #kafka: Kafka;
  readonly #topic: string;
  /** Files that can never be completed, by run. */
  readonly incomplete: Record<string, readonly number[]> = {};
  /** What was sent in whole, under the run `shuffled`. */
  readonly recordings: Recording[] = [];

  constructor(brokers: string, topic: string) {
    this.#kafka = quietKafka(brokers);
    this.#topic = topic;
  }

  /** A whole file, its messages in any order over all partitions. */
  async file(random: Random): Promise<void> {
    const recording = record(this.recordings.length + 1, SLICES);
    const messages = messagesOf(recording, 'shuffled');
    const twice = messages.filter(() => random.next() < TWICE);
    await this.#send(random.shuffled([...messages, ...twice]), random);
    this.recordings.push(recording);
  }

  /** File 1 of the run `holes`, without its second message. */
  async hole(random: Random): Promise<void> {
    await this.#send(
      messagesOf(record(1, SLICES), 'holes').filter((_, at) => at !== 1),
      random,
    );
    this.incomplete['holes'] = [1];
  }

  /** Messages that no bridge can use, made of one that it could. */
  async rubbish(random: Random): Promise<void> {
    const [whole] = messagesOf(record(1, PER_MESSAGE), 'rubbish');
    if (whole === undefined) throw new Error('expected a message');
    const { key, value, headers } = whole;
    await this.#send(
      [
        { ...whole, key: key.subarray(1) },
        { ...whole, value: value.subarray(3) },
        { ...whole, value: Buffer.alloc(0) },
        { ...whole, value: Buffer.from(value).fill(random.below(256), 100, 400) },
        { ...whole, headers: { ...headers, 'hs-bins': '4096' } },
        { ...whole, headers: { ...headers, 'hs-slices': '99999999999' } },
        { ...whole, headers: { ...headers, 'hs-file': 'first' } },
      ],
      random,
    );
    // The one with the wrong checksum belongs to a file, which has to be named for what it misses.
    this.incomplete['rubbish'] = [1];
  }

  /** One by one, until each is acknowledged; what is sent again after a lost answer is one more duplicate. */
  async #send(records: readonly ChunkRecord[], random: Random): Promise<void> {
    const producer = this.#kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    for (const { key, value, headers } of records) {
      const partition = random.below(PARTITIONS);
      await producer.send({
        topic: this.#topic,
        messages: [{ key, value, headers: { ...headers }, partition }],
      });
    }
    await producer.disconnect();
  }
}

function messagesOf({ file, slices, i, q }: Recording, run: string): ChunkRecord[] {
  const identity = {
    run,
    file,
    slices,
    geometry: { bins: BINS, sampleRateHz: SAMPLE_RATE_HZ, loHz: LO_HZ },
    start: { utcMs: Date.now(), source: 'given' as const },
  };
  const messages: ChunkRecord[] = [];
  for (let first = 0; first < slices; first += PER_MESSAGE) {
    const own = Math.min(PER_MESSAGE, slices - first);
    const part = (of: Float32Array): Buffer =>
      Buffer.from(new Float32Array(of.subarray(first * BINS, (first + own) * BINS)).buffer);
    messages.push(buildRecord(identity, messages.length, first, Buffer.concat([part(i), part(q)])));
  }
  return messages;
}
