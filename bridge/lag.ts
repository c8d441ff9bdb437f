/** How far the bridge is behind its input, in files that are complete in the log and not yet published. */
import { performance } from 'node:perf_hooks';
import type { Assembler } from './assembly/assembler.ts';
import type { InputPort } from './log/port.ts';
import type { Logger } from './logger.ts';
import type { BridgeMetrics } from './metrics.ts';

/** How often the end of the input is asked for. */
const EVERY_MS = 1_000;

/**
 * An end that was heard longer ago is no longer known: a few questions have been left without answer, and what waits in
 * a partition that cannot be reached looks like nothing. Short against the minute after which a file is given up.
 */
const ENDS_STALE_MS = 5_000;

export class LagMeter {
  readonly #input: InputPort;
  readonly #metrics: BridgeMetrics;
  readonly #logger: Logger;
  #messagesPerFile: number | null = null;
  #measuredMs = -Infinity;
  #heardMs = -Infinity;
  /** Null while not known. */
  files: number | null = null;

  constructor(input: InputPort, metrics: BridgeMetrics, logger: Logger) {
    this.#input = input;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** Whether it is known how far every partition reaches. */
  knowsEnds(nowMs: number): boolean {
    return nowMs - this.#heardMs < ENDS_STALE_MS;
  }

  /** Asks once a second; also tells lag monitors where the bridge is. */
  tick(assemblers: readonly Assembler[], nowMs: number): void {
    if (nowMs - this.#measuredMs < EVERY_MS) return;
    this.#measuredMs = nowMs;
    void this.#measure(assemblers);
  }

  async #measure(assemblers: readonly Assembler[]): Promise<void> {
    try {
      const askedMs = performance.now();
      const ends = await this.#input.endOffsets();
      this.#heardMs = askedMs;
      for (const { positions } of assemblers)
        for (const [partition, end] of ends) positions.setEnd(partition, end);
      const watermarks = assemblers.flatMap((assembler) => assembler.progress().partitions);
      const behind = watermarks.map(
        ({ partition, watermark }) => (ends.get(partition) ?? watermark) - watermark,
      );
      this.files = this.#inFiles(
        behind.reduce((sum, messages) => sum + Math.max(0, messages), 0),
        assemblers,
      );
      this.#input.commit(new Map(watermarks.map(({ partition, watermark }) => [partition, watermark])));
    } catch (error) {
      this.files = null;
      this.#logger.debug({ err: error }, 'the end of the input is not known');
    }
    this.#metrics.setLag(this.files);
  }

  /** Without a rule of the log, files are taken to be as long as the last one published. */
  #inFiles(messages: number, assemblers: readonly Assembler[]): number | null {
    if (messages === 0) return 0;
    const [known] = assemblers.flatMap(({ messagesPerFile }) => messagesPerFile ?? []);
    this.#messagesPerFile = this.#input.offsetsPerFile ?? known ?? this.#messagesPerFile;
    return this.#messagesPerFile === null ? null : Math.floor(messages / this.#messagesPerFile);
  }
}
