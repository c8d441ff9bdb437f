/** What a pool and its workers say to each other; blocks and moments are transferred, never copied. */
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import type { CpuKind } from './cpu-core.ts';
import type { EngineBlock, EngineErrorCode, EngineOptions } from './engine.ts';

export type ToWorker =
  | { readonly kind: 'start'; readonly core: CpuKind; readonly options: EngineOptions }
  | { readonly kind: 'block'; readonly id: number; readonly block: EngineBlock };

export type FromWorker =
  | {
      readonly kind: 'moments';
      readonly id: number;
      readonly moments: BlockMoments;
      /** The block's buffer, where it is to be kept. */
      readonly spare?: ArrayBuffer;
    }
  /** `id` null: the core could not be made. */
  | {
      readonly kind: 'refused';
      readonly id: number | null;
      readonly code: EngineErrorCode;
      readonly message: string;
    };

/** A started worker, in a browser or in Node. */
export interface WorkerPort {
  post(message: ToWorker, transfer: readonly ArrayBuffer[]): void;
  terminate(): Promise<void>;
}

export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void;
  /** The worker is no more, or never was: it could not be loaded, threw, or was ended. May be called twice. */
  readonly onEnd: (reason: string) => void;
}

/** @throws if this machine has no such worker */
export type StartWorker = (events: WorkerEvents) => WorkerPort;
