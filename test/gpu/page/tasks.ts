/** What the page's worker can be asked, and what it answers; everything here survives `structuredClone`. */
import type { EngineDescription } from '../../../web/engine/engine.ts';
import type { EnginePreference } from '../../../web/engine/choose.ts';
import type { AccuracyRow } from '../../engine/accuracy.ts';

export type Task =
  /** The GPU engine against the table, the named rows. */
  | {
      readonly kind: 'accuracy';
      readonly bins: number;
      readonly slices: number;
      readonly inputs: readonly string[];
    }
  /** The engine that is chosen here, and one block through it. */
  | { readonly kind: 'choose'; readonly prefer: EnginePreference }
  /** Blocks of these many slices, all at once, through the CPU engine's pool of so many workers. */
  | { readonly kind: 'pool'; readonly workers: number; readonly sizes: readonly number[] }
  /** As before, and the device is destroyed while blocks are in flight. */
  | { readonly kind: 'lose' }
  /** So many small blocks through a GPU engine, which is made by the first such task and kept. */
  | { readonly kind: 'steady'; readonly blocks: number };

export type Answer =
  | {
      readonly kind: 'accuracy';
      readonly description: EngineDescription;
      readonly rows: readonly AccuracyRow[];
    }
  | {
      readonly kind: 'engine';
      /** At the start, and after every switch. */
      readonly descriptions: readonly EngineDescription[];
      /** What was wrong with the answers. */
      readonly problems: readonly string[];
    }
  /** Buffers made on the GPU so far. */
  | { readonly kind: 'steady'; readonly buffers: number }
  | {
      readonly kind: 'pool';
      readonly description: EngineDescription;
      readonly problems: readonly string[];
      /** What a page only has from a server that isolates it. */
      readonly isolated: boolean;
      readonly sharedMemory: boolean;
    }
  | { readonly kind: 'failed'; readonly message: string };

declare global {
  interface Window {
    /** Set by the page once its worker is there. */
    runTask: (task: Task) => Promise<Answer>;
  }
}
