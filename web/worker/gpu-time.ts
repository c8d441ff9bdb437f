/**
 * The GPU's own time, by its timestamps, for a file's worth of slices: reported now and then while blocks go by.
 */
import { nominalSlicesPerFile } from '../../bridge/protocol/geometry.ts';
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import type { EngineBlock, EngineDescription, SpectrumEngine } from '../engine/engine.ts';

type TimedEngine = SpectrumEngine & { readonly lastBlockMs: number | undefined };

/** Slices whose time is averaged before it is said: a fifth of a file. */
const SLICES_PER_REPORT = 546;

/** The same engine, which says how long the GPU takes for a file; null once blocks have no such time any more. */
export class GpuTimer implements SpectrumEngine {
  readonly #engine: TimedEngine;
  readonly #bins: number;
  readonly #report: (msPerFile: number | null) => void;
  #slices = 0;
  #ms = 0;
  #wasTimed = false;

  constructor(engine: TimedEngine, bins: number, report: (msPerFile: number | null) => void) {
    this.#engine = engine;
    this.#bins = bins;
    this.#report = report;
  }

  get description(): EngineDescription {
    return this.#engine.description;
  }
  get depth(): number {
    return this.#engine.depth;
  }

  async process(block: EngineBlock): Promise<BlockMoments> {
    const moments = await this.#engine.process(block);
    this.#count(moments.count, this.#engine.lastBlockMs);
    return moments;
  }

  dispose(): Promise<void> {
    return this.#engine.dispose();
  }

  #count(slices: number, ms: number | undefined): void {
    if (ms === undefined) {
      if (this.#wasTimed) this.#report(null);
      this.#wasTimed = false;
      return;
    }
    this.#wasTimed = true;
    this.#slices += slices;
    this.#ms += ms;
    if (this.#slices < SLICES_PER_REPORT) return;
    this.#report((this.#ms / this.#slices) * nominalSlicesPerFile(this.#bins));
    this.#slices = 0;
    this.#ms = 0;
  }
}
