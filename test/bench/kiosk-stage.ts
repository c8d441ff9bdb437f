/**
 * A day of results in some minutes: the real server with the real frames, whose spectra come as fast as they are
 * asked for. Times run as if every file had taken its 4.19 s, so that the page's history is that of a day.
 */
import { join } from 'node:path';
import { repository } from '../../scripts/machine.mjs';
import { Secret } from '../../bridge/config/secret.ts';
import { createLogger } from '../../bridge/logger.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import type { SpectrumFrame, Trace } from '../../bridge/protocol/frames.ts';
import {
  DEFAULT_BINS,
  DEFAULT_LO_HZ,
  DEFAULT_SAMPLE_RATE_HZ,
  nominalSlicesPerFile,
} from '../../bridge/protocol/geometry.ts';
import { emptyTimeSums } from '../../bridge/protocol/moments.ts';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import { type BridgeServer, startServer } from '../../bridge/server/server.ts';
import { sampleState, TestSource } from '../server/source.ts';

const GEOMETRY = { bins: DEFAULT_BINS, sampleRateHz: DEFAULT_SAMPLE_RATE_HZ, loHz: DEFAULT_LO_HZ };
export const SLICES = nominalSlicesPerFile(DEFAULT_BINS);
const FILE_MS = (1000 * SLICES * DEFAULT_BINS) / DEFAULT_SAMPLE_RATE_HZ;
const FLOOR = 5e-9;
const TONE_BIN = 2500;
/** Different noises, used in turn. */
const NOISES = 32;

/** About Gaussian: a sum of twelve uniform numbers has variance 1. */
const gaussian = (): number =>
  Array.from({ length: 12 }, () => Math.random()).reduce((sum, x) => sum + x, -6);

export class KioskStage extends TestSource {
  readonly #noises = Array.from({ length: NOISES }, () =>
    Float32Array.from({ length: DEFAULT_BINS }, gaussian),
  );
  readonly #sinceMs: number;
  #files = 0;

  /** @param files so many that the last of them ends about now */
  constructor(files: number) {
    super(GEOMETRY);
    this.#sinceMs = Date.now() - files * FILE_MS;
  }

  /** Files published so far. */
  get files(): number {
    return this.#files;
  }

  override state(): BridgeState {
    const state = sampleState(GEOMETRY);
    return {
      ...state,
      utc: new Date().toISOString(),
      run: { ...state.run, filesDone: this.#files, slicesDone: this.#files * SLICES },
      rejected: {},
      incomplete: [],
      alarms: [],
    };
  }

  /**
   * One more file: its result, the run with it, and the beginning of the next. Resolves when the result has been sent,
   * which is when the page has acknowledged those before; one that is replaced before that never is.
   */
  publishFile(): Promise<void> {
    const file = this.#files++;
    const result = this.#spectrum('latest', file);
    const { mean } = result;
    return new Promise((resolve) => {
      this.publish(this.#spectrum('run', file));
      // The server reads a spectrum at the moment when it sends it.
      this.publish({
        ...result,
        get mean() {
          resolve();
          return mean;
        },
      });
      this.publish(this.#spectrum('progress', file));
    });
  }

  #spectrum(trace: Trace, file: number): Omit<SpectrumFrame, 'sequence'> {
    const slices = { run: SLICES * (file + 1), latest: SLICES, progress: 480 }[trace];
    const noise = this.#noises[file % NOISES] as Float32Array;
    const mean = noise.map((sigma) => FLOOR * (1 + sigma / Math.sqrt(slices)));
    mean[TONE_BIN] = 4 * FLOOR;
    return {
      trace,
      run: 'test',
      file: trace === 'progress' ? file + 1 : file,
      files: trace === 'run' ? file + 1 : 1,
      slices,
      slicesExpected: trace === 'run' ? 0 : SLICES,
      newestUtcMs: this.#sinceMs + (file + 1) * FILE_MS,
      time: { ...emptyTimeSums(), samples: slices * DEFAULT_BINS, minI: -1, maxI: 1, minQ: -1, maxQ: 1 },
      mean,
      std: mean.slice(),
    };
  }
}

export const serveStage = (source: KioskStage): Promise<BridgeServer> =>
  startServer(source, {
    listen: { host: '127.0.0.1', port: 0 },
    publicOrigins: [],
    tls: null,
    token: new Secret('kiosk-bench-token-0123456789'),
    trustLocalPages: true,
    webFolder: join(repository, 'dist', 'web'),
    software: 'haloscope bench',
    log: createLogger('silent', false),
    metrics: new BridgeMetrics(),
    history: { query: () => null },
  });
