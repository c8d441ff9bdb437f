/**
 * Which partitions may be read now.
 *
 * Two reasons to wait: too many bytes of slices are held already (the log is the buffer, not the bridge), or a
 * partition has run ahead of the file that others still hold slices of.
 */
import type { InputPort } from './log/port.ts';

/** Slices held before reading pauses: eight blocks keep every engine busy while the next are fetched. */
const HELD_BYTES = 32 * 1024 * 1024;

/** With nobody to process them one block is enough to begin with at once. */
const HELD_BYTES_IDLE = 4 * 1024 * 1024;

/** Reading resumes at this share of the bound, so that it does not flutter. */
const RESUME_AT = 0.75;

export class FlowControl {
  readonly #input: Pick<InputPort, 'pause' | 'resume'>;
  #paused = new Set<number>();
  #full = false;

  constructor(input: Pick<InputPort, 'pause' | 'resume'>) {
    this.#input = input;
  }

  /** A new assignment: the input has forgotten its pauses. */
  reset(): void {
    this.#paused = new Set();
    this.#full = false;
  }

  isPaused(partition: number): boolean {
    return this.#paused.has(partition);
  }

  apply(
    partitions: readonly number[],
    heldBytes: number,
    hasProcessor: boolean,
    ahead: ReadonlySet<number>,
  ): void {
    const bound = hasProcessor ? HELD_BYTES : HELD_BYTES_IDLE;
    this.#full = heldBytes >= (this.#full ? RESUME_AT * bound : bound);
    const wanted = new Set(partitions.filter((partition) => this.#full || ahead.has(partition)));
    const pause = [...wanted].filter((partition) => !this.#paused.has(partition));
    const resume = [...this.#paused].filter((partition) => !wanted.has(partition));
    this.#paused = wanted;
    if (pause.length > 0) this.#input.pause(pause);
    if (resume.length > 0) this.#input.resume(resume);
  }
}
