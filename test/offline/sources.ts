/** Files in memory, recordings in them, and what their spectra have to be. */
import { FileProblem, pairFileName } from '../../bridge/protocol/pairs.ts';
import type { ByteSource } from '../../bridge/protocol/source.ts';
import { gaussian } from '../engine/accuracy.ts';

/** Modification time of every file: some fixed moment. */
export const MODIFIED_MS = Date.parse('2026-11-23T01:02:03.456Z');

export interface Trouble {
  /** Reading beyond this byte fails. */
  readonly brokenFrom?: number;
  /** It turns out at the end that the file is another one now. */
  readonly changes?: boolean;
}

export function memorySource(path: string, bytes: Uint8Array, trouble: Trouble = {}): ByteSource {
  return {
    path,
    bytes: bytes.length,
    modifiedMs: MODIFIED_MS,
    open: async () => {
      let least = 0;
      return {
        read: async (into, position) => {
          if (position < least)
            throw new Error(`position ${position} after ${least}: a stream cannot go back`);
          least = position;
          if (position + into.length > (trouble.brokenFrom ?? Infinity))
            throw new FileProblem('unreadable', path, 'cannot be read (EIO)');
          into.set(bytes.subarray(position, position + into.length));
        },
        checkUnchanged: async () => {
          if (trouble.changes === true)
            throw new FileProblem('changed', path, 'changed while it was being read');
        },
        close: async () => {},
      };
    },
  };
}

export const textSource = (path: string, text: string): ByteSource =>
  memorySource(path, new TextEncoder().encode(text));

export const bytesOf = (samples: Float32Array<ArrayBuffer> | Int16Array<ArrayBuffer>): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

/** Volts, near what the receiver delivers. */
const SIGMA = 2e-3;

export interface Iq {
  readonly i: Float32Array<ArrayBuffer>;
  readonly q: Float32Array<ArrayBuffer>;
}

/** Noise; another one for every seed. */
export const noise = (seed: number, samples: number): Iq => ({
  i: gaussian(samples, 2 * seed, SIGMA),
  q: gaussian(samples, 2 * seed + 1, SIGMA),
});

/** Both halves of a pair. */
export function pairSources(folder: string, file: number, { i, q }: Iq, trouble: Trouble = {}): ByteSource[] {
  const path = (channel: 'i' | 'q'): string => `${folder}/${pairFileName(channel, file)}`;
  return [memorySource(path('i'), bytesOf(i)), memorySource(path('q'), bytesOf(q), trouble)];
}

/** I Q I Q …; `scale` makes integers of volts. */
export function interleave({ i, q }: Iq): Float32Array<ArrayBuffer> {
  const both = new Float32Array(2 * i.length);
  for (let k = 0; k < i.length; k++) {
    both[2 * k] = i[k] as number;
    both[2 * k + 1] = q[k] as number;
  }
  return both;
}

/** SigMF metadata that are right, with these changes. */
export const sigmfText = (
  global: Readonly<Record<string, unknown>> = {},
  captures: readonly Readonly<Record<string, unknown>>[] = [
    { 'core:sample_start': 0, 'core:frequency': 5e9, 'core:datetime': '2026-01-02T03:04:05.678Z' },
  ],
): string =>
  JSON.stringify({
    global: { 'core:datatype': 'cf32_le', 'core:sample_rate': 1e6, 'core:version': '1.2.0', ...global },
    captures,
    annotations: [],
  });
