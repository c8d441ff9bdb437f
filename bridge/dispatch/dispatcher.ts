/**
 * Gives blocks to processors as leases and takes verified answers back.
 *
 *   queue ─▶ lease(epoch) ─▶ processor ─▶ answer ─▶ verified? ─▶ counted
 *     ▲                         │ gone, silent, failed or wrong │
 *     └──── next epoch ─────────┴───────────────────────────────┘
 *
 * A block stays in memory until an answer has counted, so losing a processor loses nothing. A faster processor
 * gives its credits back sooner and so gets more. Headless processors yield while a browser is there.
 */
import type { BlockMoments } from '../protocol/moments.ts';
import type { EngineSummary } from '../protocol/state.ts';
import type { Block, ProcessorLink, ProcessorSession } from './lease.ts';
import { faultOf } from './verify.ts';

/** A lease without an answer for so long is given to another processor. */
export const LEASE_DEADLINE_MS = 10_000;

/** So many leases lost by silence end the connection. */
const SILENT_LEASES = 2;

/** A block that so many leases have failed on cannot be done: its file is given up. */
const MAX_FAILURES = 5;

/** Weight of the newest block in the smoothed engine time. */
const SMOOTHING = 0.1;

export interface DispatchEvents {
  counted(block: Block, moments: BlockMoments, engine: EngineSummary): void;
  /** No processor could do it. */
  abandoned(block: Block, reason: string): void;
  /** A processor answered wrongly, failed or fell silent. */
  trouble(code: 'bad-results' | 'processor-failed' | 'silent-processor', message: string): void;
}

interface Task {
  readonly block: Block;
  /** Epoch of the newest lease; 0 before the first. */
  epoch: number;
  failures: number;
}

interface Held {
  readonly task: Task;
  readonly epoch: number;
  readonly sinceMs: number;
}

class Processor {
  readonly link: ProcessorLink;
  engine: EngineSummary;
  credits = 0;
  readonly leases = new Map<number, Held>();
  blocksDone = 0;
  silentLeases = 0;
  /** Smoothed engine time per slice; null before the first answer. */
  msPerSlice: number | null = null;

  constructor(link: ProcessorLink) {
    this.link = link;
    this.engine = link.engine;
  }
}

/** What the state shows of a processor. */
export interface ProcessorFigures {
  readonly engine: EngineSummary;
  readonly blocksInFlight: number;
  readonly blocksDone: number;
  readonly msPerSlice: number | null;
}

export class Dispatcher {
  readonly #events: DispatchEvents;
  readonly #now: () => number;
  readonly #processors = new Map<string, Processor>();
  #queue: Task[] = [];
  #bytes = 0;

  constructor(events: DispatchEvents, now: () => number) {
    this.#events = events;
    this.#now = now;
  }

  /** Bytes of slices held: queued and leased. */
  get outstandingBytes(): number {
    return this.#bytes;
  }

  /** Credits that could be used now. */
  get idleCredits(): number {
    return this.#eligible().reduce((sum, processor) => sum + processor.credits, 0);
  }

  get hasProcessor(): boolean {
    return this.#processors.size > 0;
  }

  get hasBrowser(): boolean {
    return [...this.#processors.values()].some((processor) => !processor.link.headless);
  }

  figures(id: string): ProcessorFigures | null {
    const processor = this.#processors.get(id);
    if (!processor) return null;
    const { engine, blocksDone, msPerSlice, leases } = processor;
    return { engine, blocksDone, msPerSlice, blocksInFlight: leases.size };
  }

  add(block: Block): void {
    this.#bytes += bytesOf(block);
    this.#queue.push({ block, epoch: 0, failures: 0 });
    this.#pump();
  }

  /** Forgets every block: the assignment has ended. Answers that are under way find no lease. */
  clear(): void {
    this.#queue = [];
    this.#bytes = 0;
    for (const processor of this.#processors.values()) processor.leases.clear();
  }

  join(link: ProcessorLink): ProcessorSession {
    const processor = new Processor(link);
    this.#processors.set(link.id, processor);
    return {
      grant: (blocks) => {
        processor.credits += blocks;
        this.#pump();
      },
      answer: (block, epoch, moments, computeMs) => this.#answer(processor, block, epoch, moments, computeMs),
      failed: (block, epoch, code, message) => this.#failed(processor, block, epoch, `${code}: ${message}`),
      engineChanged: (engine) => {
        processor.engine = engine;
      },
      leave: () => this.#leave(processor),
    };
  }

  /** Takes back leases past their deadline. */
  tick(): void {
    const now = this.#now();
    for (const processor of this.#processors.values()) {
      const late = [...processor.leases.values()].filter((lease) => now - lease.sinceMs >= LEASE_DEADLINE_MS);
      for (const lease of late) {
        processor.leases.delete(lease.task.block.id);
        processor.silentLeases++;
      }
      this.#requeue(late.map((lease) => lease.task));
      if (late.length > 0) this.#silent(processor);
    }
    this.#pump();
  }

  #silent(processor: Processor): void {
    const message = `no answer within ${LEASE_DEADLINE_MS / 1e3} s from ${processor.engine.name}; its blocks go to the next processor`;
    this.#events.trouble('silent-processor', message);
    if (processor.silentLeases >= SILENT_LEASES) this.#dismiss(processor, 'silent', message);
  }

  /** Headless ones only where there is no browser. */
  #eligible(): Processor[] {
    const all = [...this.#processors.values()];
    const browsers = all.filter((processor) => !processor.link.headless);
    return browsers.length > 0 ? browsers : all;
  }

  #pump(): void {
    while (this.#queue.length > 0) {
      const ready = this.#eligible().filter((processor) => processor.credits > 0);
      const [first, ...others] = ready;
      if (!first) return;
      const chosen = others.reduce(
        (best, each) => (each.leases.size < best.leases.size ? each : best),
        first,
      );
      this.#lease(chosen, this.#queue.shift() as Task);
    }
  }

  #lease(processor: Processor, task: Task): void {
    task.epoch++;
    processor.credits--;
    processor.leases.set(task.block.id, { task, epoch: task.epoch, sinceMs: this.#now() });
    processor.link.deliver({ block: task.block, epoch: task.epoch });
  }

  /** The lease that an answer is for; null for one that was taken back meanwhile. */
  #settle(processor: Processor, block: number, epoch: number): Task | null {
    const lease = processor.leases.get(block);
    if (!lease || lease.epoch !== epoch) return null;
    processor.leases.delete(block);
    return lease.task;
  }

  #answer(processor: Processor, id: number, epoch: number, moments: BlockMoments, computeMs: number): void {
    const task = this.#settle(processor, id, epoch);
    if (!task) return;
    const fault = faultOf(task.block, moments);
    if (fault !== null) {
      const message = `${processor.engine.name} answered block ${id} of file ${task.block.file} wrongly: ${fault}`;
      this.#retry(task, message);
      this.#events.trouble('bad-results', message);
      this.#dismiss(processor, 'bad-results', message);
      return;
    }
    this.#bytes -= bytesOf(task.block);
    processor.blocksDone++;
    processor.silentLeases = 0;
    const msPerSlice = computeMs / task.block.slices;
    const before = processor.msPerSlice ?? msPerSlice;
    processor.msPerSlice = before + SMOOTHING * (msPerSlice - before);
    this.#events.counted(task.block, moments, processor.engine);
  }

  #failed(processor: Processor, id: number, epoch: number, reason: string): void {
    const task = this.#settle(processor, id, epoch);
    if (!task) return;
    this.#events.trouble('processor-failed', `${processor.engine.name}, block ${id}: ${reason}`);
    this.#retry(task, reason);
  }

  #retry(task: Task, reason: string): void {
    task.failures++;
    if (task.failures < MAX_FAILURES) return this.#requeue([task]);
    this.#bytes -= bytesOf(task.block);
    this.#events.abandoned(task.block, `${MAX_FAILURES} attempts failed; the last: ${reason}`);
  }

  /** In front: their files wait longest. */
  #requeue(tasks: readonly Task[]): void {
    this.#queue.unshift(...tasks);
    this.#pump();
  }

  #dismiss(processor: Processor, code: 'bad-results' | 'silent', message: string): void {
    this.#leave(processor);
    processor.link.dismiss(code, message);
  }

  #leave(processor: Processor): void {
    this.#processors.delete(processor.link.id);
    const leases = [...processor.leases.values()];
    processor.leases.clear();
    processor.credits = 0;
    this.#requeue(leases.map((lease) => lease.task));
  }
}

const bytesOf = (block: Block): number => block.slices * block.bins * 8;
