/**
 * Failover: an engine that is the GPU while the GPU works, and the CPU while it does not.
 *
 *              fault; the block in hand goes to the CPU
 *       ┌─────┐ ─────────────────────────────────────▶ ┌─────┐
 *       │ gpu │                                         │ cpu │ ⟲ tries a fresh GPU after 10 s, 30 s, 2 min,
 *       └─────┘ ◀───────────────────────────────────── └─────┘    5 min, 5 min, …
 *              a fresh GPU passed its self-test; from the next block on
 *
 * A block belongs to one engine from its first slice to its last, so the switch never splits one.
 */
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import { type EngineBlock, type EngineDescription, EngineError, type SpectrumEngine } from './engine.ts';

/** An engine that says when it ended, and that leaves a block's samples as they were when it rejects. */
export interface FallibleEngine extends SpectrumEngine {
  readonly ended: Promise<EngineError>;
  /** Time of the last block on the device. */
  readonly lastBlockMs?: number | undefined;
}

export interface FailoverOptions {
  readonly makeGpu: () => Promise<FallibleEngine>;
  readonly makeCpu: () => Promise<SpectrumEngine>;
  /** Called after every switch. */
  readonly onChange: (description: EngineDescription) => void;
}

/** How the engine starts: with a GPU, or without one and why, and whether a later try makes sense. */
export type FailoverStart =
  | { readonly gpu: FallibleEngine; readonly why: string }
  | { readonly gpu: undefined; readonly why: string; readonly retry: boolean };

/**
 * Pauses between tries; the last one again and again. Chromium grants a site one new device and then none for
 * about two minutes, which the third pause outlasts.
 */
export const RETRY_PAUSES_MS: readonly number[] = [10_000, 30_000, 120_000, 300_000];

/** A GPU that worked for so long has earned the short pauses again. */
const STEADY_MS = 600_000;

/** Faults of a block or of the caller; all others are the engine's. */
const NOT_THE_ENGINE = new Set(['non-finite', 'bad-block', 'disposed']);

const isEngineFault = (error: unknown): boolean =>
  !(error instanceof EngineError && NOT_THE_ENGINE.has(error.code));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const inWords = (pauseMs: number): string =>
  pauseMs < 60_000 ? `${pauseMs / 1000} s` : `${Math.round(pauseMs / 60_000)} min`;

/** Why the CPU; where it is the slow one of the CPU engines, why that, too. */
const describeCpu = (cpu: SpectrumEngine, why: string): EngineDescription => ({
  ...cpu.description,
  why: cpu.description.kind === 'ts' ? `${why}; ${cpu.description.why}` : why,
});

/** A timer that keeps no Node process alive. */
function later(pauseMs: number, act: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(act, pauseMs);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

export class FailoverEngine implements SpectrumEngine {
  readonly #options: FailoverOptions;
  #gpu: FallibleEngine | undefined;
  #gpuSinceMs = 0;
  #cpu: Promise<SpectrumEngine> | undefined;
  #description: EngineDescription;
  #depth = 1;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;

  /** @throws {EngineError} when there is no GPU, and no CPU engine either */
  static async start(options: FailoverOptions, start: FailoverStart): Promise<FailoverEngine> {
    if (start.gpu) {
      const engine = new FailoverEngine(options, { ...start.gpu.description, why: start.why });
      engine.#adopt(start.gpu);
      return engine;
    }
    const cpu = await options.makeCpu();
    const engine = new FailoverEngine(options, describeCpu(cpu, start.why));
    engine.#cpu = Promise.resolve(cpu);
    engine.#depth = cpu.depth;
    if (start.retry) engine.#retryLater();
    return engine;
  }

  private constructor(options: FailoverOptions, description: EngineDescription) {
    this.#options = options;
    this.#description = description;
  }

  get description(): EngineDescription {
    return this.#description;
  }

  /** Of the engine that works now; it changes when the engine does. */
  get depth(): number {
    return this.#depth;
  }

  /** Time of the last block on the GPU; nothing on the CPU, or where the adapter has no timestamps. */
  get lastBlockMs(): number | undefined {
    return this.#gpu?.lastBlockMs;
  }

  async process(block: EngineBlock): Promise<BlockMoments> {
    if (this.#disposed) throw new EngineError('disposed', 'the engine was shut down');
    const gpu = this.#gpu;
    if (gpu) {
      try {
        return await gpu.process(block);
      } catch (error) {
        if (!isEngineFault(error) || this.#disposed) throw error;
        this.#lose(gpu, error);
      }
    }
    const cpu = await this.#getCpu();
    return cpu.process(block);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearTimeout(this.#timer);
    const cpu = this.#cpu;
    await Promise.all([this.#gpu?.dispose(), cpu?.then((engine) => engine.dispose()).catch(() => {})]);
  }

  #getCpu(): Promise<SpectrumEngine> {
    if (this.#cpu) return this.#cpu;
    const made = this.#options.makeCpu();
    this.#cpu = made;
    // A failure is the caller's to see; the next block tries again.
    made.catch(() => {
      if (this.#cpu === made) this.#cpu = undefined;
    });
    return made;
  }

  #adopt(gpu: FallibleEngine): void {
    this.#gpu = gpu;
    this.#gpuSinceMs = performance.now();
    this.#depth = gpu.depth;
    void gpu.ended.then((reason) => {
      if (reason.code !== 'disposed') this.#lose(gpu, reason);
    });
  }

  #lose(gpu: FallibleEngine, reason: unknown): void {
    if (this.#gpu !== gpu || this.#disposed) return;
    this.#gpu = undefined;
    if (performance.now() - this.#gpuSinceMs > STEADY_MS) this.#tries = 0;
    const pauseMs = this.#retryLater();
    const why = `${messageOf(reason)}; the CPU took over, the GPU is tried again in ${inWords(pauseMs)}`;
    void gpu.dispose().catch(() => {});
    this.#getCpu().then(
      (cpu) => {
        if (this.#gpu || this.#disposed) return;
        this.#depth = cpu.depth;
        this.#change(describeCpu(cpu, why));
      },
      // Whoever gives the next block is told; there is no engine to describe.
      () => {},
    );
  }

  #retryLater(): number {
    const pauseMs = RETRY_PAUSES_MS[Math.min(this.#tries, RETRY_PAUSES_MS.length - 1)] as number;
    this.#tries++;
    clearTimeout(this.#timer);
    this.#timer = later(pauseMs, () => void this.#retry());
    return pauseMs;
  }

  async #retry(): Promise<void> {
    let gpu: FallibleEngine;
    try {
      gpu = await this.#options.makeGpu();
    } catch {
      if (!this.#disposed) this.#retryLater();
      return;
    }
    if (this.#disposed) {
      await gpu.dispose();
      return;
    }
    this.#adopt(gpu);
    this.#change({ ...gpu.description, why: 'the GPU is back and passed its self-test' });
  }

  #change(description: EngineDescription): void {
    this.#description = description;
    this.#options.onChange(description);
  }
}
