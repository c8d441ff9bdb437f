/**
 * Where file pairs lie, and what is found there: `duck_i_NNNNN.dat` and `duck_q_NNNNN.dat`, float32 samples and
 * nothing else. A folder of a disk (`disk-folder.ts`) or what lies under a prefix of a bucket (`s3/s3-folder.ts`).
 */

import { type Channel, FileProblem, type HalfState, isMisnamed, parseFileName } from '../protocol/pairs.ts';

/** A whole pair. */
export interface FilePair {
  readonly folder: PairFolder;
  readonly file: number;
  /** Per channel. */
  readonly samples: number;
  /** The later of the two modification times, Unix milliseconds. */
  readonly modifiedMs: number;
}

export interface FolderListing {
  /** File number → which halves are there, by name. */
  readonly halves: ReadonlyMap<number, { readonly i: boolean; readonly q: boolean }>;
  readonly misnamed: readonly string[];
}

export interface PairFolder {
  /** Path or address, for people. */
  readonly name: string;
  /** @throws whatever the system throws where it cannot be read */
  list(): Promise<FolderListing>;
  /** Null where it is not there. @throws {FileProblem} `unreadable` */
  look(channel: Channel, file: number): Promise<HalfState | null>;
  /** @throws {FileProblem} `unreadable` */
  open(channel: Channel, file: number): Promise<OpenHalf>;
  /** @param pollMs how often to look where nothing tells of changes */
  watch(pollMs?: number): ChangeWatch;
}

/** One half of a pair that is being read. */
export interface OpenHalf {
  /** Fills the buffers, one after the other, from `position` on. @throws {FileProblem} `unreadable`, `changed` */
  read(into: readonly Uint8Array[], position: number): Promise<void>;
  /** As it is now. */
  state(): Promise<HalfState>;
  close(): Promise<void>;
}

/** Tells when a folder may have changed. */
export interface ChangeWatch {
  /** Resolves at the next change, after `limitMs` or the poll's pace, or when the signal aborts. */
  wait(signal: AbortSignal, limitMs?: number): Promise<void>;
  close(): void;
}

/** What file names tell. */
export function listingOf(names: Iterable<string>): FolderListing {
  const halves = new Map<number, { i: boolean; q: boolean }>();
  const misnamed: string[] = [];
  for (const name of names) {
    const half = parseFileName(name);
    if (half === null) {
      if (isMisnamed(name)) misnamed.push(name);
      continue;
    }
    const known = halves.get(half.file) ?? { i: false, q: false };
    known[half.channel] = true;
    halves.set(half.file, known);
  }
  return { halves, misnamed: misnamed.toSorted() };
}

export const unreadable = (name: string, error: unknown): FileProblem =>
  new FileProblem(
    'unreadable',
    name,
    `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    { cause: error },
  );
