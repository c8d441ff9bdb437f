/**
 * Writes a session down as it goes on, at most once a second, each time the sum with the files that came to it.
 * Where the browser keeps nothing, or has no room any more, the session goes on all the same.
 */
import type { KeptFile, KeptFrame, KeptSum, SessionStore } from './kept-session.ts';
import type { KeptRequest } from './types.ts';

const EVERY_MS = 1_000;

export class Keeper {
  readonly #store: Promise<SessionStore | null>;
  /** One write after the other. */
  #writing: Promise<void> = Promise.resolve();
  #waiting: KeptFile[] = [];
  #sum: (() => KeptSum) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writtenMs = -Infinity;
  #hasFailed = false;

  /** @param store null where the browser keeps nothing */
  constructor(store: Promise<SessionStore | null>) {
    this.#store = store;
  }

  /** A new session. */
  begin(frame: KeptFrame): void {
    this.#then((store) => store.begin(frame));
  }

  ask(request: KeptRequest): void {
    this.#then((store) => store.ask(request));
  }

  /** @param sum as it is whenever it is asked for */
  took(file: KeptFile, sum: () => KeptSum): void {
    this.#waiting.push(file);
    this.#sum = sum;
    const waitMs = this.#writtenMs + EVERY_MS - performance.now();
    if (waitMs <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), waitMs);
  }

  /** Writes what waits, at once. The sum is copied here, and belongs to just these files. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#sum === null || this.#waiting.length === 0) return;
    const files = this.#waiting;
    const sum = structuredClone(this.#sum());
    this.#waiting = [];
    this.#writtenMs = performance.now();
    this.#then((store) => store.put(sum, files, Date.now()));
  }

  #then(work: (store: SessionStore) => Promise<void>): void {
    this.#writing = this.#writing.then(async () => {
      const store = await this.#store;
      if (store === null || this.#hasFailed) return;
      try {
        await work(store);
      } catch {
        // A list with a gap would let a file count twice: what is kept then is the state before, as a whole.
        this.#hasFailed = true;
      }
    });
  }
}
