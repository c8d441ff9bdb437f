/**
 * A simulated run as the page gets it: simulator, bridge, engine and the frames' codec, without sockets and pace.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { SimulatorInput } from '../../bridge/log/embedded/simulator-input.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import { decodeSpectrum, encodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import type { SpectrumFrame } from '../../bridge/protocol/frames.ts';
import type { SignalParameters } from '../../bridge/simulator/signal.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { connectEngine } from '../pipeline/processor.ts';

/** A fifth of a file: 0.79 s. */
export const SLICES = 512;

export interface Observed {
  /** By number of the file. */
  readonly latest: readonly SpectrumFrame[];
  /** After each file. */
  readonly run: readonly SpectrumFrame[];
  readonly progress: readonly SpectrumFrame[];
}

/** The first files of a run. */
export async function observe(signal: SignalParameters, files: number): Promise<Observed> {
  const { geometry } = signal;
  const folder = await mkdtemp(join(tmpdir(), 'haloscope-'));
  const engine = await createCpuEngine({ bins: geometry.bins, window: 'none', workers: 0 });
  const samplesPerFile = SLICES * geometry.bins;
  const pipeline = new Pipeline({
    machine: 'here',
    scaleOut: null,
    input: new SimulatorInput({ signal, run: 'sim', from: 'earliest', samplesPerFile, speed: Infinity }),
    output: new LmdbOutput({ directory: join(folder, 'store') }),
    retention: null,
    inputName: 'simulator',
    geometry,
    run: 'sim',
    slicesPerFile: SLICES,
    from: 'earliest',
    incompleteAfterMs: 60_000,
    software: 'haloscope test',
    metrics: new BridgeMetrics(),
    logger: pino({ level: 'silent' }),
  });
  const seen: Record<SpectrumFrame['trace'], SpectrumFrame[]> = { latest: [], run: [], progress: [] };
  const done = new Promise<void>((resolve) => {
    pipeline.onSpectrum((snapshot) => {
      const frame = decodeSpectrum(new Uint8Array(encodeSpectrum({ ...snapshot, sequence: 0 })).buffer);
      if (seen.run.length < files) seen[frame.trace].push(frame);
      if (seen.run.length === files) resolve();
    });
  });
  await pipeline.start();
  connectEngine(pipeline, engine);
  await done;
  await pipeline.stop();
  await engine.dispose();
  await rm(folder, { recursive: true });
  return seen;
}
