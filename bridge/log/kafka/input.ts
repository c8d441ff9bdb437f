/**
 * The Kafka input: a member of a consumer group. Either one member reads every partition of a topic and the others
 * stand by, or each reads its share.
 *
 *   session ─ joined ─▶ all paused ─▶ handlers.assigned ─▶ seek, resume ─▶ records …
 *      ▲                                                                      │
 *      └────────── backoff ◀── trouble ◀── revoked ◀── crash, silence, reassign ┘
 *
 * A session is one life of a consumer. Whatever goes wrong ends it, and a new one is made: kafkajs's own restarts
 * are switched off, because some errors end its consumer for good and others leave it connected but idle.
 *
 * A batch counts only when it was fetched at the position where the assignment stands. Any other is dropped and the
 * reason looked up: deleted by retention, topic made anew, or left over from before a seek.
 */

import type { EachBatchPayload } from 'kafkajs';
import {
  type AssignedPartition,
  type GroupView,
  type InputHandlers,
  type InputPort,
  type InputRecord,
  LogError,
  type StartFrom,
} from '../port.ts';
import { Pauses } from '../pauses.ts';
import { textHeaders } from './client.ts';
import { toLogError } from './errors.ts';
import { GroupSession, type GroupSessionOptions } from './group-session.ts';
import { type PartitionRange, TopicReader } from './reader.ts';

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 10_000;
const COMMIT_INTERVAL_MS = 1_000;
/** What `stop` waits for a commit at most: it only serves lag monitors. */
const LAST_COMMIT_MS = 1_000;
/** A partition that has records, is not paused and gives none through three looks in a row is stuck. */
const STALL_PROBE_TICKS = 5;
const STALL_PROBES = 3;

export interface KafkaInputOptions extends GroupSessionOptions {
  /** Where partitions begin that have neither progress nor a committed offset. */
  readonly from: StartFrom;
}

interface Assignment {
  readonly partitions: readonly number[];
  /** Offset of the next record, per partition; empty until `assigned` has been answered. */
  readonly positions: Map<number, number>;
  readonly ends: Map<number, number>;
  /** Partitions whose position is being looked into. */
  readonly lost: Set<number>;
  ready: boolean;
}

interface StallWatch {
  ticks: number;
  probes: number;
  positions: ReadonlyMap<number, number>;
}

export class KafkaInput implements InputPort {
  readonly kind = 'kafka';
  readonly #options: KafkaInputOptions;
  readonly #reader: TopicReader;
  readonly #pauses = new Pauses();
  group: GroupView | null = null;
  /** The group has changed since it was last looked at. */
  #groupIsStale = false;
  #handlers: InputHandlers | null = null;
  #session: GroupSession | null = null;
  #assignment: Assignment | null = null;
  #supervisor: Promise<void> = Promise.resolve();
  #backoffMs = FIRST_BACKOFF_MS;
  #wake: () => void = () => {};
  #troubled = false;
  #stopped = false;
  #commits = new Map<number, number>();
  #commitTimer: NodeJS.Timeout | null = null;
  #stall: StallWatch = { ticks: 0, probes: 0, positions: new Map() };

  constructor(options: KafkaInputOptions) {
    this.#options = options;
    this.#reader = new TopicReader(options, options.topic, 'committed');
  }

  async start(handlers: InputHandlers): Promise<void> {
    if (this.#handlers !== null) throw new LogError('unavailable', `${this.#options.topic}: started twice`);
    this.#handlers = handlers;
    this.#supervisor = this.#supervise(handlers);
  }

  /** @throws {LogError} `unreachable`, `missing-topic`, `unauthorized` */
  async resolve(from: StartFrom): Promise<ReadonlyMap<number, number>> {
    return this.#reader.resolve(from);
  }

  pause(partitions?: readonly number[]): void {
    this.#pauses.pause(partitions);
    this.#applyPauses();
  }

  resume(partitions?: readonly number[]): void {
    this.#pauses.resume(partitions);
    this.#applyPauses();
  }

  reassign(): void {
    this.#endAssignment();
    this.#session?.end(null);
    this.#wake();
  }

  /** @throws {LogError} `unreachable`, `missing-topic`, `unauthorized`; also when one partition has no leader */
  async endOffsets(): Promise<ReadonlyMap<number, number>> {
    const ranges = await this.#askForRanges();
    const heard = this.#assignment?.ends ?? new Map<number, number>();
    return new Map(
      [...ranges].map(([partition, { endOffset }]) => [
        partition,
        Math.max(endOffset, heard.get(partition) ?? 0),
      ]),
    );
  }

  commit(positions: ReadonlyMap<number, number>): void {
    for (const [partition, offset] of positions) this.#commits.set(partition, offset);
    this.#commitTimer ??= setTimeout(() => void this.#flushCommits(), COMMIT_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      await Promise.race([
        this.#flushCommits(),
        new Promise((resolve) => setTimeout(resolve, LAST_COMMIT_MS).unref()),
      ]);
      this.#assignment = null;
      this.#session?.end(null);
      this.#wake();
    }
    await this.#supervisor;
    this.#reader.close();
  }

  async #supervise(handlers: InputHandlers): Promise<void> {
    while (!this.#stopped) {
      const session = this.#newSession(handlers);
      this.#session = session;
      const why = await session.run();
      this.#session = null;
      this.group = null;
      this.#endAssignment();
      if (why !== null) this.#trouble(why);
      await session.close();
      if (why !== null) await this.#backoff();
    }
  }

  #newSession(handlers: InputHandlers): GroupSession {
    const session: GroupSession = new GroupSession(this.#options, {
      rebalancing: () => this.#endAssignment(),
      joined: (partitions) => this.#joined(session, handlers, partitions),
      batch: (payload) => this.#batch(session, handlers, payload),
      skipped: (partition, lastOffset) => this.#skipped(partition, lastOffset),
      tick: () => {
        void this.#lookAtGroup(session);
        void this.#watchForStall(session);
      },
    });
    return session;
  }

  /** Doubling, and cut short by `stop` and `reassign`. */
  async #backoff(): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#backoffMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#backoffMs = Math.min(2 * this.#backoffMs, LONGEST_BACKOFF_MS);
  }

  #joined(session: GroupSession, handlers: InputHandlers, partitions: readonly number[]): void {
    this.#endAssignment();
    session.pause(partitions);
    this.#groupIsStale = true;
    void this.#lookAtGroup(session);
    if (partitions.length === 0) {
      this.#options.logger.info(
        { topic: this.#options.topic },
        'standing by: another bridge of the group reads',
      );
      // Nothing will tell later: there is nothing to be had.
      this.#troubled = true;
      return this.#well();
    }
    const sorted = partitions.toSorted((a, b) => a - b);
    const assignment: Assignment = {
      partitions: sorted,
      positions: new Map(),
      ends: new Map(),
      lost: new Set(),
      ready: false,
    };
    this.#assignment = assignment;
    this.#assign(session, handlers, assignment).catch((error: unknown) => {
      if (this.#assignment !== assignment) return;
      // A rejected assignment was never taken, so there is nothing to revoke.
      this.#assignment = null;
      session.end(toLogError(error, `${this.#options.topic}: assignment`, 'unavailable'));
    });
  }

  /** Asks until it is answered, at every tick. */
  async #lookAtGroup(session: GroupSession): Promise<void> {
    if (!this.#groupIsStale) return;
    this.#groupIsStale = false;
    try {
      const group = await session.describe();
      if (group === null) this.#groupIsStale = true;
      else if (session === this.#session) this.group = group;
    } catch (error) {
      this.#groupIsStale = true;
      this.#options.logger.debug({ err: error }, 'the members of the group are not known');
    }
  }

  async #assign(session: GroupSession, handlers: InputHandlers, assignment: Assignment): Promise<void> {
    const ranges = await this.#reader.ranges();
    if (this.#assignment !== assignment) return;
    const rangeOf = (partition: number): PartitionRange =>
      ranges.get(partition) ?? { lowOffset: 0, endOffset: 0 };
    const answer = await handlers.assigned(
      assignment.partitions.map((partition): AssignedPartition => ({ partition, ...rangeOf(partition) })),
    );
    const begin = await this.#beginnings(session, assignment.partitions, answer);
    if (this.#assignment !== assignment) return;
    this.#well();
    for (const partition of assignment.partitions) {
      const range = rangeOf(partition);
      const wanted = begin.get(partition) ?? range.lowOffset;
      const position = within(range, wanted) ? wanted : range.lowOffset;
      if (position !== wanted) this.#trouble(lostAt(this.#options.topic, partition, wanted, range));
      assignment.positions.set(partition, position);
      assignment.ends.set(partition, range.endOffset);
      session.seek(partition, position);
    }
    assignment.ready = true;
    this.#applyPauses();
  }

  /** The answer; where it is silent what the group has committed; where that is silent too, `from`. */
  async #beginnings(
    session: GroupSession,
    partitions: readonly number[],
    answer: ReadonlyMap<number, number>,
  ): Promise<ReadonlyMap<number, number>> {
    if (partitions.every((partition) => answer.has(partition))) return answer;
    const committed = await session.committed(this.#options.group);
    const from = await this.#reader.resolve(this.#options.from);
    return new Map([...from, ...committed, ...answer]);
  }

  #batch(session: GroupSession, handlers: InputHandlers, payload: EachBatchPayload): void {
    const assignment = this.#assignment;
    // Nothing is resolved here, so kafkajs fetches it again, from where it has been told to by then.
    if (assignment === null || !assignment.ready || session !== this.#session || payload.isStale()) return;
    const { batch } = payload;
    const { partition } = batch;
    if (fetchedAt(batch) !== assignment.positions.get(partition)) {
      void this.#findPlace(session, assignment, partition);
      return;
    }
    const records = batch.messages.map((message) => toRecord(partition, message));
    const last = batch.messages.at(-1);
    if (last !== undefined) payload.resolveOffset(last.offset);
    const endOffset = Number(batch.highWatermark);
    assignment.positions.set(partition, Number(batch.lastOffset()) + 1);
    assignment.ends.set(partition, endOffset);
    this.#well();
    handlers.records(partition, records, endOffset);
  }

  #skipped(partition: number, lastOffset: number): void {
    const position = this.#assignment?.positions.get(partition);
    if (position !== undefined && lastOffset >= position) {
      this.#assignment?.positions.set(partition, lastOffset + 1);
    }
  }

  /** A batch came from elsewhere than the position: says why, and goes back to where to go on. */
  async #findPlace(session: GroupSession, assignment: Assignment, partition: number): Promise<void> {
    if (assignment.lost.has(partition)) return;
    assignment.lost.add(partition);
    try {
      const range = (await this.#reader.ranges()).get(partition);
      const position = assignment.positions.get(partition);
      if (this.#assignment !== assignment || range === undefined || position === undefined) return;
      if (position > range.endOffset) {
        return this.#lookAgain(lostAt(this.#options.topic, partition, position, range));
      }
      if (position < range.lowOffset) {
        this.#trouble(lostAt(this.#options.topic, partition, position, range));
        assignment.positions.set(partition, range.lowOffset);
      }
      session.seek(partition, Math.max(position, range.lowOffset));
    } catch (error) {
      if (this.#assignment === assignment) session.end(toLogError(error, this.#options.topic, 'unreachable'));
    } finally {
      assignment.lost.delete(partition);
    }
  }

  /** A topic that is not there any more may come back as another one, so whoever reads it has to look again. */
  async #askForRanges(): Promise<ReadonlyMap<number, PartitionRange>> {
    const assignment = this.#assignment;
    // As of before the question: while it is answered, more may be read.
    const positions = new Map(assignment?.positions);
    try {
      const ranges = await this.#reader.ranges();
      if (assignment !== null && assignment === this.#assignment) this.#compare(positions, ranges);
      return ranges;
    } catch (error) {
      if (error instanceof LogError && error.code === 'missing-topic') this.#lookAgain(error);
      throw error;
    }
  }

  /**
   * A topic never gets shorter. One that did was made anew or emptied, and what comes next would be taken for what has
   * been read already, as far as it lies at offsets below the position.
   */
  #compare(positions: ReadonlyMap<number, number>, ranges: ReadonlyMap<number, PartitionRange>): void {
    for (const [partition, range] of ranges) {
      const position = positions.get(partition) ?? 0;
      if (range.endOffset >= position) continue;
      return this.#lookAgain(lostAt(this.#options.topic, partition, position, range));
    }
  }

  /** Whoever has progress in the topic must compare it with what lies there now. */
  #lookAgain(why: LogError): void {
    if (this.#assignment?.ready !== true) return;
    this.#trouble(why);
    this.reassign();
  }

  #applyPauses(): void {
    const assignment = this.#assignment;
    if (assignment === null || !assignment.ready) return;
    this.#session?.pause(assignment.partitions.filter((partition) => this.#pauses.isPaused(partition)));
    this.#session?.resume(assignment.partitions.filter((partition) => !this.#pauses.isPaused(partition)));
  }

  #endAssignment(): void {
    const assignment = this.#assignment;
    this.#assignment = null;
    this.#pauses.assignmentEnded();
    this.#commits.clear();
    this.#stall = { ticks: 0, probes: 0, positions: new Map() };
    if (assignment !== null && !this.#stopped) this.#handlers?.revoked();
  }

  /** A consumer can be connected, fetch, and get nothing for ever; only its progress tells. */
  async #watchForStall(session: GroupSession): Promise<void> {
    const assignment = this.#assignment;
    if (assignment === null || !assignment.ready) return;
    const watch = this.#stall;
    watch.ticks++;
    if (watch.ticks % STALL_PROBE_TICKS !== 0) return;
    const before = watch.positions;
    watch.positions = new Map(assignment.positions);
    const idle = assignment.partitions.filter(
      (partition) =>
        !this.#pauses.isPaused(partition) && before.get(partition) === assignment.positions.get(partition),
    );
    const stuck = idle.length === 0 ? [] : await this.#withRecords(assignment, idle);
    watch.probes = stuck.length === 0 ? 0 : watch.probes + 1;
    if (watch.probes < STALL_PROBES || this.#assignment !== assignment) return;
    session.end(
      new LogError('unreachable', `${this.#options.topic}: no records come from partition ${stuck[0]}`),
    );
  }

  /** Those that have records behind their positions; none where the broker cannot be asked. */
  async #withRecords(assignment: Assignment, partitions: readonly number[]): Promise<number[]> {
    const ranges = await this.#reader.ranges().catch(() => new Map<number, PartitionRange>());
    return partitions.filter((partition) => {
      const end = ranges.get(partition)?.endOffset ?? 0;
      assignment.ends.set(partition, Math.max(end, assignment.ends.get(partition) ?? 0));
      return end > (assignment.positions.get(partition) ?? end);
    });
  }

  async #flushCommits(): Promise<void> {
    if (this.#commitTimer !== null) clearTimeout(this.#commitTimer);
    this.#commitTimer = null;
    const positions = this.#commits;
    this.#commits = new Map();
    const session = this.#session;
    if (positions.size === 0 || session === null || this.#assignment?.ready !== true) return;
    try {
      await session.commit(positions);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'positions for lag monitors not committed');
    }
  }

  #well(): void {
    this.#backoffMs = FIRST_BACKOFF_MS;
    if (!this.#troubled) return;
    this.#troubled = false;
    if (!this.#stopped) this.#handlers?.trouble(null);
  }

  #trouble(error: LogError): void {
    this.#troubled = true;
    if (!this.#stopped) this.#handlers?.trouble(error);
  }
}

/** The offset that was asked for; kafkajs has it, but not in its types. */
function fetchedAt(batch: EachBatchPayload['batch']): number {
  const { fetchedOffset } = batch as { fetchedOffset?: string };
  if (fetchedOffset === undefined) throw new LogError('unavailable', 'expected a batch of kafkajs 2.2.4');
  return Number(fetchedOffset);
}

function toRecord(partition: number, message: EachBatchPayload['batch']['messages'][number]): InputRecord {
  return {
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers: textHeaders(message.headers),
    timestampMs: Number(message.timestamp),
  };
}

const within = ({ lowOffset, endOffset }: PartitionRange, offset: number): boolean =>
  offset >= lowOffset && offset <= endOffset;

function lostAt(topic: string, partition: number, wanted: number, range: PartitionRange): LogError {
  const { lowOffset, endOffset } = range;
  const reason =
    wanted < lowOffset ? 'records were deleted before they were read' : 'the topic was emptied or made anew';
  return new LogError(
    'offset-lost',
    `${topic} partition ${partition}: expected offset ${wanted}, found ${lowOffset} to ${endOffset}: ${reason}; ` +
      `going on at ${lowOffset}`,
  );
}
