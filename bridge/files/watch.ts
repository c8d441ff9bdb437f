/**
 * Tells when a folder may have changed: by `fs.watch` where it works, and at a steady pace everywhere, because on
 * network shares `fs.watch` stays silent or fails.
 */

import { type FSWatcher, watch } from 'node:fs';
import type { ChangeWatch } from './pairs.ts';

const DEFAULT_POLL_MS = 1_000;

export class FolderWatch implements ChangeWatch {
  readonly #watcher: FSWatcher | null;
  readonly #pollMs: number;
  #dirty = false;
  #wake: (() => void) | null = null;

  /** @param folder null: nothing tells of changes, there is only the poll */
  constructor(folder: string | null, pollMs = DEFAULT_POLL_MS) {
    this.#pollMs = pollMs;
    this.#watcher = folder === null ? null : this.#watch(folder);
  }

  /** Resolves at the next change, after `limitMs` or the poll's pace, or when the signal aborts. */
  async wait(signal: AbortSignal, limitMs = this.#pollMs): Promise<void> {
    if (signal.aborted) return;
    if (!this.#dirty) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(limitMs, this.#pollMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.#wake, { once: true });
      });
      if (this.#wake !== null) signal.removeEventListener('abort', this.#wake);
      this.#wake = null;
    }
    this.#dirty = false;
  }

  close(): void {
    this.#watcher?.close();
  }

  #watch(folder: string): FSWatcher | null {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#dirty = true;
        this.#wake?.();
      });
      // A watcher that fails leaves polling, which is enough.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }
}
