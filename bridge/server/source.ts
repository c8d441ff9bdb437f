/**
 * What the server needs of the bridge behind it: processors join, viewers are fed, and the API asks.
 */
import type { ProcessorLink, ProcessorSession } from '../dispatch/lease.ts';
import type { ExportedSpectrum } from '../protocol/exports.ts';
import type { Geometry } from '../protocol/geometry.ts';
import type { CommandOutcome, OperatorCommand } from '../protocol/operator.ts';
import type { SpectrumFrame } from '../protocol/frames.ts';
import type { BridgeState } from '../protocol/state.ts';

/**
 * A spectrum for the viewers, still without the connection's sequence number. Its arrays must not change any
 * more: a slow viewer gets it later.
 */
export type SpectrumSnapshot = Omit<SpectrumFrame, 'sequence'>;

export type { ExportedSpectrum };

export interface BridgeSource {
  readonly geometry: Geometry;
  state(): BridgeState;
  /** A new processor; it gets no lease before it has granted credit. */
  join(link: ProcessorLink): ProcessorSession;
  /** Newest snapshot of each trace, for a client that has just come. */
  snapshots(): readonly SpectrumSnapshot[];
  /** Called whenever a trace has a newer snapshot; returns the unsubscriber. */
  onSpectrum(listener: (snapshot: SpectrumSnapshot) => void): () => void;
  /**
   * What an operator wants.
   * @param from where the command comes from, for its log
   */
  operate(command: OperatorCommand, from: string): Promise<CommandOutcome>;
  /** Null where the run or file is not known. */
  runSpectrum(run: string): Promise<ExportedSpectrum | null>;
  fileSpectrum(run: string, file: number): Promise<ExportedSpectrum | null>;
  /** Origins whose pages may come here as well: those of bridges that share the input. */
  peerOrigins(): ReadonlySet<string>;
  /** Empty when input and output are reachable, otherwise the reasons. */
  notReady(): readonly string[];
}
