/**
 * A bridge on a stage: the real server with the real codecs, whose state and spectra a test sets, so that every
 * state of the page can be brought about.
 */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { repository } from '../../scripts/machine.mjs';
import type { SpectrumFrame, Trace } from '../../bridge/protocol/frames.ts';
import {
  DEFAULT_BINS,
  DEFAULT_LO_HZ,
  DEFAULT_SAMPLE_RATE_HZ,
  type Geometry,
} from '../../bridge/protocol/geometry.ts';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import type { BridgeServer, ServerOptions } from '../../bridge/server/server.ts';
import { serve } from '../server/harness.ts';
import { sampleState, TestSource } from '../server/source.ts';
import { healthy } from '../ui/states.ts';

export const WEB_FOLDER = join(repository, 'dist', 'web');
const GEOMETRY: Geometry = {
  bins: DEFAULT_BINS,
  sampleRateHz: DEFAULT_SAMPLE_RATE_HZ,
  loHz: DEFAULT_LO_HZ,
};
/** Bin of the strongest line that `spectrumOf` draws. */
export const TONE_BIN = 2500;
const FLOOR = 5e-9;

class StagedSource extends TestSource {
  staged: BridgeState = { ...sampleState(GEOMETRY), rejected: {}, incomplete: [], alarms: [] };

  constructor() {
    super(GEOMETRY);
  }

  override state(): BridgeState {
    return { ...this.staged, utc: new Date().toISOString() };
  }
}

/** A floor that undulates and a tone; different for every file. */
function spectrumOf(
  trace: Trace,
  file: number,
  newestUtcMs: number,
  clipped: number,
): Omit<SpectrumFrame, 'sequence'> {
  const slices = trace === 'progress' ? 480 : 2731 * (trace === 'run' ? file : 1);
  const mean = new Float32Array(DEFAULT_BINS);
  for (let k = 0; k < DEFAULT_BINS; k++) mean[k] = FLOOR * (1 + 0.02 * Math.sin(k * 12.9898 + file * 78.233));
  mean[TONE_BIN] = FLOOR * 4;
  return {
    trace,
    run: 'test',
    file,
    files: trace === 'run' ? file : 1,
    slices,
    slicesExpected: trace === 'run' ? 0 : 2731,
    newestUtcMs,
    time: healthy(slices, DEFAULT_BINS, { clipped }),
    mean,
    std: mean.slice(),
  };
}

export interface StagedBridge {
  readonly source: StagedSource;
  readonly server: BridgeServer;
  readonly url: string;
  readonly port: number;
  /** All three traces, the newest sample so many seconds old. */
  publish(file: number, ageSeconds?: number): void;
  /** One trace of a file in which so many samples clip. */
  publishClipped(trace: Trace, file: number, clipped: number): void;
}

/** Ends with the test. */
export async function stageBridge(options: Partial<ServerOptions> = {}): Promise<StagedBridge> {
  const source = new StagedSource();
  const server = await serve(source, { webFolder: WEB_FOLDER, ...options });
  return {
    source,
    server,
    url: server.url,
    port: server.port,
    publish(file, ageSeconds = 0.2) {
      const newestUtcMs = Date.now() - ageSeconds * 1000;
      for (const trace of ['run', 'latest', 'progress'] as const)
        source.publish(spectrumOf(trace, trace === 'progress' ? file + 1 : file, newestUtcMs, 1));
    },
    publishClipped(trace, file, clipped) {
      source.publish(spectrumOf(trace, file, Date.now() - 200, clipped));
    },
  };
}

/** Publishes a file again and again, until the test ends. */
export function keepPublishing(bridge: StagedBridge, everyMs = 250): void {
  let file = 2;
  bridge.publish(file);
  const timer = setInterval(() => bridge.publish(++file), everyMs);
  onTestFinished(() => clearInterval(timer));
}
