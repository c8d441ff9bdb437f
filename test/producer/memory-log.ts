/** A topic in memory behind the producer's port: what was sent, in order, and failures on demand. */

import { type InputRecord, LogError, type ProducerPort } from '../../bridge/log/port.ts';

export class MemoryLog implements ProducerPort {
  readonly records: InputRecord[][];
  /** Called before a batch is written; whatever it throws is the batch's failure. */
  beforeSend: (partition: number, records: number) => void | Promise<void> = () => {};
  /** After this many further batches the next is written but its answer is lost. */
  loseAnswerAfter = Infinity;
  inFlight = 0;
  mostInFlight = 0;
  sends = 0;
  largestSendBytes = 0;

  constructor(partitions: number) {
    this.records = Array.from({ length: partitions }, () => []);
  }

  async partitions(): Promise<number> {
    return this.records.length;
  }

  async last(partition: number): Promise<InputRecord | null> {
    return this.records[partition]?.at(-1) ?? null;
  }

  async send(partition: number, records: Parameters<ProducerPort['send']>[1]): Promise<number> {
    this.inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await this.beforeSend(partition, records.length);
      await new Promise((resolve) => setImmediate(resolve));
      return this.append(partition, records);
    } finally {
      this.inFlight--;
    }
  }

  append(partition: number, records: Parameters<ProducerPort['send']>[1]): number {
    const log = this.records[partition];
    if (log === undefined) throw new LogError('missing-topic', `no partition ${partition}`);
    const first = log.length;
    for (const [k, record] of records.entries()) {
      log.push({ ...record, partition, offset: first + k, timestampMs: Date.now() });
    }
    this.sends++;
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
    this.largestSendBytes = Math.max(this.largestSendBytes, bytes);
    if (this.loseAnswerAfter-- <= 0) {
      this.loseAnswerAfter = Infinity;
      throw new LogError('unavailable', 'the answer was lost');
    }
    return first;
  }

  async close(): Promise<void> {}

  all(): InputRecord[] {
    return this.records.flat();
  }

  /** `file/first slice+slices` of every record with headers, sorted as numbers. */
  ranges(bins: number): string[] {
    return this.all()
      .map(({ headers, value }) => ({
        file: Number(headers['hs-file']),
        first: Number(headers['hs-first']),
        slices: (value?.length ?? 0) / (bins * 8),
      }))
      .toSorted((a, b) => a.file - b.file || a.first - b.first)
      .map(({ file, first, slices }) => `${file}/${first}+${slices}`);
  }
}
