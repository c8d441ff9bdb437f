/** How long the log will keep what is not yet processed: in the state, in the metrics, and an alarm in time. */
import type { Alarms } from './alarms.ts';
import type { Assembler } from './assembly/assembler.ts';
import type { PartitionRetention, RetentionPort } from './log/port.ts';
import type { Logger } from './logger.ts';
import type { BridgeMetrics } from './metrics.ts';
import type { RetentionState } from './protocol/state.ts';

/** Hours pass slowly, and each look reads a few megabytes. */
const EVERY_MS = 30_000;

/** From a night's failure until somebody comes in the morning. */
const ALARM_HOURS = 6;

/** A log that keeps little at best is an alarm only when a quarter of that is used up: 6 hours are the default. */
const ALARM_SHARE = 0.75;

export interface RetentionMeterOptions {
  /** Null for an input that deletes nothing. */
  readonly retention: RetentionPort | null;
  readonly inputName: string;
  readonly alarms: Alarms;
  readonly metrics: BridgeMetrics;
  readonly logger: Logger;
}

export class RetentionMeter {
  readonly #options: RetentionMeterOptions;
  #lookedMs = -Infinity;
  #known: readonly PartitionRetention[] | null = null;

  constructor(options: RetentionMeterOptions) {
    this.#options = options;
  }

  /** Null where it is not known, or nothing is deleted. */
  state(): RetentionState | null {
    if (this.#known === null) return null;
    const partitions = this.#known.map(({ partition, hoursLeft }) => ({
      partition,
      hoursLeft: finite(hoursLeft),
    }));
    return { hoursLeft: finite(leastOf(this.#known)), partitions };
  }

  /** Another assignment may have other partitions. */
  reset(): void {
    this.#lookedMs = -Infinity;
    this.#know(null);
  }

  tick(assemblers: readonly Assembler[], nowMs: number): void {
    const { retention } = this.#options;
    if (retention === null || nowMs - this.#lookedMs < EVERY_MS) return;
    this.#lookedMs = nowMs;
    void this.#look(retention, assemblers);
  }

  close(): void {
    this.#options.retention?.close();
  }

  async #look(retention: RetentionPort, assemblers: readonly Assembler[]): Promise<void> {
    const watermarks = assemblers
      .flatMap((assembler) => assembler.progress().partitions)
      .map(({ partition, watermark }) => [partition, watermark] as const);
    try {
      const known = await retention.measure(new Map(watermarks));
      this.#know(known);
      this.#alarm(known);
    } catch (error) {
      this.#know(null);
      this.#options.logger.debug({ err: error }, 'how long the input is kept is not known');
    }
  }

  #know(known: readonly PartitionRetention[] | null): void {
    this.#known = known;
    this.#options.metrics.setRetention(known ?? []);
  }

  #alarm(known: readonly PartitionRetention[]): void {
    const short = known.filter(
      ({ hoursLeft, hoursKept }) => hoursLeft < Math.min(ALARM_HOURS, ALARM_SHARE * hoursKept),
    );
    if (short.length === 0) return;
    const { alarms, inputName } = this.#options;
    const partitions = short.map(({ partition }) => partition).join(', ');
    alarms.raise(
      'retention',
      `${inputName}, partition ${partitions}: data that are not processed will be deleted in ${leastOf(short).toFixed(1)} hours; process them faster, or raise retention.bytes or retention.ms of the topic`,
    );
  }
}

const leastOf = (partitions: readonly PartitionRetention[]): number =>
  Math.min(...partitions.map(({ hoursLeft }) => hoursLeft));

const finite = (hours: number): number | null => (Number.isFinite(hours) ? hours : null);
