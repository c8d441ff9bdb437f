/**
 * Computer: the part of a session that owns the engine. Blocks come in on credit, go through the engine, and
 * leave as moments; at most the engine's depth at a time, and one more on its way.
 *
 * The engine outlives connections. An answer to a lease of an earlier connection is dropped, because the bridge
 * has given that block to somebody else.
 */
import { type ClientMessage, MAX_CREDITS } from '../../bridge/protocol/control.ts';
import { encodeMoments } from '../../bridge/protocol/frames/moments.ts';
import { type BlockFrame, FrameError } from '../../bridge/protocol/frames.ts';
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import { type EngineDescription, EngineError, type SpectrumEngine } from '../engine/engine.ts';

/** Makes the engine for slices of `bins` samples; `changed` is to be called when another engine takes over. */
export type CreateEngine = (
  bins: number,
  changed: (description: EngineDescription) => void,
) => Promise<SpectrumEngine>;

/** The way to the bridge; what is said after the connection has ended is dropped. */
export interface ComputerLink {
  control(message: ClientMessage): void;
  frame(frame: ArrayBuffer): void;
}

export interface ComputerEvents {
  engine(description: EngineDescription | null, trouble: string | null): void;
  /** The engine cannot compute any more: the connection must end, so that its blocks go to another. */
  broken(message: string): void;
}

/** Blocks on their way while the engine is busy with `depth` others. */
const BLOCKS_AHEAD = 1;

/** Longest fields of a `failed` message that the bridge takes. */
const MAX_MESSAGE_LENGTH = 1024;

/** Faults of a block; after any other the engine is thrown away. */
const FAULTS_OF_A_BLOCK = new Set(['non-finite', 'bad-block']);

export class Computer {
  readonly #create: CreateEngine;
  readonly #events: ComputerEvents;
  #engine: { readonly bins: number; readonly engine: SpectrumEngine } | null = null;
  /** The engine being made, if any: only its newest order counts. */
  #order: symbol | null = null;
  #link: ComputerLink | null = null;
  readonly #queue: BlockFrame[] = [];
  #running = 0;
  /** Blocks that the bridge may still send. */
  #credits = 0;
  #busyUntilMs = 0;

  constructor(create: CreateEngine, events: ComputerEvents) {
    this.#create = create;
    this.#events = events;
  }

  /** A new connection wants slices of this length computed. The engine is made where there is none for it. */
  attach(link: ComputerLink, bins: number): void {
    this.#link = link;
    if (this.#engine?.bins === bins) this.#ready();
    else void this.#make(bins);
  }

  /** The connection is gone, and with it every block that has not been begun. */
  detach(): void {
    this.#link = null;
    this.#queue.length = 0;
    this.#credits = 0;
  }

  /** @throws {FrameError} `out-of-range` where the bridge sends more than it was given credit for, or other slices */
  take(block: BlockFrame): void {
    if (this.#credits < 1 || this.#engine === null)
      throw new FrameError('out-of-range', `block ${block.block} came without credit`);
    if (block.bins !== this.#engine.bins)
      throw new FrameError('out-of-range', `slices of ${block.bins} samples, expected ${this.#engine.bins}`);
    this.#credits -= 1;
    this.#queue.push(block);
    this.#pump();
  }

  async dispose(): Promise<void> {
    this.detach();
    this.#order = null;
    await this.#discard();
  }

  async #make(bins: number): Promise<void> {
    const order = Symbol(`engine for ${bins} bins`);
    this.#order = order;
    try {
      await this.#discard();
      const engine = await this.#create(bins, (description) => this.#changed(description));
      if (this.#order !== order) return await engine.dispose();
      this.#engine = { bins, engine };
      this.#ready();
    } catch (error) {
      if (this.#order === order) this.#events.engine(null, messageOf(error));
    }
  }

  async #discard(): Promise<void> {
    const old = this.#engine;
    this.#engine = null;
    await old?.engine.dispose();
  }

  #ready(): void {
    if (this.#engine !== null) this.#changed(this.#engine.engine.description);
    this.#topUp();
    this.#pump();
  }

  #changed(description: EngineDescription): void {
    if (this.#engine === null) return;
    this.#events.engine(description, null);
    this.#link?.control({ type: 'engine', engine: summary(description) });
    this.#topUp();
  }

  /** Keeps the engine's depth, which may change, and one block more on their way. */
  #topUp(): void {
    if (this.#engine === null || this.#link === null) return;
    const room = Math.min(MAX_CREDITS, this.#engine.engine.depth + BLOCKS_AHEAD);
    const blocks = room - this.#credits - this.#queue.length - this.#running;
    if (blocks < 1) return;
    this.#credits += blocks;
    this.#link.control({ type: 'credit', blocks });
  }

  #pump(): void {
    while (this.#engine !== null && this.#running < this.#engine.engine.depth) {
      const block = this.#queue.shift();
      if (block === undefined) return;
      void this.#compute(block, this.#engine.engine);
    }
  }

  async #compute(block: BlockFrame, engine: SpectrumEngine): Promise<void> {
    const link = this.#link;
    this.#running += 1;
    const begunMs = performance.now();
    const outcome = await engine.process(block).catch((error: unknown) => faultOf(error));
    const computeMs = this.#shareOf(begunMs);
    this.#running -= 1;
    if (link !== null && link === this.#link) answer(link, block, outcome, computeMs);
    if (outcome instanceof EngineError && !FAULTS_OF_A_BLOCK.has(outcome.code))
      await this.#break(engine, outcome);
    this.#topUp();
    this.#pump();
  }

  /** Blocks overlap in the engine: each counts only from when the one before it was done. */
  #shareOf(begunMs: number): number {
    const nowMs = performance.now();
    const shareMs = nowMs - Math.max(begunMs, this.#busyUntilMs);
    this.#busyUntilMs = nowMs;
    return Math.max(0, shareMs);
  }

  async #break(engine: SpectrumEngine, error: EngineError): Promise<void> {
    if (this.#engine?.engine !== engine) return;
    this.#engine = null;
    this.#events.engine(null, error.message);
    this.#events.broken(`the engine has failed: ${error.message}`);
    await engine.dispose();
  }
}

function answer(
  link: ComputerLink,
  { block, epoch }: BlockFrame,
  outcome: BlockMoments | EngineError,
  computeMs: number,
): void {
  if (outcome instanceof EngineError) {
    const message = outcome.message.slice(0, MAX_MESSAGE_LENGTH);
    link.control({ type: 'failed', block, epoch, code: outcome.code, message });
  } else {
    link.frame(encodeMoments({ block, epoch, computeMs, moments: outcome }));
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whatever an engine throws beyond its own list means that it cannot be used. */
const faultOf = (error: unknown): EngineError =>
  error instanceof EngineError ? error : new EngineError('unavailable', messageOf(error), { cause: error });

/** What the bridge takes of a description. */
const summary = ({ kind, name, why }: EngineDescription): EngineDescription => ({
  kind,
  name: name.slice(0, 256),
  why: why.slice(0, MAX_MESSAGE_LENGTH),
});
