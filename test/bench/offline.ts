/**
 * `analyze` and the offline page on many pairs, beside reading alone, and beside Python scripts on the same files in
 * the same run, in turns. All are timed as a person waits for them: from the start of the process to its end, the page
 * from Start to the last file. How many slices Python takes at a time has been tried before.
 */
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publishedPowerScale } from '../../bridge/protocol/geometry.ts';
import { addMoments, emptyMoments, emptyTimeSums, sampleStd } from '../../bridge/protocol/moments.ts';
import { repository } from '../../scripts/machine.mjs';
import { Haloscope } from '../e2e/haloscope.ts';
import { BINS, SAMPLE_RATE_HZ } from '../e2e/samples.ts';
import { expectedResults, longFolder, PAIR_BYTES, PAIRS } from './pairs.ts';
import { comparatorPython } from './python.ts';
import { type Cell, printTable, spreadOf } from './table.ts';
import { tabRound } from './offline-tab.ts';
import { peakResidentMb } from './usage.ts';

const ROUNDS = 3;
const BYTES_PER_MB = 1e6;
/** The simulated files hold a DC spike: the bounds of the engines' table for such data. */
const TOLERANCE = { mean: 5e-6, std: 2e-5 };
const GOALS = 'goals 300, tab 600';
const TASK_GOAL_MS = 50;
const MEMORY_EVERY_MS = 20;
const READ_BYTES = 4 * 1024 * 1024;
const SCALE = publishedPowerScale({ bins: BINS, sampleRateHz: SAMPLE_RATE_HZ, loHz: 0 });

/** Power as published, [BINS]. */
interface Spectrum {
  readonly count: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

interface Round {
  readonly seconds: number;
  /** NaN where nobody looked. */
  readonly peakMb: number;
  /** Of the page's main thread. */
  readonly longestTaskMs?: number;
  /** Null where nothing is computed. */
  readonly spectrum: Spectrum | null;
}

interface Contestant {
  readonly name: string;
  readonly round: (folder: string) => Promise<Round>;
}

const reading: Contestant = {
  name: 'reading alone, one thread',
  round: async (folder) => {
    const into = new Uint8Array(READ_BYTES);
    const begin = performance.now();
    for (const name of readdirSync(folder).toSorted()) {
      const file = openSync(join(folder, name), 'r');
      while (readSync(file, into) > 0);
      closeSync(file);
    }
    return { seconds: (performance.now() - begin) / 1000, peakMb: Number.NaN, spectrum: null };
  },
};

const ours: Contestant = {
  name: 'haloscope analyze',
  round: async (folder) => {
    const begin = performance.now();
    const command = new Haloscope(['analyze', folder, '--json']);
    let peakMb = Number.NaN;
    const timer = setInterval(() => {
      const now = peakResidentMb(command.pid);
      // NaN where there is no /proc, and of a process that has just ended.
      if (now > peakMb || Number.isNaN(peakMb)) peakMb = now;
    }, MEMORY_EVERY_MS);
    const { status, stdout, stderr } = await command.finished();
    clearInterval(timer);
    const seconds = (performance.now() - begin) / 1000;
    if (status !== 0) throw new Error(`analyze ended with ${status}:\n${stderr}`);
    const { count, power, std } = JSON.parse(stdout) as Spectrum & { power: number[] };
    return { seconds, peakMb, spectrum: { count, mean: power, std } };
  },
};

const tab: Contestant = {
  name: 'offline page in Chromium',
  round: async (folder) => {
    const { json, ...figures } = await tabRound(folder);
    const { count, power, std } = JSON.parse(json) as Spectrum & { power: number[] };
    return { ...figures, spectrum: { count, mean: power, std } };
  },
};

/** A Python process; its answer is a line of JSON. */
async function ask(python: string, words: readonly string[]): Promise<unknown> {
  const path = join(repository, 'test', 'bench', 'offline.py');
  const { stdout } = await promisify(execFile)(python, [path, ...words], {
    maxBuffer: 2 ** 26,
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  return JSON.parse(stdout) as unknown;
}

async function script(
  python: string,
  library: 'numpy' | 'scipy',
  threads: boolean,
  tryOn: string,
): Promise<Contestant> {
  const how = ['--bins', String(BINS), '--library', library, ...(threads ? ['--threads'] : [])];
  const { chunk } = (await ask(python, [tryOn, ...how])) as { readonly chunk: number };
  return {
    name: `${library}${threads ? ', a thread per core' : ''}, ${chunk} slices at a time`,
    round: async (folder) => {
      const begin = performance.now();
      const found = (await ask(python, [folder, ...how, '--chunk', String(chunk)])) as Spectrum;
      const seconds = (performance.now() - begin) / 1000;
      const scaled = (values: readonly number[]): number[] => values.map((value) => value * SCALE);
      const spectrum = { count: found.count, mean: scaled(found.mean), std: scaled(found.std) };
      return { seconds, peakMb: Number.NaN, spectrum };
    },
  };
}

/** Float64 reference of the whole folder. */
async function expectedSpectrum(pairs: number): Promise<Spectrum> {
  const expected = await expectedResults(pairs);
  const sum = emptyMoments(BINS);
  for (let file = 0; file < pairs; file++) {
    const { count, mean, std } = expected[file % PAIRS] as (typeof expected)[number];
    const m2 = std.map((value) => value ** 2 * (count - 1));
    addMoments(sum, { count, mean, m2, time: emptyTimeSums() });
  }
  const std = Array.from(sum.mean, (_, bin) => sampleStd(sum, bin));
  return { count: sum.count, mean: Array.from(sum.mean), std };
}

function problemOf(found: Spectrum, wanted: Spectrum): string | undefined {
  if (found.count !== wanted.count) return `${found.count} slices, expected ${wanted.count}`;
  for (const name of ['mean', 'std'] as const) {
    for (let bin = 0; bin < BINS; bin++) {
      const error = Math.abs((found[name][bin] as number) / (wanted[name][bin] as number) - 1);
      if (!(error <= TOLERANCE[name])) return `${name} of bin ${bin} is off by ${error}`;
    }
  }
  return undefined;
}

/** @returns what came out and is wrong */
export async function benchOffline(pairs: number): Promise<string[]> {
  const folder = await longFolder(pairs);
  const wanted = await expectedSpectrum(pairs);
  const python = await comparatorPython();
  const scripts: Contestant[] = [];
  if (python !== undefined)
    for (const library of ['numpy', 'scipy'] as const)
      for (const threads of [false, true]) scripts.push(await script(python, library, threads, folder));
  const contestants = [reading, ours, tab, ...scripts];
  // Once unseen, so that nobody has to fetch the files from the disk for the others.
  await reading.round(folder);
  const rounds = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]));
  const problems: string[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    for (const { name, round } of contestants) {
      const done = await round(folder);
      rounds.get(name)?.push(done);
      const problem = done.spectrum === null ? undefined : problemOf(done.spectrum, wanted);
      if (problem !== undefined) problems.push(`offline, ${name}: ${problem}`);
    }
  }
  print(pairs, rounds);
  return problems;
}

function print(pairs: number, rounds: ReadonlyMap<string, readonly Round[]>): void {
  const megabytes = (pairs * PAIR_BYTES) / BYTES_PER_MB;
  const rates = (name: string): number[] =>
    (rounds.get(name) ?? []).map(({ seconds }) => megabytes / seconds);
  const own = spreadOf(rates(ours.name)).mean;
  const rows = [...rounds].map(([name, done]): Cell[] => {
    const { mean, std } = spreadOf(rates(name));
    const peakMb = Math.max(...done.map((round) => round.peakMb));
    const taskMs = Math.max(...done.map(({ longestTaskMs }) => longestTaskMs ?? Number.NaN));
    return [name, mean, std, name === ours.name ? '' : own / mean, peakMb, taskMs];
  });
  printTable(
    `Offline: ${pairs} pairs, ${(megabytes / 1000).toFixed(1)} GB from the page cache, ${ROUNDS} rounds in turns`,
    [
      '',
      'MB/s',
      '±',
      'analyze is × as fast',
      `peak MB (${GOALS})`,
      `longest task, ms (goal ${TASK_GOAL_MS})`,
    ],
    rows,
  );
}
