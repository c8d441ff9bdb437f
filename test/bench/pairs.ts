/**
 * The benchmark's data: 16 simulated file pairs of nominal length, made once with a fixed seed, and the float64
 * reference of each, computed once with the reference of the tests.
 */
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pairFileName } from '../../bridge/protocol/pairs.ts';
import { repository } from '../../scripts/machine.mjs';
import { succeed } from '../e2e/haloscope.ts';
import { BINS, type Expected, expectedOf, NOMINAL_SLICES } from '../e2e/samples.ts';

export const PAIRS = 16;
/** I and Q of one pair. */
export const PAIR_BYTES = NOMINAL_SLICES * BINS * 8;

const FOLDER = join(repository, '.cache', 'bench');
const SEED = '20260101';

/** Folder with pairs 0 … 15. */
export async function pairsFolder(): Promise<string> {
  const folder = join(FOLDER, 'pairs');
  if (existsSync(folder)) return folder;
  console.log(`simulating ${PAIRS} file pairs, once …`);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await succeed('simulate', partial, '--files', String(PAIRS), '--first', '0', '--seed', SEED);
  await rename(partial, folder);
  return folder;
}

/** A folder with `files` pairs, numbered from 0, that are the 16 over and over, as hard links. */
export async function longFolder(files: number): Promise<string> {
  const source = await pairsFolder();
  const folder = join(FOLDER, `pairs-${files}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (let file = 0; file < files; file++) {
    for (const channel of ['i', 'q'] as const)
      await link(
        join(source, pairFileName(channel, file % PAIRS)),
        join(folder, pairFileName(channel, file)),
      );
  }
  return folder;
}

/** A folder with `files` pairs of `slices` slices each, numbered from 0: one simulated pair over and over. */
export async function shortFolder(files: number, slices: number): Promise<string> {
  const folder = join(FOLDER, `short-${files}-${slices}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await succeed('simulate', folder, '--files', '1', '--samples', String(slices * BINS), '--seed', SEED);
  for (let file = 1; file < files; file++) {
    for (const channel of ['i', 'q'] as const)
      await link(join(folder, pairFileName(channel, 0)), join(folder, pairFileName(channel, file)));
  }
  return folder;
}

/** What has to be published for pair `file % 16`, for the first of them. */
export async function expectedResults(pairs = PAIRS): Promise<Expected[]> {
  const expected: Expected[] = [];
  for (let file = 0; file < Math.min(pairs, PAIRS); file++) expected.push(await expectedResult(file));
  return expected;
}

async function expectedResult(file: number): Promise<Expected> {
  const path = join(FOLDER, `reference-${file}.f64`);
  if (existsSync(path)) {
    const values = asFloat64(await readFile(path));
    return { file, count: NOMINAL_SLICES, mean: values.slice(0, BINS), std: values.slice(BINS) };
  }
  if (file === 0) console.log('computing the float64 reference, once …');
  const folder = await pairsFolder();
  const [i, q] = await Promise.all(
    (['i', 'q'] as const).map(async (channel) =>
      asFloat32(await readFile(join(folder, pairFileName(channel, file)))),
    ),
  );
  if (i === undefined || q === undefined) throw new Error(`pair ${file} could not be read`);
  const expected = expectedOf({ file, slices: NOMINAL_SLICES, i, q });
  await writeFile(path, Buffer.concat([asBytes(expected.mean), asBytes(expected.std)]));
  return expected;
}

const asFloat32 = (bytes: Buffer): Float32Array<ArrayBuffer> => {
  const copy = new Uint8Array(bytes);
  return new Float32Array(copy.buffer, 0, copy.length / 4);
};
const asFloat64 = (bytes: Buffer): Float64Array => new Float64Array(new Uint8Array(bytes).buffer);
const asBytes = (values: Float64Array): Buffer => Buffer.from(values.buffer, 0, values.byteLength);
