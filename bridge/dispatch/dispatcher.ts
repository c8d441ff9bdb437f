/**
 * Gives blocks to processors as leases and takes verified answers back.
 *
 *   queue ─▶ lease(epoch) ─▶ processor ─▶ answer ─▶ verified? ─▶ counted
 *     ▲                         │ gone, silent, failed or wrong │
 *     └──── next epoch ─────────┴───────────────────────────────┘
 *
 * A block stays in memory until an answer has counted, so losing a processor loses nothing. A block goes where it
 * will be done first, and a faster processor gives its credits back sooner, so it gets more. Headless processors
 * yield while a browser is there.
 */
import type { BlockMoments } from '../protocol/moments.ts';
import type { EngineSummary } from '../protocol/state.ts';
import type { Block, ProcessorLink, ProcessorSession } from './lease.ts';
import { LEASE_DEADLINE_MS, Processor, type Task } from './processor.ts';
import { faultOf } from './verify.ts';

/** A block with so much against it cannot be done: its file is given up. */
const MOST_DOUBT = 5;

/**
 * What one failure says against the block: much, where the processor has done others; little, where it has never
 * done any. So a few broken processors, however often they come back, cost no file.
 */
const DOUBT = { proven: 1, unproven: 0.25 } as const;

/** A processor that has failed so often and has never been right is sent away. */
const MOST_UNPROVEN_FAILURES = 3;

export interface DispatchEvents {
  counted(block: Block, moments: BlockMoments, engine: EngineSummary): void;
  /** No processor could do it. */
  abandoned(block: Block, reason: string): void;
  /** A processor answered wrongly, failed or fell silent. */
  trouble(code: 'bad-results' | 'processor-failed' | 'silent-processor', message: string): void;
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
  /** Since when blocks wait; of no meaning while none does. */
  #wantedSinceMs = 0;
  #bytes = 0;

  constructor(events: DispatchEvents, now: () => number) {
    this.#events = events;
    this.#now = now;
  }

  /** Bytes of slices held: queued and leased. */
  get outstandingBytes(): number {
    return this.#bytes;
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
    return { engine, blocksDone, msPerSlice, blocksInFlight: leases };
  }

  add(block: Block): void {
    this.#bytes += bytesOf(block);
    this.#enqueue([{ block, epoch: 0, doubt: 0, failedBy: new Set() }], 'last');
  }

  /** Forgets every block: the assignment has ended. Answers that are under way find no lease. */
  clear(): void {
    this.#queue = [];
    this.#bytes = 0;
    for (const processor of this.#processors.values()) processor.takeBack();
  }

  join(link: ProcessorLink): ProcessorSession {
    const processor = new Processor(link, this.#now());
    this.#processors.set(link.id, processor);
    return {
      grant: (blocks) => {
        processor.grant(blocks, this.#now());
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

  /** Ends the connections of processors whose answer is overdue. */
  tick(): void {
    const now = this.#now();
    const wantedSince = this.#queue.length > 0 ? this.#wantedSinceMs : now;
    for (const processor of this.#processors.values()) {
      if (!processor.isSilent(now, wantedSince)) continue;
      const message = `no answer within ${LEASE_DEADLINE_MS / 1e3} s from ${processor.engine.name}; its blocks go to the next processor`;
      this.#events.trouble('silent-processor', message);
      this.#dismiss(processor, 'silent', message);
    }
    this.#pump();
  }

  /** Headless ones only where there is no browser. */
  #eligible(): Processor[] {
    const all = [...this.#processors.values()];
    const browsers = all.filter((processor) => !processor.link.headless);
    return browsers.length > 0 ? browsers : all;
  }

  #pump(): void {
    for (let at = 0; at < this.#queue.length; ) {
      const ready = this.#eligible().filter((processor) => processor.credits > 0);
      if (ready.length === 0) return;
      const task = this.#queue[at] as Task;
      const [first, ...others] = this.#candidates(task, ready);
      if (first === undefined) {
        at++;
        continue;
      }
      this.#queue.splice(at, 1);
      others.reduce((best, each) => (isSooner(each, best) ? each : best), first).lease(task, this.#now());
    }
  }

  /** Who may have a block now: none that has failed on it, unless there is nobody else. */
  #candidates(task: Task, ready: readonly Processor[]): readonly Processor[] {
    if (task.failedBy.size === 0) return ready;
    const isNew = ({ link }: Processor): boolean => !task.failedBy.has(link.id);
    return this.#eligible().some(isNew) ? ready.filter(isNew) : ready;
  }

  #answer(processor: Processor, id: number, epoch: number, moments: BlockMoments, computeMs: number): void {
    const task = processor.settle(id, epoch, this.#now());
    if (!task) return;
    const fault = faultOf(task.block, moments);
    if (fault !== null) {
      const message = `${processor.engine.name} answered block ${id} of file ${task.block.file} wrongly: ${fault}`;
      this.#events.trouble('bad-results', message);
      this.#dismiss(processor, 'bad-results', message);
      this.#retry(processor, task, message);
      return;
    }
    this.#bytes -= bytesOf(task.block);
    processor.counted(task.block.slices, computeMs);
    this.#events.counted(task.block, moments, processor.engine);
  }

  #failed(processor: Processor, id: number, epoch: number, reason: string): void {
    const task = processor.settle(id, epoch, this.#now());
    if (!task) return;
    const message = `${processor.engine.name}, block ${id}: ${reason}`;
    this.#events.trouble('processor-failed', message);
    processor.failures++;
    if (!processor.isProven && processor.failures >= MOST_UNPROVEN_FAILURES)
      this.#dismiss(processor, 'bad-results', `no block done and ${processor.failures} failed; ${message}`);
    this.#retry(processor, task, reason);
  }

  #retry(processor: Processor, task: Task, reason: string): void {
    task.failedBy.add(processor.link.id);
    task.doubt += processor.isProven ? DOUBT.proven : DOUBT.unproven;
    if (task.doubt < MOST_DOUBT) return this.#enqueue([task], 'first');
    this.#bytes -= bytesOf(task.block);
    this.#events.abandoned(
      task.block,
      `${task.failedBy.size} processors failed on block ${task.block.id}; the last: ${reason}`,
    );
  }

  /** In front what had been leased before: its file waits longest. */
  #enqueue(tasks: readonly Task[], where: 'first' | 'last'): void {
    if (this.#queue.length === 0) this.#wantedSinceMs = this.#now();
    if (where === 'first') this.#queue.unshift(...tasks);
    else this.#queue.push(...tasks);
    this.#pump();
  }

  #dismiss(processor: Processor, code: 'bad-results' | 'silent', message: string): void {
    this.#leave(processor);
    processor.link.dismiss(code, message);
  }

  #leave(processor: Processor): void {
    this.#processors.delete(processor.link.id);
    processor.credits = 0;
    this.#enqueue(processor.takeBack(), 'first');
  }
}

/** Whether a block would be done sooner there; the shorter queue decides while no speed is known. */
const isSooner = (a: Processor, b: Processor): boolean =>
  a.expectedMs === b.expectedMs ? a.leases < b.leases : a.expectedMs < b.expectedMs;

const bytesOf = (block: Block): number => block.slices * block.bins * 8;
