/** Processors of the tests' own: with the real session and the real engine, and a pace that is set. */
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { bridgeSocket } from '../../bridge/commands/bridge-socket.ts';
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { EngineBlock, SpectrumEngine } from '../../web/engine/engine.ts';
import { Session } from '../../web/worker/session.ts';
import { type Bridge, TOKEN } from '../e2e/haloscope.ts';

/** The engine, sleeping as long as a slower one would compute. */
class SlowedEngine implements SpectrumEngine {
  readonly #engine: SpectrumEngine;
  readonly #msOf: (slices: number) => number;
  readonly depth = 1;
  slices = 0;
  /** Of the first block that it began and the last that it ended. */
  begunMs = Number.NaN;
  endedMs = Number.NaN;

  constructor(engine: SpectrumEngine, msOf: (slices: number) => number) {
    this.#engine = engine;
    this.#msOf = msOf;
  }

  get description() {
    return { ...this.#engine.description, name: 'slowed engine' };
  }

  async process(block: EngineBlock): Promise<BlockMoments> {
    const begunMs = performance.now();
    if (this.slices === 0) this.begunMs = begunMs;
    const slices = block.segments.reduce((sum, segment) => sum + segment.slices, 0);
    this.slices += slices;
    const moments = await this.#engine.process(block);
    await sleep(Math.max(0, begunMs + this.#msOf(slices) - performance.now()));
    this.endedMs = performance.now();
    return moments;
  }

  dispose(): Promise<void> {
    return this.#engine.dispose();
  }
}

export interface SlowedProcessor {
  /** What it has been given so far. */
  readonly slices: number;
  readonly begunMs: number;
  readonly endedMs: number;
  stop(): Promise<void>;
}

/**
 * Joins the bridge, and stays until it is stopped or the test ends.
 * @param msOf how long a block of so many slices takes
 */
export async function keptSlowed(bridge: Bridge, msOf: (slices: number) => number): Promise<SlowedProcessor> {
  // In this thread: it sleeps nearly always.
  const engine = new SlowedEngine(await createCpuEngine({ bins: 3072, window: 'none', workers: 0 }), msOf);
  const session = new Session({
    url: bridge.url,
    open: bridgeSocket({ ca: null, tlsName: null }, ({ message }) => {
      throw new Error(message);
    }),
    software: 'test',
    role: 'processor',
    headless: true,
    token: TOKEN,
    createEngine: () => Promise.resolve(engine),
    handlers: { connection: () => {}, state: () => {}, spectrum: () => {}, engine: () => {} },
  });
  session.start();
  onTestFinished(() => session.stop());
  return {
    get slices() {
      return engine.slices;
    },
    get begunMs() {
      return engine.begunMs;
    },
    get endedMs() {
      return engine.endedMs;
    },
    stop: () => session.stop(),
  };
}
