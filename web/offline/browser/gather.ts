/**
 * Files out of what a person drops or picks, folders within folders included.
 *
 * A browser shows what was dropped in one of three forms: handles (Chromium; they outlive a reload), entries (all
 * others) or plain files (inputs). Whatever cannot be read is told and never stops the rest.
 */
import type { Entry, PlainProblem } from './types.ts';

/** What a person dropped or picked. */
export type Root = FileSystemFileHandle | FileSystemDirectoryHandle | FileSystemEntry | File;

export interface GatherEvents {
  /** More files, some hundred at a time. */
  readonly found: (entries: readonly Entry[]) => void | Promise<void>;
  readonly problem: (problem: PlainProblem) => void;
}

/** Files that are told of at once: to send that many handles to the worker takes the page some 30 ms. */
const BATCH = 64;
/** Names of a folder that are taken in at a time. */
const NAMES = 500;
/** Files of a folder that are asked for at a time. */
const CONCURRENT = 32;
/** A link may lead in circles, and not every browser says what is a link. */
const MOST_DEPTH = 32;

const nextTask = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve);
  });

const isHandle = (root: Root): root is FileSystemFileHandle | FileSystemDirectoryHandle => 'kind' in root;

const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** A file or folder in any form. */
type Node =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly file: () => Promise<File>;
      readonly handle?: FileSystemFileHandle;
    }
  | { readonly kind: 'folder'; readonly path: string; readonly children: () => AsyncIterable<Node> };

function nodeOf(root: Root, folder: string): Node {
  if (root instanceof File) {
    const path = root.webkitRelativePath === '' ? root.name : root.webkitRelativePath;
    return { kind: 'file', path: joined(folder, path), file: async () => root };
  }
  const path = joined(folder, root.name);
  return isHandle(root) ? ofHandle(root, path) : ofEntry(root, path);
}

function ofHandle(handle: FileSystemFileHandle | FileSystemDirectoryHandle, path: string): Node {
  if (handle.kind === 'file') return { kind: 'file', path, file: () => handle.getFile(), handle };
  return {
    kind: 'folder',
    path,
    children: async function* () {
      for await (const child of handle.values()) yield nodeOf(child, path);
    },
  };
}

function ofEntry(entry: FileSystemEntry, path: string): Node {
  if (entry.isFile) {
    const file = (): Promise<File> =>
      new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return { kind: 'file', path, file };
  }
  return {
    kind: 'folder',
    path,
    children: async function* () {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      for (;;) {
        // At most 100 come at a time; none means that these were all.
        const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
          reader.readEntries(resolve, reject),
        );
        if (some.length === 0) return;
        for (const child of some) yield nodeOf(child, path);
      }
    },
  };
}

const unreadable = (path: string, reason: string): PlainProblem => ({ code: 'unreadable', path, reason });

/** Names of errors when the system does not allow it; the last one is Chromium's for a folder without permission. */
const REFUSALS = ['NotAllowedError', 'NotReadableError', 'SecurityError', 'NoModificationAllowedError'];

/** What systems say when they do not give something out. */
function reasonOf(error: unknown, what: 'file' | 'folder'): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : String(error);
  if (name === 'NotFoundError') return `the ${what} is not there any more`;
  if (REFUSALS.includes(name))
    return `this computer does not let the browser read the ${what}; look at its permissions, then drop it again`;
  return `the ${what} cannot be read (${name}); drop it again`;
}

/** @throws an AbortError when `signal` says so; what was found until then has been told */
export async function gather(
  roots: readonly Root[],
  events: GatherEvents,
  signal: AbortSignal,
): Promise<void> {
  const search = new Search(events, signal);
  for (const root of roots) await search.take(nodeOf(root, ''), 0);
  await search.end();
}

class Search {
  readonly #events: GatherEvents;
  readonly #signal: AbortSignal;
  #waiting: (Node & { readonly kind: 'file' })[] = [];
  #batch: Entry[] = [];

  constructor(events: GatherEvents, signal: AbortSignal) {
    this.#events = events;
    this.#signal = signal;
  }

  async take(node: Node, depth: number): Promise<void> {
    this.#signal.throwIfAborted();
    if (node.kind === 'folder') return this.#folder(node, depth);
    this.#waiting.push(node);
    if (this.#waiting.length >= CONCURRENT) await this.#files();
  }

  async end(): Promise<void> {
    await this.#files();
    await this.#tell();
  }

  async #folder(folder: Node & { readonly kind: 'folder' }, depth: number): Promise<void> {
    if (depth === MOST_DEPTH) {
      const reason = `folders more than ${MOST_DEPTH} deep are not searched: a link may lead in circles`;
      this.#events.problem(unreadable(folder.path, reason));
      return;
    }
    const children: Node[] = [];
    try {
      for await (const child of folder.children()) {
        this.#signal.throwIfAborted();
        children.push(child);
        // Chromium gives out thousands at once, which are no tasks of their own.
        if (children.length % NAMES === 0) await nextTask();
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#events.problem(unreadable(folder.path, reasonOf(error, 'folder')));
    }
    for (const child of children) if (child.kind === 'file') await this.take(child, depth);
    for (const child of children) if (child.kind === 'folder') await this.take(child, depth + 1);
  }

  /** Looks at the files that wait, all at once: each takes a way to the browser's process and back. */
  async #files(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const files = await Promise.allSettled(waiting.map(({ file }) => file()));
    this.#signal.throwIfAborted();
    for (const [k, { path, handle }] of waiting.entries()) {
      const file = files[k] as PromiseSettledResult<File>;
      if (file.status === 'fulfilled')
        this.#batch.push({ path, file: file.value, ...(handle !== undefined && { handle }) });
      else this.#events.problem(unreadable(path, reasonOf(file.reason, 'file')));
    }
    if (this.#batch.length >= BATCH) await this.#tell();
  }

  /** Ends in a task of its own, so that thousands of files never hold the page up. */
  async #tell(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) await this.#events.found(batch);
    await nextTask();
  }
}
