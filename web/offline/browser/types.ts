/**
 * What the page and its offline worker say to each other. Everything survives `structuredClone`.
 */
import type { Geometry } from '../../../bridge/protocol/geometry.ts';
import type { FileProblemCode } from '../../../bridge/protocol/pairs.ts';
import type { WindowName } from '../../../bridge/protocol/window.ts';
import type { EnginePreference } from '../../engine/choose.ts';
import type { SampleType } from '../recording.ts';

/** A file that somebody has dropped or picked. */
export interface Entry {
  /**
   * `/` between folders, no `/` at the beginning. A path without a folder is a file that was named by itself: it has
   * to be something, and may be a saved result. The same path again replaces what it was before.
   */
  readonly path: string;
  readonly file: File;
  /** With it the file is looked at anew when its turn comes. */
  readonly handle?: FileSystemFileHandle;
}

/** A `FileProblem` as plain data: errors lose their class on the way between threads. */
export interface PlainProblem {
  readonly code: FileProblemCode;
  readonly path: string;
  readonly reason: string;
}

/** What a drop, or a folder that was picked, has brought. */
export interface Found {
  readonly entries: readonly Entry[];
  /** Folders and files that the browser does not give out: `unreadable`. */
  readonly problems: readonly PlainProblem[];
}

export interface OfflineSettings {
  /** Empty: named after the folder. */
  readonly run: string;
  /** Samples per slice. */
  readonly bins: number;
  /** Of recordings that do not say theirs; null: the usual one. */
  readonly sampleRateHz: number | null;
  readonly loHz: number | null;
  readonly window: WindowName;
  readonly engine: EnginePreference;
  /** Files are compared with the SHA-512 in their metadata, where there is one. */
  readonly verify: boolean;
  /** What `.bin`, `.dat`, `.iq` and `.raw` hold that say nothing of themselves; no samples unless given. */
  readonly untyped?: SampleType | null;
}

/** - `new`: not asked for yet · `queued`: its turn will come · `done`: in the sum */
export type RecordingStatus = 'new' | 'queued' | 'done';

/** One line of the table before the start: a recording that can be measured, or a saved result. */
export interface SurveyRow {
  readonly kind: 'pair' | 'interleaved' | 'saved';
  /** Unique in the survey; a pair's is `folder/duck_{i,q}_00042.dat`. */
  readonly path: string;
  /** Number of the pair; null where there is none. */
  readonly file: number | null;
  /** Another pair that is no copy of this one has the same number: both are measured. */
  readonly sharesNumber: boolean;
  /** Of both halves. */
  readonly bytes: number;
  readonly slices: number;
  /** Samples that fill no slice and are not used. */
  readonly remainderSamples: number;
  /** Unix milliseconds; null where not known. */
  readonly startMs: number | null;
  readonly status: RecordingStatus;
}

export interface Survey {
  readonly run: string;
  readonly geometry: Geometry;
  readonly window: WindowName;
  /** Something has been measured: bins, rate, LO and window stay as they are. */
  readonly isFixed: boolean;
  /** In the order in which they are measured; saved results first. */
  readonly rows: readonly SurveyRow[];
  /** Files that cannot be used, each with its reason; sorted by path. */
  readonly problems: readonly PlainProblem[];
  /** Files that are nothing of ours. */
  readonly ignored: number;
  /** Of the rows that are `new`. */
  readonly bytes: number;
}

/** The lines of a survey, or some of them. */
export type SurveyPart = Pick<Survey, 'rows' | 'problems'>;

/** A survey without its lines: there may be tens of thousands. */
export interface SurveyHead extends Omit<Survey, 'rows' | 'problems'> {
  readonly rowCount: number;
  readonly problemCount: number;
}

/** How fast the engine is here, and from where its numbers are. */
export interface Pace {
  readonly engine: string;
  /** Null: nothing to measure with, or no engine. */
  readonly bytesPerSecond: number | null;
}

/**
 * - `empty`: nothing measured, nothing asked for
 * - `measuring`: recordings are read
 * - `stopping`: those in hand are finished
 * - `done`: everything that was asked for has been looked at
 * - `stopped`: a person has ended it, and something is left
 * - `failed`: no engine could go on
 */
export type OfflinePhase = 'empty' | 'measuring' | 'stopping' | 'done' | 'stopped' | 'failed';

export interface RecordingInHand {
  readonly path: string;
  readonly bytes: number;
  readonly readBytes: number;
}

/** Where the analysis stands. */
export interface OfflineStatus {
  readonly phase: OfflinePhase;
  readonly run: string;
  readonly geometry: Geometry;
  readonly window: WindowName;
  readonly isFixed: boolean;
  /** Recordings that were asked for since the last start from rest; done includes those with a problem. */
  readonly recordings: { readonly done: number; readonly all: number };
  readonly bytes: { readonly done: number; readonly all: number };
  /** Oldest first. */
  readonly inHand: readonly RecordingInHand[];
  /** Null: nothing to judge by yet. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** The run-wide sum: files of saved results count, too. */
  readonly files: number;
  readonly slices: number;
  /** Unix milliseconds; NaN where not known. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Which numbers of which folders are not in the sum. */
  readonly missing: string;
  /** Path of the recording whose spectrum is shown as the latest one; null follows the measurement. */
  readonly shown: string | null;
  /** Times of files that overlap, as after a copy: so many were put one behind the other. */
  readonly displaced: number;
  /** Why no engine works. */
  readonly trouble: string | null;
}

/** One recording that is in the sum. */
export interface MeasuredFile {
  readonly path: string;
  /** Number of the pair; without one its position in this session. */
  readonly file: number;
  readonly slices: number;
  /** Unix milliseconds, as shown in the waterfall. */
  readonly startMs: number;
  readonly endMs: number;
}

export type ExportFormat = 'csv' | 'ecsv' | 'npz' | 'json' | 'sigmf';

/** A file to be saved. */
export interface ExportedFile {
  readonly name: string;
  readonly content: Blob;
}

/** Handles of what was dropped or picked, by which it is found again after a reload. */
export type KeptRoots = readonly (FileSystemFileHandle | FileSystemDirectoryHandle)[];

/** What a person asked for. */
export interface KeptRequest {
  /** Null: it has to be dropped again. */
  readonly roots: KeptRoots | null;
  /** Paths of the rows that were asked for; all with null. */
  readonly paths: readonly string[] | null;
}

/** A session of an earlier visit, which can be gone on with. */
export interface KeptSummary extends KeptRequest {
  readonly settings: OfflineSettings;
  readonly run: string;
  readonly files: number;
  readonly slices: number;
  /** Unix milliseconds. */
  readonly savedMs: number;
}
