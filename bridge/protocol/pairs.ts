/**
 * Names of file pairs, and what can be wrong with a pair or any other recording on disk. Pure, so that the bridge,
 * the commands and the page judge alike.
 */

export type Channel = 'i' | 'q';

export const BYTES_PER_SAMPLE = 4;

export const pairFileName = (channel: Channel, file: number): string =>
  `duck_${channel}_${String(file).padStart(5, '0')}.dat`;

/** Both names in one, for messages: `duck_{i,q}_00042.dat`. */
export const pairName = (file: number): string => `duck_{i,q}_${String(file).padStart(5, '0')}.dat`;

/** @returns null where the name is not that of half a pair. */
export function parseFileName(name: string): { readonly channel: Channel; readonly file: number } | null {
  const match = /^duck_([iq])_([0-9]{5})\.dat$/.exec(name);
  return match === null ? null : { channel: match[1] as Channel, file: Number(match[2]) };
}

/** Whether a name was probably meant to be that of half a pair: `duck_i_123.dat`. */
export const isMisnamed = (name: string): boolean =>
  /^duck_[iq]_.*\.dat$/i.test(name) && parseFileName(name) === null;

/**
 * Why a pair, half of one, or another recording is not used. A closed list.
 * - `orphan`: the other half is not there
 * - `misnamed`: looks like half a pair, but the number has not five digits
 * - `empty`: one half, or both, has no byte
 * - `mid-sample`: the length is no multiple of 4 bytes: the file was cut
 * - `unequal`: the halves differ in length
 * - `too-short`: less than one slice
 * - `growing`: still being written when its turn came
 * - `unreadable`: the system does not give it out
 * - `changed`: changed while it was being read
 * - `late`: turned up, or became whole, when later ones had been used already
 * - `duplicate`: the same samples lie under another path, and are used from there
 * - `non-finite`: holds NaN or Inf, and so has no mean
 * - `checksum`: the file is not the one of which its metadata have the SHA-512
 * - `unsupported`: its metadata or its form say something that cannot be read as samples of one channel
 * - `other-geometry`: sampling rate, frequency, slice length or window are not those of the others
 */
export type FileProblemCode =
  | 'orphan'
  | 'misnamed'
  | 'empty'
  | 'mid-sample'
  | 'unequal'
  | 'too-short'
  | 'growing'
  | 'unreadable'
  | 'changed'
  | 'late'
  | 'duplicate'
  | 'non-finite'
  | 'checksum'
  | 'unsupported'
  | 'other-geometry';

export class FileProblem extends Error {
  readonly code: FileProblemCode;
  /** File name without the folder; where folders are nested, the path from where the search began. */
  readonly file: string;
  /** The message without the file. */
  readonly reason: string;
  constructor(code: FileProblemCode, file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: ${reason}`, options);
    this.name = 'FileProblem';
    this.code = code;
    this.file = file;
    this.reason = reason;
  }

  /** The same about `folder/file`; `folder` may be empty. */
  within(folder: string): FileProblem {
    if (folder === '') return this;
    return new FileProblem(this.code, `${folder}/${this.file}`, this.reason, { cause: this.cause });
  }
}

/** One half as last looked at; null where it is not there. */
export interface HalfState {
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** What is wrong with a pair that does not change any more; null where nothing is. */
export function judge(
  file: number,
  i: HalfState | null,
  q: HalfState | null,
  bins: number,
): FileProblem | null {
  const problem = (code: FileProblemCode, channel: Channel, message: string): FileProblem =>
    new FileProblem(code, pairFileName(channel, file), message);
  if (i === null || q === null) {
    const there = i === null ? 'q' : 'i';
    const missing = pairFileName(i === null ? 'i' : 'q', file);
    return problem('orphan', there, `${missing} is not there; a spectrum needs both`);
  }
  for (const [channel, half] of [
    ['i', i],
    ['q', q],
  ] as const) {
    if (half.bytes === 0) return problem('empty', channel, 'the file is empty');
    if (half.bytes % BYTES_PER_SAMPLE !== 0) {
      return problem(
        'mid-sample',
        channel,
        `${half.bytes} bytes end in the middle of a sample: the file was cut`,
      );
    }
  }
  if (i.bytes !== q.bytes) {
    return problem('unequal', 'i', `${i.bytes} bytes, but ${pairFileName('q', file)} has ${q.bytes}`);
  }
  const samples = i.bytes / BYTES_PER_SAMPLE;
  if (samples < bins)
    return problem('too-short', 'i', `${samples} samples are less than one slice of ${bins}`);
  return null;
}
