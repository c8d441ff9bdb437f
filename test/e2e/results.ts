/** What is in `results`, as a read_committed reader sees it, and how it compares with the reference. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { TONE_TOLERANCE, type Tolerance } from '../engine/accuracy.ts';
import { BINS, type Expected } from './samples.ts';

/** After the last expected result, this long for one too many to show itself. */
const QUIET_MS = 1500;
const POLL_MS = 50;

export interface Result {
  /** `run/file` */
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Unix milliseconds at which this reader had it. */
  readonly seenMs: number;
}

interface Row {
  readonly data: {
    readonly indice: number;
    readonly index: string;
    readonly mean_x: number;
    readonly stddev_x: number;
    readonly count_x: number;
  };
}

export const quietKafka = (brokers: string): Kafka =>
  new Kafka({
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 10 },
  });

/** Reads `results` from its beginning as long as it is open. */
export class ResultReader {
  readonly all: Result[] = [];
  readonly #consumer;
  readonly #topic: string;

  constructor(brokers: string, topic: string) {
    this.#topic = topic;
    this.#consumer = quietKafka(brokers).consumer({
      groupId: `reader-${randomUUID()}`,
      maxWaitTimeInMs: 20,
      readUncommitted: false,
    });
  }

  async open(): Promise<this> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    await this.#consumer.run({
      eachMessage: async ({ message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, text]) => [name, String(text)]);
        this.all.push({
          key: String(message.key),
          value: String(message.value),
          headers: Object.fromEntries(headers),
          seenMs: Date.now(),
        });
      },
    });
    return this;
  }

  /** Waits for this many results, and a little longer for one too many. */
  async first(count: number, timeoutMs = 90_000): Promise<Result[]> {
    const deadline = performance.now() + timeoutMs;
    while (this.all.length < count && performance.now() < deadline) await sleep(POLL_MS);
    await sleep(QUIET_MS);
    return this.all;
  }

  close(): Promise<void> {
    return this.#consumer.disconnect();
  }
}

/**
 * Everything that is wrong with these results, in words; empty when every expected file is there once, nothing
 * else is, and each bin agrees.
 * @param expected by run
 */
export function problemsIn(
  results: readonly Result[],
  expected: Readonly<Record<string, readonly Expected[]>>,
  tolerance: Tolerance = TONE_TOLERANCE,
): string[] {
  const files = Object.entries(expected).flatMap(([run, each]) =>
    each.map((one) => [`${run}/${one.file}`, one] as const),
  );
  const keys = results.map((result) => result.key).toSorted();
  const wanted = files.map(([key]) => key).toSorted();
  if (keys.join() !== wanted.join()) return [`published: ${keys.join(' ')}; expected: ${wanted.join(' ')}`];
  return files.flatMap(([wantedKey, each]) => {
    const result = results.find(({ key }) => key === wantedKey);
    return result === undefined ? [`${wantedKey}: missing`] : valueProblems(result.value, each, tolerance);
  });
}

/** The same for files of one run. */
export const problemsOf = (
  results: readonly Result[],
  expected: readonly Expected[],
  run: string,
  tolerance: Tolerance = TONE_TOLERANCE,
): string[] => problemsIn(results, { [run]: expected }, tolerance);

function valueProblems(value: string, expected: Expected, tolerance: Tolerance): string[] {
  const rows = JSON.parse(value) as Row[];
  const { file } = expected;
  if (rows.length !== BINS) return [`file ${file}: ${rows.length} bins instead of ${BINS}`];
  const problems: string[] = [];
  const worst = { mean: 0, std: 0 };
  for (const [bin, { data }] of rows.entries()) {
    const named = data.indice === file * BINS + bin && data.index === `${file}_${bin}`;
    if (!named) problems.push(`file ${file}, bin ${bin}: named ${data.indice}, ${data.index}`);
    if (data.count_x !== expected.count) problems.push(`file ${file}, bin ${bin}: count ${data.count_x}`);
    worst.mean = Math.max(worst.mean, relativeError(data.mean_x, expected.mean[bin]));
    worst.std = Math.max(worst.std, relativeError(data.stddev_x, expected.std[bin]));
  }
  if (!(worst.mean <= tolerance.mean)) problems.push(`file ${file}: mean off by ${worst.mean}, relative`);
  if (!(worst.std <= tolerance.std)) problems.push(`file ${file}: std off by ${worst.std}, relative`);
  return problems.slice(0, 10);
}

/** |actual − expected| / expected; infinite when there is no number. */
export function relativeError(actual: unknown, expected: number | undefined): number {
  if (typeof actual !== 'number' || expected === undefined || !Number.isFinite(actual)) return Infinity;
  return Math.abs(actual - expected) / Math.abs(expected);
}
