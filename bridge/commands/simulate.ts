/** `simulate DIR`: file pairs as a DAQ would have written them, the last of them ten seconds ago. */

import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SimulateOptions } from '../config/options.ts';
import { pairFileName } from '../protocol/pairs.ts';
import { DEFAULT_SETTLE_MS } from '../files/settling.ts';
import { writePair } from '../files/writer.ts';
import type { Logger } from '../logger.ts';
import { createProgress } from '../progress-display.ts';
import { BYTES_PER_IQ_SAMPLE } from '../protocol/geometry.ts';
import { PairGenerator } from '../simulator/generator.ts';
import { stopSignal } from '../stop-signal.ts';

/** @returns the exit status */
export async function runSimulate(options: SimulateOptions, log: Logger): Promise<number> {
  const { folder, files, first, samplesPerFile, signal } = options;
  await mkdir(folder, { recursive: true });
  const taken = options.force ? null : await firstTaken(options);
  if (taken !== null) {
    log.error(`${join(folder, taken)} is there already: choose another --first, or --force to replace it`);
    return 1;
  }
  const stop = stopSignal(() => log.info('stopping after the pair in hand'));
  const progress = createProgress('simulating', log);
  progress.total(files);
  const durationMs = (1000 * samplesPerFile) / signal.geometry.sampleRateHz;
  const lastMs = Date.now() - DEFAULT_SETTLE_MS;
  let written = 0;
  for (; written < files && !stop.aborted; written++) {
    const file = first + written;
    const modifiedMs = lastMs - (files - 1 - written) * durationMs;
    await writePair(folder, file, new PairGenerator(signal, file, samplesPerFile), modifiedMs);
    progress.file(samplesPerFile * BYTES_PER_IQ_SAMPLE);
  }
  progress.end();
  process.stdout.write(`${written} pairs from ${first} on, ${samplesPerFile} samples each, in ${folder}\n`);
  return 0;
}

async function firstTaken({ folder, first, files }: SimulateOptions): Promise<string | null> {
  for (let file = first; file < first + files; file++) {
    for (const channel of ['i', 'q'] as const) {
      const name = pairFileName(channel, file);
      if (await exists(join(folder, name))) return name;
    }
  }
  return null;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
