/**
 * SigMF metadata: what a `.sigmf-meta` says of the samples beside it, and the sidecars that we write for raw pairs.
 *
 * Format: SigMF 1.x, https://sigmf.org. Only what decides how samples are read is looked at; a file that says
 * something there that we cannot follow is refused, never guessed.
 */
import * as v from 'valibot';
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import { baseName } from '../../bridge/protocol/source.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { type Recording, type SampleType, startOf } from './recording.ts';

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));

const Meta = v.object({
  global: v.object({
    'core:datatype': v.string(),
    'core:sample_rate': v.optional(v.pipe(v.number(), v.gtValue(0))),
    'core:num_channels': v.optional(natural),
    'core:dataset': v.optional(v.string()),
    'core:offset': v.optional(natural),
    'core:trailing_bytes': v.optional(natural),
    'core:metadata_only': v.optional(v.boolean()),
    'core:sha512': v.optional(
      v.pipe(v.string(), v.regex(/^[0-9a-f]{128}$/i, 'expected 128 hexadecimal digits')),
    ),
  }),
  captures: v.array(
    v.object({
      'core:sample_start': natural,
      'core:frequency': v.optional(v.number()),
      'core:datetime': v.optional(v.string()),
      'core:header_bytes': v.optional(natural),
    }),
  ),
});

export interface SigmfCapture {
  /** First sample. */
  readonly from: number;
  readonly frequencyHz: number | null;
  readonly startMs: number | null;
}

export interface SigmfMeta {
  /** `rf32`: one channel of a pair. */
  readonly type: SampleType | 'rf32';
  readonly sampleRateHz: number | null;
  /** At least one, in rising order. */
  readonly captures: readonly SigmfCapture[];
  /** Name of the file with the samples, where it is not the metadata's own with `.sigmf-data`. */
  readonly dataset: string | null;
  /** Of the file with the samples, in hexadecimal digits. */
  readonly sha512: string | null;
}

const TYPES: Readonly<Record<string, SigmfMeta['type']>> = {
  cf32_le: 'cf32',
  ci16_le: 'ci16',
  rf32_le: 'rf32',
};
/** Versions of SigMF differ little; this is the one that ours are written by. */
const VERSION = '1.2.0';

/**
 * @param path of the metadata, for messages
 * @throws {FileProblem} `unsupported`
 */
export function parseSigmf(text: string, path: string): SigmfMeta {
  const refuse = (reason: string): FileProblem => new FileProblem('unsupported', path, reason);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FileProblem('unsupported', path, 'expected JSON, as SigMF metadata are', { cause });
  }
  const parsed = v.safeParse(Meta, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw refuse(`${v.getDotPath(issue) ?? 'metadata'}: ${issue.message}`);
  }
  const { global, captures } = parsed.output;
  const datatype = global['core:datatype'];
  const type = TYPES[datatype];
  if (type === undefined) throw refuse(`core:datatype: expected cf32_le or ci16_le, found ${datatype}`);
  const channels = global['core:num_channels'] ?? 1;
  if (channels !== 1) throw refuse(`core:num_channels: expected 1, found ${channels}`);
  if (global['core:metadata_only'] === true) throw refuse('core:metadata_only: there are no samples to it');
  if (global['core:trailing_bytes'] || captures.some((capture) => capture['core:header_bytes']))
    throw refuse('bytes that are no samples (core:header_bytes, core:trailing_bytes) are not understood');
  return {
    type,
    sampleRateHz: global['core:sample_rate'] ?? null,
    captures: capturesOf(captures, refuse),
    dataset: global['core:dataset'] ?? null,
    sha512: global['core:sha512'] ?? null,
  };
}

function capturesOf(
  found: v.InferOutput<typeof Meta>['captures'],
  refuse: (reason: string) => FileProblem,
): SigmfCapture[] {
  if (found.length === 0) return [{ from: 0, frequencyHz: null, startMs: null }];
  const captures = found.map((capture) => ({
    from: capture['core:sample_start'],
    frequencyHz: capture['core:frequency'] ?? null,
    startMs: timeOf(capture['core:datetime'], refuse),
  }));
  captures.forEach(({ from, frequencyHz }, k) => {
    const before = captures[k - 1];
    if (before === undefined) return;
    if (from <= before.from) throw refuse('captures: expected rising core:sample_start');
    if (frequencyHz !== before.frequencyHz)
      throw refuse('captures of different core:frequency make no common spectrum');
  });
  return captures;
}

function timeOf(text: string | undefined, refuse: (reason: string) => FileProblem): number | null {
  if (text === undefined) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw refuse(`core:datetime: expected a time such as 2026-11-23T01:02:03Z, found ${text}`);
  return ms;
}

/**
 * Metadata for both halves of a pair, each a real-valued dataset under its own name: SigMF knows no complex recording
 * in two files. They are to lie beside the samples, where a later analysis finds them, too.
 * @returns name of the file → its text
 */
export function pairSidecars(
  recording: Recording & { readonly kind: 'pair' },
  { sampleRateHz, loHz }: Geometry,
  software: string,
): ReadonlyMap<string, string> {
  const names = { i: baseName(recording.i.path), q: baseName(recording.q.path) };
  const meta = (own: string, other: string, channel: string): string =>
    JSON.stringify(
      {
        global: {
          'core:datatype': 'rf32_le',
          'core:sample_rate': sampleRateHz,
          'core:version': VERSION,
          'core:num_channels': 1,
          'core:dataset': own,
          'core:description': `${channel} channel in volts; the other one is ${other}`,
          'core:recorder': software,
        },
        captures: [
          {
            'core:sample_start': 0,
            'core:frequency': loHz,
            'core:datetime': new Date(startOf(recording, sampleRateHz)).toISOString(),
          },
        ],
        annotations: [],
      },
      null,
      2,
    );
  const sidecar = (name: string): string => name.replace(/\.dat$/, '.sigmf-meta');
  return new Map([
    [sidecar(names.i), `${meta(names.i, names.q, 'in-phase')}\n`],
    [sidecar(names.q), `${meta(names.q, names.i, 'quadrature')}\n`],
  ]);
}
