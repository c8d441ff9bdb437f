/**
 * The state of the chain as every client sees it: `/api/state`, and the `state` control message.
 *
 * Times are UTC as RFC 3339 strings; null means «not known yet».
 */
import type { Geometry } from './geometry.ts';
import type { Annotation, OperationEntry } from './operator.ts';

export type ClientRole = 'processor' | 'viewer';

/** What runs a processor's transform; mirrors the engine's own description. */
export interface EngineSummary {
  readonly kind: 'gpu' | 'wasm' | 'ts';
  readonly name: string;
  readonly why: string;
}

export interface ClientState {
  readonly id: string;
  readonly role: ClientRole;
  readonly headless: boolean;
  readonly engine: EngineSummary | null;
  /** Blocks leased to it now. */
  readonly blocksInFlight: number;
  readonly blocksDone: number;
  /** Engine time for one file of this geometry, from its own clock; null before the first answer. */
  readonly msPerFile: number | null;
}

/** Reachability of one half of the log. */
export interface LinkState {
  readonly kind: 'kafka' | 'folder' | 'simulator' | 'embedded';
  readonly reachable: boolean;
  /** What is wrong and what is being done about it; null when well. */
  readonly trouble: string | null;
}

/** Something that a person should know; counted while it repeats. */
export interface Alarm {
  readonly code: string;
  readonly message: string;
  readonly count: number;
  readonly sinceUtc: string;
  readonly lastUtc: string;
}

export interface IncompleteFile {
  readonly run: string;
  readonly file: number;
  /** Missing slices as ranges, `0-39,80-119`. */
  readonly missing: string;
  readonly atUtc: string;
}

/** How long the input keeps what is not yet processed. Null: without a limit. */
export interface RetentionState {
  /** Of the partition that deletes first. */
  readonly hoursLeft: number | null;
  readonly partitions: readonly { readonly partition: number; readonly hoursLeft: number | null }[];
}

/** Another bridge that shares this one's input. */
export interface PeerState {
  /** Where browsers reach it, best first; empty where it did not say. */
  readonly urls: readonly string[];
  /** It reads; otherwise it stands by. */
  readonly isActive: boolean;
}

/** The bridges that share an input. */
export interface GroupState {
  /** `standby`: others read everything, and this one takes over when they are gone. */
  readonly role: 'active' | 'standby';
  /** Partitions that this bridge reads. */
  readonly partitions: readonly number[];
  readonly peers: readonly PeerState[];
}

export interface BridgeState {
  readonly software: string;
  readonly protocol: number;
  readonly utc: string;
  readonly startedUtc: string;
  readonly geometry: Geometry;
  readonly input: LinkState;
  readonly output: LinkState;
  /** Null where the input is this bridge's alone, or nothing is known yet. */
  readonly group: GroupState | null;
  readonly run: {
    readonly name: string;
    /** In the average, as everything that follows. */
    readonly filesDone: number;
    readonly slicesDone: number;
    /** When an operator reset the average; null: it goes back to the run's first file. */
    readonly resetUtc: string | null;
    readonly firstUtc: string | null;
    readonly lastUtc: string | null;
  };
  /** Work known but not published: complete files still in the log, and seconds of data they hold. */
  readonly lag: { readonly files: number; readonly seconds: number } | null;
  /** Null where it is not known, or the input deletes nothing. */
  readonly retention: RetentionState | null;
  readonly current: {
    readonly file: number;
    readonly slicesDone: number;
    readonly slices: number | null;
  } | null;
  readonly latest: { readonly file: number; readonly slices: number; readonly publishedUtc: string } | null;
  /** Newest sample that is in any spectrum on the screen. */
  readonly newestDatumUtc: string | null;
  /** Messages come without headers: file numbers and lengths are inferred. */
  readonly headerless: boolean;
  readonly clients: readonly ClientState[];
  readonly rejected: Readonly<Record<string, number>>;
  readonly incomplete: readonly IncompleteFile[];
  readonly alarms: readonly Alarm[];
  /** Of the run, oldest first. */
  readonly annotations: readonly Annotation[];
  /** What operators did last, oldest first. */
  readonly operations: readonly OperationEntry[];
}

/**
 * Whether an operator has ended the average and no file has come since: what was shown of it is none any more. A bridge
 * that has just begun, and does not know its run yet, knows of no operator either.
 */
export const isAverageEnded = ({ run, operations }: BridgeState): boolean =>
  run.filesDone === 0 && operations.length > 0;
