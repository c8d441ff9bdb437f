/**
 * One life of a kafkajs consumer, from connecting to its end, whatever ends it: a crash, a silent broker, or `end`.
 * It never starts again by itself; `KafkaInput` makes the next one.
 *
 * Signs of life are kafkajs's fetches, which it makes five times a second even when every partition is paused.
 */

import type { Consumer, EachBatchPayload } from 'kafkajs';
import { type Announcement, type GroupView, LogError } from '../port.ts';
import { CLIENT_RETRY, KafkaClient, type KafkaClientOptions } from './client.ts';
import { hasType, toLogError } from './errors.ts';
import { Membership, type Sharing } from './members.ts';

const MIB = 1024 * 1024;
const CONSUMER_SETTINGS = {
  maxBytesPerPartition: 4 * MIB,
  // A fetch is held three times for a moment: as chunks, joined, and what is in work of it.
  maxBytes: 8 * MIB,
  // An idle consumer reacts to resume, rebalance and disconnect only after its long poll.
  maxWaitTimeInMs: 200,
  // The least that brokers allow unless told otherwise. A standby takes over after this, one heartbeat and a join.
  sessionTimeout: 6_000,
  heartbeatInterval: 500,
  rebalanceTimeout: 15_000,
  allowAutoTopicCreation: false,
};
const TICK_MS = 1_000;
/** Counted in ticks, so that a process that was stopped for an hour does not think the broker was silent. */
const SILENT_TICKS = 15;
/** A join waits for members that have died for `sessionTimeout`, for slow ones for `rebalanceTimeout`. */
const JOIN_TICKS = 40;
/** Leaving the group takes a long poll and one request. */
const LEAVE_MS = 2_000;

export interface GroupSessionEvents {
  /** The group assigns anew, and until that is done nothing is this member's. */
  rebalancing(): void;
  /** A fresh assignment, before the first fetch of it. */
  joined(partitions: readonly number[]): void;
  batch(payload: EachBatchPayload): void;
  /** Offsets up to `lastOffset` hold nothing but markers and aborted records. */
  skipped(partition: number, lastOffset: number): void;
  tick(): void;
}

export interface GroupSessionOptions extends KafkaClientOptions {
  readonly topic: string;
  readonly group: string;
  readonly sharing: Sharing;
  /** What the other members are told, asked for at every join. */
  readonly announce: () => Announcement;
}

export class GroupSession {
  readonly #topic: string;
  readonly #group: string;
  readonly #client: KafkaClient;
  readonly #consumer: Consumer;
  readonly #events: GroupSessionEvents;
  readonly #membership: Membership;
  #running: Promise<void> = Promise.resolve();
  #silentTicks = 0;
  #silentLimit = JOIN_TICKS;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #resolveEnd: (why: LogError | null) => void = () => {};

  constructor(options: GroupSessionOptions, events: GroupSessionEvents) {
    this.#topic = options.topic;
    this.#group = options.group;
    this.#events = events;
    this.#membership = new Membership(options.announce);
    this.#client = new KafkaClient(options);
    this.#consumer = this.#client.kafka.consumer({
      ...CONSUMER_SETTINGS,
      groupId: options.group,
      partitionAssigners: [this.#membership.assigner(options.sharing)],
      // A crashed consumer is replaced by a new session, never restarted inside of kafkajs.
      retry: { ...CLIENT_RETRY, restartOnFailure: async () => false },
    });
    this.#listen();
  }

  /** Runs until the session ends; why, or null when it was asked to. */
  run(): Promise<LogError | null> {
    const end = new Promise<LogError | null>((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#running = this.#start().catch((error: unknown) => this.end(this.#explain(error)));
    return end;
  }

  end(why: LogError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#resolveEnd(why);
  }

  /** Leaves the group where the broker answers, and closes every connection in any case. */
  async close(): Promise<void> {
    this.end(null);
    // Not before the join is through: kafkajs forgets a consumer that joins, which then goes on for ever.
    const left = this.#running.then(() => this.#consumer.disconnect()).catch(() => {});
    await Promise.race([left, new Promise((resolve) => setTimeout(resolve, LEAVE_MS).unref())]);
    this.#client.close();
  }

  pause(partitions: readonly number[]): void {
    if (partitions.length > 0) this.#consumer.pause([{ topic: this.#topic, partitions: [...partitions] }]);
  }

  resume(partitions: readonly number[]): void {
    if (partitions.length > 0) this.#consumer.resume([{ topic: this.#topic, partitions: [...partitions] }]);
  }

  seek(partition: number, offset: number): void {
    this.#consumer.seek({ topic: this.#topic, partition, offset: String(offset) });
  }

  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    await this.#consumer.commitOffsets(
      [...positions].map(([partition, offset]) => ({
        topic: this.#topic,
        partition,
        offset: String(offset),
      })),
    );
  }

  /** What the group has committed; partitions without a commit are left out. */
  async committed(group: string): Promise<Map<number, number>> {
    const admin = this.#client.kafka.admin();
    try {
      await admin.connect();
      const [topic] = await admin.fetchOffsets({ groupId: group, topics: [this.#topic] });
      const known = (topic?.partitions ?? []).map((p): [number, number] => [p.partition, Number(p.offset)]);
      return new Map(known.filter(([, offset]) => offset >= 0));
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  /** Who is in the group; null while it assigns anew. */
  async describe(): Promise<GroupView | null> {
    return this.#membership.view(await this.#consumer.describeGroup(), this.#topic);
  }

  async #start(): Promise<void> {
    await this.#consumer.connect();
    // `false` would jump over everything to the latest record when an offset is out of range.
    await this.#consumer.subscribe({ topics: [this.#topic], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        if (!this.#ended) this.#events.batch(payload);
      },
    });
  }

  #listen(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (this.#ended) return;
      this.#alive(SILENT_TICKS);
      const partitions = payload.memberAssignment[this.#topic] ?? [];
      this.#membership.joined(payload.memberId, partitions);
      this.#events.joined(partitions);
    });
    this.#consumer.on(events.REBALANCING, () => {
      this.#alive(JOIN_TICKS);
      if (!this.#ended) this.#events.rebalancing();
    });
    this.#consumer.on(events.FETCH, () => this.#alive(SILENT_TICKS));
    this.#consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      if (!this.#ended && payload.batchSize === 0) {
        this.#events.skipped(payload.partition, Number(payload.lastOffset));
      }
    });
    this.#consumer.on(events.CRASH, ({ payload }) => this.end(this.#explain(payload.error)));
  }

  #alive(limit: number): void {
    this.#silentTicks = 0;
    this.#silentLimit = limit;
  }

  #tick(): void {
    this.#silentTicks++;
    if (this.#silentTicks <= this.#silentLimit) return this.#events.tick();
    const seconds = (this.#silentTicks * TICK_MS) / 1000;
    this.end(new LogError('unreachable', `${this.#topic}: no answer from the broker for ${seconds} s`));
  }

  #explain(error: unknown): LogError {
    if (hasType(error, 'INCONSISTENT_GROUP_PROTOCOL')) {
      const message = `group ${this.#group} has members of another kind: start all of its bridges with --scale-out, or none`;
      return new LogError('unavailable', message, { cause: error });
    }
    return toLogError(error, this.#topic, 'unreachable');
  }
}
