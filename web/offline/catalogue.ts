/**
 * What a heap of files holds: recordings that can be analysed, saved results, and what is wrong with the rest.
 *
 * Judged by names, sizes and sidecars alone, before anything is read at length; whatever is wrong has a name and a
 * reason, and never stops the rest.
 */
import {
  BYTES_PER_SAMPLE,
  type Channel,
  FileProblem,
  isMisnamed,
  judge,
  pairName,
  parseFileName,
} from '../../bridge/protocol/pairs.ts';
import { baseName, type ByteSource, folderOf, readAll } from '../../bridge/protocol/source.ts';
import type { Checksum } from './checksum.ts';
import { type Recording, SAMPLE_BYTES, type SampleType, slicesOf, type Stretch } from './recording.ts';
import { parseSigmf, type SigmfMeta } from './sigmf.ts';

export interface Catalogue {
  /** In the order of their paths, pairs of one folder in the order of their numbers. */
  readonly recordings: readonly Recording[];
  /** Results of an earlier analysis, to be merged. */
  readonly saved: readonly ByteSource[];
  readonly problems: readonly FileProblem[];
  /** Files that are none of these. */
  readonly ignored: number;
}

const SIDECAR = '.sigmf-meta';
const SIDECAR_DATA = '.sigmf-data';
/** Largest sidecar that is read; a real one has kilobytes. */
const SIDECAR_BYTES = 16 * 1024 * 1024;
const RAW_TYPES: Readonly<Record<string, SampleType>> = {
  '.cf32': 'cf32',
  '.fc32': 'cf32',
  '.cs16': 'ci16',
  '.sc16': 'ci16',
};
/** Files that may hold samples, and do not say in which form. */
const UNTYPED = ['.bin', '.dat', '.iq', '.raw'];
const SAVED_SUFFIXES = ['.csv', '.ecsv', '.json'];

const suffixOf = (path: string): string => {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot).toLowerCase();
};

const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/**
 * @param found files of folders, in which whatever is unknown is passed over
 * @param named files that somebody named one by one: each has to be something, and may be a saved result. In a
 *   folder a table next to the data could be what an earlier analysis of the same data has written.
 * @param untyped what files such as `.bin` hold, of whose form nothing is known; null: no samples
 */
export async function makeCatalogue(
  found: readonly ByteSource[],
  named: readonly ByteSource[],
  bins: number,
  untyped: SampleType | null = null,
): Promise<Catalogue> {
  const sorter = new Sorter(bins, untyped);
  const isNamed = new Set(named);
  const all = new Map([...found, ...named].map((source) => [source.path, source]));
  for (const source of all.values()) sorter.take(source, isNamed.has(source));
  return sorter.finish();
}

interface Halves {
  readonly folder: string;
  readonly file: number;
  i: ByteSource | null;
  q: ByteSource | null;
  /** What a sidecar says of one half, or both; the first. */
  meta: SigmfMeta | null;
  readonly checksums: Checksum[];
}

/** What the sidecars of two halves differ in. */
const OWN_OF_A_HALF = { dataset: null, sha512: null };

class Sorter {
  readonly #bins: number;
  readonly #untyped: SampleType | null;
  readonly #pairs = new Map<string, Halves>();
  readonly #sidecars: ByteSource[] = [];
  /** Files with interleaved samples, by path; what a sidecar claims is taken out. */
  readonly #data = new Map<string, ByteSource>();
  readonly #others = new Map<string, { readonly source: ByteSource; readonly named: boolean }>();
  readonly #saved: ByteSource[] = [];
  readonly #problems: FileProblem[] = [];
  readonly #recordings: Recording[] = [];

  constructor(bins: number, untyped: SampleType | null) {
    this.#bins = bins;
    this.#untyped = untyped;
  }

  take(source: ByteSource, named: boolean): void {
    const { path } = source;
    const name = baseName(path);
    const half = parseFileName(name);
    const suffix = suffixOf(path);
    if (half !== null) this.#takeHalf(source, half.channel, half.file);
    else if (suffix === SIDECAR) this.#sidecars.push(source);
    else if (suffix === SIDECAR_DATA || suffix in RAW_TYPES) this.#data.set(path, source);
    else if (named && SAVED_SUFFIXES.includes(suffix)) this.#saved.push(source);
    else if (isMisnamed(name))
      this.#refuse('misnamed', path, 'expected a number of five digits, as in duck_i_00042.dat');
    else if (this.#untyped !== null && UNTYPED.includes(suffix)) this.#data.set(path, source);
    else this.#others.set(path, { source, named });
  }

  #takeHalf(source: ByteSource, channel: Channel, file: number): void {
    const folder = folderOf(source.path);
    const key = joined(folder, String(file));
    const halves = this.#pairs.get(key) ?? { folder, file, i: null, q: null, meta: null, checksums: [] };
    halves[channel] = source;
    this.#pairs.set(key, halves);
  }

  #refuse(code: FileProblem['code'], path: string, reason: string): void {
    this.#problems.push(new FileProblem(code, path, reason));
  }

  async finish(): Promise<Catalogue> {
    for (const sidecar of this.#sidecars) await this.#sigmf(sidecar);
    for (const halves of this.#pairs.values()) this.#pair(halves);
    for (const source of this.#data.values()) this.#raw(source);
    for (const { source, named } of this.#others.values()) {
      if (named) this.#refuse('unsupported', source.path, NO_RECORDING);
    }
    const inOrder = this.#recordings.toSorted(byPlace);
    const { unique, problems } = await withoutCopies(inOrder);
    return {
      recordings: unique,
      saved: this.#saved,
      problems: [...this.#problems, ...problems].toSorted((a, b) => compare(a.file, b.file)),
      ignored: [...this.#others.values()].filter(({ named }) => !named).length,
    };
  }

  #pair({ folder, file, i, q, meta, checksums }: Halves): void {
    const problem = judge(file, i, q, this.#bins);
    if (problem !== null || i === null || q === null) {
      if (problem !== null) this.#problems.push(problem.within(folder));
      return;
    }
    this.#recordings.push({
      kind: 'pair',
      path: joined(folder, pairName(file)),
      file,
      bytes: i.bytes + q.bytes,
      stretches: [{ from: 0, samples: i.bytes / BYTES_PER_SAMPLE }],
      sampleRateHz: meta?.sampleRateHz ?? null,
      loHz: meta?.captures[0]?.frequencyHz ?? null,
      startMs: meta?.captures[0]?.startMs ?? null,
      modifiedMs: Math.max(i.modifiedMs, q.modifiedMs),
      checksums,
      i,
      q,
    });
  }

  async #sigmf(sidecar: ByteSource): Promise<void> {
    const { path } = sidecar;
    const own = path.slice(0, -SIDECAR.length) + SIDECAR_DATA;
    // Whatever comes of it: with a sidecar, samples are not also read as if they had none.
    let source = this.#claim(own);
    try {
      if (sidecar.bytes > SIDECAR_BYTES)
        throw new FileProblem('unsupported', path, `${sidecar.bytes} bytes are no metadata`);
      const meta = parseSigmf(new TextDecoder().decode(await readAll(sidecar)), path);
      if (meta.type === 'rf32') return this.#sidecarOfHalf(path, meta);
      const wanted = meta.dataset === null ? own : joined(folderOf(path), meta.dataset);
      if (wanted !== own) source = this.#claim(wanted);
      if (source === null)
        throw new FileProblem('orphan', path, `${baseName(wanted)} with the samples is not there`);
      this.#interleaved(source, meta.type, meta);
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      this.#problems.push(error);
    }
  }

  /** @throws {FileProblem} `unsupported`, `orphan` */
  #sidecarOfHalf(path: string, meta: SigmfMeta): void {
    const half = parseFileName(meta.dataset ?? '');
    if (half === null || meta.captures.length !== 1 || meta.captures[0]?.from !== 0)
      throw new FileProblem('unsupported', path, 'rf32_le: expected half a pair, whole, as core:dataset');
    const halves = this.#pairs.get(joined(folderOf(path), String(half.file)));
    const source = halves?.[half.channel];
    if (halves === undefined || source == null)
      throw new FileProblem('orphan', path, `${meta.dataset} with the samples is not there`);
    if (meta.sha512 !== null) halves.checksums.push({ source, sha512: meta.sha512 });
    const { meta: before } = halves;
    halves.meta ??= meta;
    if (
      before !== null &&
      JSON.stringify({ ...before, ...OWN_OF_A_HALF }) !== JSON.stringify({ ...meta, ...OWN_OF_A_HALF })
    )
      throw new FileProblem('unsupported', path, 'says something else than the sidecar of the other half');
  }

  #claim(path: string): ByteSource | null {
    const source = this.#data.get(path) ?? this.#others.get(path)?.source ?? null;
    this.#data.delete(path);
    this.#others.delete(path);
    return source;
  }

  #raw(source: ByteSource): void {
    const suffix = suffixOf(source.path);
    const type = RAW_TYPES[suffix] ?? (UNTYPED.includes(suffix) ? this.#untyped : null);
    if (type === null) {
      this.#refuse('orphan', source.path, 'its .sigmf-meta is not there, which says how to read it');
      return;
    }
    const captures = [{ from: 0, frequencyHz: null, startMs: null }];
    this.#interleaved(source, type, { sampleRateHz: null, captures, sha512: null });
  }

  #interleaved(
    source: ByteSource,
    type: SampleType,
    { sampleRateHz, captures, sha512 }: Pick<SigmfMeta, 'sampleRateHz' | 'captures' | 'sha512'>,
  ): void {
    const { path, bytes } = source;
    if (bytes === 0) return this.#refuse('empty', path, 'the file is empty');
    const sampleBytes = SAMPLE_BYTES[type];
    if (bytes % sampleBytes !== 0) {
      const reason = `${bytes} bytes end in the middle of a sample of ${sampleBytes}: the file was cut`;
      return this.#refuse('mid-sample', path, reason);
    }
    const samples = bytes / sampleBytes;
    const last = captures.at(-1);
    if (last !== undefined && last.from >= samples) {
      const reason = `its last capture begins at sample ${last.from}, but it ends after ${samples}: it was cut`;
      return this.#refuse('unequal', path, reason);
    }
    const stretches = captures.map(({ from }, k): Stretch => {
      return { from, samples: (captures[k + 1]?.from ?? samples) - from };
    });
    const recording: Recording = {
      kind: 'interleaved',
      type,
      source,
      path,
      file: null,
      bytes,
      stretches,
      sampleRateHz,
      loHz: captures[0]?.frequencyHz ?? null,
      startMs: captures[0]?.startMs ?? null,
      modifiedMs: source.modifiedMs,
      checksums: sha512 === null ? [] : [{ source, sha512 }],
    };
    if (slicesOf(recording, this.#bins) === 0)
      this.#refuse('too-short', path, `${samples} samples hold no slice of ${this.#bins}`);
    else this.#recordings.push(recording);
  }
}

const NO_RECORDING =
  'expected half a pair (duck_i_00042.dat), SigMF, .cf32, .cs16, or a saved result (.csv, .ecsv, .json)';

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byPlace = (a: Recording, b: Recording): number =>
  compare(folderOf(a.path), folderOf(b.path)) ||
  (a.file ?? Infinity) - (b.file ?? Infinity) ||
  compare(a.path, b.path);

/** Read at either end of a recording to see whether another one is its copy: noise never repeats itself. */
const SAMPLE_OF_COPY_BYTES = 65_536;

/** Copies are pairs of the same number and length, in different folders, with the same samples at both ends. */
async function withoutCopies(
  recordings: readonly Recording[],
): Promise<{ readonly unique: Recording[]; readonly problems: FileProblem[] }> {
  const seen = new Map<string, Recording[]>();
  const unique: Recording[] = [];
  const problems: FileProblem[] = [];
  for (const recording of recordings) {
    const alike = seen.get(likeness(recording)) ?? [];
    const original = recording.kind === 'pair' ? await findOriginal(recording, alike) : undefined;
    if (original === undefined) {
      seen.set(likeness(recording), [...alike, recording]);
      unique.push(recording);
    } else {
      const reason = `holds the same samples as ${original.path}, and is used from there`;
      problems.push(new FileProblem('duplicate', recording.path, reason));
    }
  }
  return { unique, problems };
}

const likeness = ({ file, bytes }: Recording): string => `${file} ${bytes}`;

async function findOriginal(
  recording: Recording & { readonly kind: 'pair' },
  alike: readonly Recording[],
): Promise<Recording | undefined> {
  if (alike.length === 0) return undefined;
  try {
    const own = await endsOf(recording.i);
    for (const other of alike) {
      if (other.kind === 'pair' && isEqual(own, await endsOf(other.i))) return other;
    }
  } catch (error) {
    // Whoever reads it as a whole will meet the same problem, and say so.
    if (!(error instanceof FileProblem)) throw error;
  }
  return undefined;
}

async function endsOf(source: ByteSource): Promise<Uint8Array> {
  const size = Math.min(SAMPLE_OF_COPY_BYTES, source.bytes);
  const ends = new Uint8Array(2 * size);
  const open = await source.open();
  try {
    await open.read(ends.subarray(0, size), 0);
    await open.read(ends.subarray(size), Math.max(0, source.bytes - size));
  } finally {
    await open.close();
  }
  return ends;
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, k) => byte === b[k]);
