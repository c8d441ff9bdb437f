/** Folders of small file pairs for tests. */

import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Channel, pairFileName } from '../../bridge/protocol/pairs.ts';

/** Long enough ago for nobody to think that the file is still being written. */
const LONG_AGO_MS = 3_600_000;

export interface TestFolder {
  readonly path: string;
  /** A pair whose sample k is `sampleOf(file, k)` in I and its negative in Q. */
  pair(file: number, samples: number, ageMs?: number): Promise<void>;
  half(channel: Channel, file: number, bytes: Buffer, ageMs?: number): Promise<void>;
  /** Modification time of a pair's younger half. */
  modifiedMs(file: number): Promise<number>;
  remove(): Promise<void>;
}

/** Exact in float32, and another one for every file modulo 1000 and k below 8192. */
export const sampleOf = (file: number, k: number): number => ((file % 1000) * 8192 + k + 1) / 2 ** 20;

export function sampleBytes(file: number, samples: number, sign: number): Buffer {
  const out = new Float32Array(samples);
  for (let k = 0; k < samples; k++) out[k] = sign * sampleOf(file, k);
  return Buffer.from(out.buffer);
}

export async function testFolder(): Promise<TestFolder> {
  const path = join(await mkdtemp(join(tmpdir(), 'haloscope-pairs-')), 'run404');
  await mkdir(path);
  const half = async (channel: Channel, file: number, bytes: Buffer, ageMs = LONG_AGO_MS): Promise<void> => {
    const name = join(path, pairFileName(channel, file));
    await writeFile(name, bytes);
    const modified = new Date(Date.now() - ageMs);
    await utimes(name, modified, modified);
  };
  return {
    path,
    half,
    pair: async (file, samples, ageMs) => {
      await half('i', file, sampleBytes(file, samples, 1), ageMs);
      await half('q', file, sampleBytes(file, samples, -1), ageMs);
    },
    modifiedMs: async (file) => {
      const halves = await Promise.all(
        (['i', 'q'] as const).map((c) => stat(join(path, pairFileName(c, file)))),
      );
      return Math.max(...halves.map(({ mtimeMs }) => mtimeMs));
    },
    remove: () => rm(join(path, '..'), { recursive: true, force: true }),
  };
}
