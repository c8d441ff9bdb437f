/**
 * Writes a file pair so that nobody ever sees half of it: under names of its own first, and renamed when whole.
 * Samples are put down as they lie in memory, so the machine must be little-endian, as every one that Node runs on is.
 */

import { type FileHandle, open, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { BYTES_PER_SAMPLE, type Channel, pairFileName } from '../protocol/pairs.ts';

/** Samples per channel that are written at a time: 1 MB. */
const STRETCH_SAMPLES = 262_144;

export interface SampleSource {
  /** Samples per channel that are still to come. */
  readonly left: number;
  writeTo(i: Float32Array, q: Float32Array): void;
}

/**
 * @param modifiedMs modification time that both files get: when the DAQ would have finished the pair
 */
export async function writePair(
  folder: string,
  file: number,
  source: SampleSource,
  modifiedMs: number,
): Promise<void> {
  const target = (channel: Channel): string => join(folder, pairFileName(channel, file));
  const part = (channel: Channel): string => join(folder, `.${pairFileName(channel, file)}.part`);
  try {
    await writeParts(part('i'), part('q'), source);
    for (const channel of ['i', 'q'] as const) {
      await utimes(part(channel), new Date(modifiedMs), new Date(modifiedMs));
      await rename(part(channel), target(channel));
    }
  } finally {
    await Promise.all([rm(part('i'), { force: true }), rm(part('q'), { force: true })]);
  }
}

async function writeParts(iPath: string, qPath: string, source: SampleSource): Promise<void> {
  const i = new Float32Array(STRETCH_SAMPLES);
  const q = new Float32Array(STRETCH_SAMPLES);
  const handles: FileHandle[] = [];
  try {
    for (const path of [iPath, qPath]) handles.push(await open(path, 'w'));
    const [iHandle, qHandle] = handles as [FileHandle, FileHandle];
    while (source.left > 0) {
      const count = Math.min(STRETCH_SAMPLES, source.left);
      source.writeTo(i.subarray(0, count), q.subarray(0, count));
      const bytes = count * BYTES_PER_SAMPLE;
      await Promise.all([
        iHandle.writeFile(new Uint8Array(i.buffer, 0, bytes)),
        qHandle.writeFile(new Uint8Array(q.buffer, 0, bytes)),
      ]);
    }
  } finally {
    for (const handle of handles) await handle.close();
  }
}
