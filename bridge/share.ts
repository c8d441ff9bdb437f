/**
 * A share: the part of the input that has one progress record and one writer. All partitions are one share, unless
 * bridges scale out; then every partition is one, so that whoever gets it fences its last owner there and nowhere
 * else, and goes on from its progress.
 */
import { Assembler, type AssemblyEvents, type AssemblyOptions } from './assembly/assembler.ts';
import type { OpenFile } from './assembly/open-file.ts';
import type { AssignedPartition, LogError } from './log/port.ts';
import type { BridgeMetrics } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { type ResumeOptions, Resumption } from './resume.ts';

export interface ShareEvents
  extends Pick<AssemblyEvents, 'block' | 'rejected' | 'incomplete' | 'replayed' | 'runBegan'> {
  published(share: Share, file: OpenFile): void;
  operated(share: Share): void;
  failed(error: LogError): void;
}

export interface ShareOptions extends ResumeOptions {
  readonly assembly: AssemblyOptions;
  readonly software: string;
  readonly metrics: BridgeMetrics;
  readonly events: ShareEvents;
}

export class Share {
  /** Its number among all: that of its only partition, or −1 for all partitions. */
  readonly part: number;
  readonly partitions: readonly number[];
  readonly resumption: Resumption;
  readonly assembler: Assembler;
  readonly publisher: Publisher;

  private constructor(
    part: number,
    partitions: readonly number[],
    resumption: Resumption,
    assembler: Assembler,
    publisher: Publisher,
  ) {
    this.part = part;
    this.partitions = partitions;
    this.resumption = resumption;
    this.assembler = assembler;
    this.publisher = publisher;
  }

  /**
   * Becomes its only writer and goes on from its progress.
   * @returns the share and where it begins in each partition
   * @throws {LogError}
   */
  static async open(
    part: number,
    partitions: readonly AssignedPartition[],
    options: ShareOptions,
  ): Promise<{ readonly share: Share; readonly starts: ReadonlyMap<number, number> }> {
    const { assembly, events, software, metrics, output } = options;
    const resumption = new Resumption(options);
    const { assembler, starts } = await resumption.resume(
      partitions,
      (progress) =>
        new Assembler(
          assembly,
          {
            ...events,
            complete: (file) => publisher.add(file),
            incomplete: (file, entry) => {
              events.incomplete(file, entry);
              publisher.publishProgress();
            },
          },
          progress,
        ),
    );
    const publisher: Publisher = new Publisher({
      output,
      assembler,
      geometry: assembly.geometry,
      software,
      metrics,
      published: (file) => events.published(share, file),
      operated: () => events.operated(share),
      failed: (error) => events.failed(error),
    });
    const numbers = partitions.map(({ partition }) => partition);
    const share: Share = new Share(part, numbers, resumption, assembler, publisher);
    return { share, starts };
  }

  get idle(): boolean {
    return this.assembler.openFiles().length === 0 && this.publisher.idle;
  }
}
