/**
 * One processor as the dispatcher sees it: its credits, the leases that it holds, and how far it is to be trusted.
 */
import type { EngineSummary } from '../protocol/state.ts';
import type { Block, ProcessorLink } from './lease.ts';

/** So long without an answer that is due, and a processor is taken for silent. */
export const LEASE_DEADLINE_MS = 10_000;

/** Weight of the newest block in the smoothed engine time. */
const SMOOTHING = 0.1;

/** A block on its way through the leases. */
export interface Task {
  readonly block: Block;
  /** Epoch of the newest lease; 0 before the first. */
  epoch: number;
  /** How much speaks against the block itself. */
  doubt: number;
  /** Connections that have failed on it. */
  readonly failedBy: Set<string>;
}

interface Held {
  readonly task: Task;
  readonly epoch: number;
  readonly sinceMs: number;
  /** Time by which it is answered at the latest, however busy the processor is with the leases before it. */
  readonly lastMs: number;
}

export class Processor {
  readonly link: ProcessorLink;
  engine: EngineSummary;
  credits = 0;
  blocksDone = 0;
  /** Answers that were wrong or none, since the last right one. */
  failures = 0;
  /** Smoothed engine time per slice; null before the first answer. */
  msPerSlice: number | null = null;
  readonly #leases = new Map<number, Held>();
  /** When it last answered or gave credit. */
  #heardMs: number;

  constructor(link: ProcessorLink, nowMs: number) {
    this.link = link;
    this.engine = link.engine;
    this.#heardMs = nowMs;
  }

  get leases(): number {
    return this.#leases.size;
  }

  /** Whether it has answered rightly before: then it is not the processor that is broken when a block fails. */
  get isProven(): boolean {
    return this.blocksDone > 0;
  }

  /** When one more block would be done, by its own figures; nothing is known before its first answer. */
  get expectedMs(): number {
    return (this.leases + 1) * (this.msPerSlice ?? 0);
  }

  grant(blocks: number, nowMs: number): void {
    this.credits += blocks;
    this.#heardMs = nowMs;
  }

  /** Takes one more block, under the task's next epoch. */
  lease(task: Task, nowMs: number): void {
    task.epoch++;
    this.credits--;
    const lastMs = nowMs + LEASE_DEADLINE_MS * (this.leases + 1);
    this.#leases.set(task.block.id, { task, epoch: task.epoch, sinceMs: nowMs, lastMs });
    this.link.deliver({ block: task.block, epoch: task.epoch });
  }

  /** The lease that an answer is for; null for one that was taken back meanwhile. */
  settle(block: number, epoch: number, nowMs: number): Task | null {
    const lease = this.#leases.get(block);
    if (!lease || lease.epoch !== epoch) return null;
    this.#heardMs = nowMs;
    this.#leases.delete(block);
    return lease.task;
  }

  /** Every task that it holds, which it then does not hold any more. */
  takeBack(): Task[] {
    const tasks = [...this.#leases.values()].map(({ task }) => task);
    this.#leases.clear();
    return tasks;
  }

  counted(slices: number, computeMs: number): void {
    this.blocksDone++;
    this.failures = 0;
    const msPerSlice = computeMs / slices;
    const before = this.msPerSlice ?? msPerSlice;
    this.msPerSlice = before + SMOOTHING * (msPerSlice - before);
  }

  /**
   * Whether an answer is overdue. Blocks are computed one after the other, so the time of a lease runs from the
   * answer before it; one that is passed over for ever by others is overdue as well.
   * @param wantedSinceMs since when blocks wait for a processor; one without lease that gives no credit is silent, too
   */
  isSilent(nowMs: number, wantedSinceMs: number): boolean {
    const isLate = ({ sinceMs, lastMs }: Held): boolean =>
      nowMs - Math.max(sinceMs, this.#heardMs) >= LEASE_DEADLINE_MS || nowMs >= lastMs;
    if (this.leases > 0) return [...this.#leases.values()].some(isLate);
    return this.credits === 0 && nowMs - Math.max(wantedSinceMs, this.#heardMs) >= LEASE_DEADLINE_MS;
  }
}
