/**
 * The port between the bridge and the log that it reads and writes: an input half and an output half.
 *
 * Implementations: Kafka (`kafka/`) and embedded (`embedded/`: the folder or the simulator is the input log, an
 * LMDB store the output). Both pass the same contract tests. Nothing else of the bridge knows which one it uses.
 *
 *   input                                        output
 *   ─────                                        ──────
 *   start ─▶ assigned(partitions) ─▶ offsets     acquire ─▶ newest committed progress
 *         ─▶ records(partition, …)*              publish(results, progress)*   one atom each
 *         ─▶ revoked()  and again assigned …     release
 *
 * Progress is opaque here. It lives where the results live, because only there can both be written in one atom.
 */

/** One message as it lies in the input log. Offsets rise within a partition but need not be contiguous. */
export interface InputRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  /** May be a view into a larger buffer: whoever keeps it keeps that buffer. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestampMs: number;
}

/** A partition at the moment of its assignment. */
export interface AssignedPartition {
  readonly partition: number;
  /** First offset that can still be read. */
  readonly lowOffset: number;
  /** Offset that the next record will get. */
  readonly endOffset: number;
}

/** What a bridge tells the others that read the same log. */
export interface Announcement {
  /** Where browsers reach it, best first. */
  readonly urls: readonly string[];
  /** Name of its machine: loopback addresses mean something there only. */
  readonly machine: string;
}

/** Another bridge that reads the same log, and the partitions that it has; none: it stands by. */
export interface Peer extends Announcement {
  readonly partitions: readonly number[];
}

/** This bridge among those that share a log. */
export interface GroupView {
  readonly partitions: readonly number[];
  readonly peers: readonly Peer[];
}

/** Where to begin when no progress is known. */
export type StartFrom = 'earliest' | 'latest' | { readonly timeMs: number };

/** What the bridge does with an input. No handler may block: heartbeats run in the same loop. */
export interface InputHandlers {
  /**
   * A fresh assignment, before any of its records. Answers with the offset at which to begin in each partition;
   * a partition left out begins where the group has committed, and where it has not, where `InputPort.resolve(from)`
   * says. An offset that cannot be read any more is `offset-lost`, and the first that can is taken. Rejecting ends
   * the assignment, without `revoked`; the port tries again with backoff.
   */
  assigned(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<number, number>>;
  /** The assignment has ended: whatever is open must be dropped, it will be read again by its next owner. */
  revoked(): void;
  /** Records in rising offset order, and the partition's end offset as last heard. */
  records(partition: number, records: readonly InputRecord[], endOffset: number): void;
  /** Something is wrong, and the port keeps trying by itself; `null` when it is well again. */
  trouble(error: LogError | null): void;
}

export interface InputPort {
  readonly kind: 'kafka' | 'folder' | 'simulator';
  /** Offsets that every file takes up, where the log has such a rule; absent where files are as long as they are. */
  readonly offsetsPerFile?: number;
  /** Those that share this log, where several can; null while that is not known. */
  readonly group?: GroupView | null;
  /** Resolves when the port is running (which may be before the broker is reachable). */
  start(handlers: InputHandlers): Promise<void>;
  /** Offsets for `from` in every partition of the assignment. */
  resolve(from: StartFrom): Promise<ReadonlyMap<number, number>>;
  /**
   * Without argument: every partition, also of later assignments. Pauses of single partitions end with their
   * assignment; from within `assigned` they already count. Records already fetched may still be handed over.
   */
  pause(partitions?: readonly number[]): void;
  resume(partitions?: readonly number[]): void;
  /** Drops the assignment and asks for a new one: `revoked`, then `assigned`. */
  reassign(): void;
  /**
   * End offset per partition, as asked now or, where that is later, as last heard.
   * @throws {LogError} when the log cannot be asked: what waits in a partition is then not known
   */
  endOffsets(): Promise<ReadonlyMap<number, number>>;
  /** Positions for lag monitors; lazily, never relied upon. */
  commit(positions: ReadonlyMap<number, number>): void;
  /** Leaves the group, closes files; idempotent. */
  stop(): Promise<void>;
}

/** How long a partition keeps what is not yet processed, at the rate at which data come. */
export interface PartitionRetention {
  readonly partition: number;
  /** Hours until the first record that is not processed may be deleted; Infinity without a limit. */
  readonly hoursLeft: number;
  /** The same if everything were processed by now. */
  readonly hoursKept: number;
}

/** What an input that deletes old records says about that. */
export interface RetentionPort {
  /** @param watermarks first offset of each partition that is not processed */
  measure(watermarks: ReadonlyMap<number, number>): Promise<readonly PartitionRetention[]>;
  close(): void;
}

/** One message for the output log. */
export interface ResultRecord {
  readonly run: string;
  readonly file: number;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** How far the results have been read, by partition: the offset to read on at. Means something to its log only. */
export type ResultCursor = Readonly<Record<string, number>>;

export interface CommittedResults {
  readonly results: readonly ResultRecord[];
  /** Behind them. */
  readonly cursor: ResultCursor;
}

export interface OutputPort {
  readonly kind: 'kafka' | 'embedded';
  /**
   * Becomes the only writer: fences a predecessor, settles its open transaction, then reads the newest committed
   * progress; null where there is none.
   */
  acquire(): Promise<Buffer | null>;
  /**
   * Writes results and the progress they imply in one atom. On any error the outcome may be unknown: the caller
   * must drop its state and `acquire` again, which tells whether the write took effect.
   * @throws {LogError} `fenced`, `unavailable`, `too-large`, `disk-full`
   */
  publish(results: readonly ResultRecord[], progress: Buffer): Promise<void>;
  /** A committed result; null where there is none. */
  read(run: string, file: number): Promise<ResultRecord | null>;
  /**
   * Committed results behind a cursor, of whoever published them: some megabytes at once, each partition's in the order
   * of publication; none where there is none now. Does not wait, and needs no ownership of the output on Kafka.
   * @param sinceMs where to begin in a partition that the cursor does not know, Unix milliseconds
   * @throws {LogError} `unreachable`, `missing-topic`, `unauthorized`, `unavailable`
   */
  committed(cursor: ResultCursor | null, sinceMs: number): Promise<CommittedResults>;
  /** Whether the output can be written to now. */
  ping(): Promise<boolean>;
  /** Gives up ownership; idempotent. */
  release(): Promise<void>;
}

/** What the producer needs of a log. */
export interface ProducerPort {
  partitions(): Promise<number>;
  /** The last record of a partition; null where it is empty. */
  last(partition: number): Promise<InputRecord | null>;
  /** Appends to one partition in order; resolves when acknowledged by all replicas, with the first offset. */
  send(
    partition: number,
    records: readonly {
      readonly key: Buffer;
      readonly value: Buffer;
      readonly headers: Readonly<Record<string, string>>;
    }[],
  ): Promise<number>;
  close(): Promise<void>;
}

/**
 * Closed list of what can go wrong with a log.
 * - `unreachable`: no broker answers, or the folder cannot be read; tried again
 * - `missing-topic`: the topic is not there and may not be created
 * - `fenced`: another writer has taken over
 * - `unavailable`: the write failed or its outcome is unknown
 * - `too-large`: a record does not fit the topic's limit
 * - `disk-full`: no space for the embedded store
 * - `locked`: another process has the embedded store open
 * - `unauthorized`: wrong credentials or no permission
 * - `offset-lost`: records were deleted by retention before they were read
 */
export type LogErrorCode =
  | 'unreachable'
  | 'missing-topic'
  | 'fenced'
  | 'unavailable'
  | 'too-large'
  | 'disk-full'
  | 'locked'
  | 'unauthorized'
  | 'offset-lost';

export class LogError extends Error {
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogError';
    this.code = code;
  }
}
