/**
 * Which partitions are paused. A pause of everything is a standing order, also for partitions assigned later; pauses
 * of single partitions end with their assignment, as do the reasons for them.
 */

export class Pauses {
  #all = false;
  readonly #held = new Set<number>();
  /** Exceptions from a pause of everything. */
  readonly #released = new Set<number>();

  pause(partitions?: readonly number[]): void {
    if (partitions === undefined) {
      this.#all = true;
      this.assignmentEnded();
      return;
    }
    for (const partition of partitions) {
      this.#held.add(partition);
      this.#released.delete(partition);
    }
  }

  resume(partitions?: readonly number[]): void {
    if (partitions === undefined) {
      this.#all = false;
      this.assignmentEnded();
      return;
    }
    for (const partition of partitions) {
      this.#held.delete(partition);
      if (this.#all) this.#released.add(partition);
    }
  }

  assignmentEnded(): void {
    this.#held.clear();
    this.#released.clear();
  }

  isPaused(partition: number): boolean {
    return this.#held.has(partition) || (this.#all && !this.#released.has(partition));
  }
}
