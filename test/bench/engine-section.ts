/**
 * CPU engine against what people would use instead: the same job on the same data, all of them in one run, in turns.
 *
 * Each does the transform, |X|² and both moments; ours also forms all time sums and looks for NaN, as it always
 * does. Every answer is compared with the float64 reference.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nominalSlicesPerFile } from '../../bridge/protocol/geometry.ts';
import { findChromium, repository } from '../../scripts/machine.mjs';
import { startNodeWorker } from '../../web/engine/pool-node.ts';
import { gaussian, type Tolerance } from '../engine/accuracy.ts';
import { type ReferenceMoments, referenceMoments } from '../engine/reference.ts';
import {
  aroundSlices,
  type Contestant,
  ourEngine,
  type Pair,
  pffft,
  type Round,
  type Runner,
} from './contest.ts';
import { type PageTask, startPageContest } from './engine-chromium.ts';
import { pythonContestants } from './engine-python.ts';
import { fftJs } from './npm-ffts.ts';
import { memorySpeed } from './memory-speed.ts';
import { comparatorPython } from './python.ts';
import { type Cell, printTable, quantile } from './table.ts';

const LENGTHS = [3072, 4096] as const;
const SEED = 20260101;
const SIGMA_V = 0.1;
/** The first warms up; an odd number, so that the median is one of them. */
const WARM_UP_ROUNDS = 1;
const ROUNDS = 9;
/** The goals, on one core and from one to all. */
const RATIO_GOAL = 1.3;
const SCALING_GOAL = 0.85;
/** Ours: as everywhere for noise. */
const OUR_TOLERANCE: Tolerance = { mean: 5e-7, std: 5e-7 };
/** Others: a float32 transform with float32's own twiddles; more is a mistake in how we call it. */
const OTHERS_TOLERANCE: Tolerance = { mean: 2e-6, std: 2e-6 };

const WORKER = join(repository, 'dist', 'node', 'engine-worker.js');

interface Standing {
  readonly contestant: Contestant;
  readonly medianMs: number;
  readonly bestMs: number;
  readonly error: number;
}

/** @returns what was wrong */
export async function benchEngine(): Promise<string[]> {
  // What else runs here is in every figure.
  console.log(`load of this machine before: ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`);
  const python = await comparatorPython();
  const problems: string[] = [];
  const verdicts: Verdict[] = [];
  for (const bins of LENGTHS) {
    const { standings, wrong } = await contest(bins, python);
    printStandings(bins, standings);
    problems.push(...wrong);
    verdicts.push(...verdictsOf(bins, standings));
  }
  await printMemory();
  console.log('');
  printVerdicts(verdicts);
  return problems;
}

/** What the memory gives, beside which the scaling has to be judged. */
async function printMemory(): Promise<void> {
  const threads = availableParallelism();
  const [one, all] = [await memorySpeed(1), await memorySpeed(threads)];
  const [oneText, allText] = [one, all].map((speed) => `${(speed / 1e9).toFixed(1)} GB/s`);
  const scaling = percent(all / (threads * one));
  console.log(`\nmemory read into the cache: ${oneText} by one thread, ${allText} by ${threads}: ${scaling}`);
}

async function contest(
  bins: number,
  python: string | undefined,
): Promise<{ standings: Standing[]; wrong: string[] }> {
  const slices = nominalSlicesPerFile(bins);
  const pair: Pair = { samples: gaussian(2 * slices * bins, SEED, SIGMA_V), bins };
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-bench-engine-'));
  const file = join(folder, 'pair.f32');
  writeFileSync(file, pair.samples);
  const contestants: Contestant[] = [];
  try {
    contestants.push(...(await nodeContestants(pair)), ...(await chromiumContestants(file, bins)));
    if (python !== undefined) contestants.push(...(await pythonContestants(python, file, bins)));
    const reference = referenceMoments(pair.samples, [{ offset: 0, slices }], { bins });
    const standings = await inTurns(contestants, reference);
    return { standings, wrong: standings.flatMap((standing) => problemOf(bins, standing)) };
  } finally {
    for (const contestant of contestants) await contestant.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Workers of our engine: this thread, one, all. */
const WAYS = [...new Set([0, 1, availableParallelism()])];

const ours = (where: 'Node' | 'Chromium', workers: number) =>
  ({ where, family: `ours ${where}`, cores: Math.max(1, workers), isOurs: true }) as const;

async function nodeContestants(pair: Pair): Promise<Contestant[]> {
  const startWorker = startNodeWorker(WORKER);
  const alone = (runner: Runner): Contestant => ({
    ...runner,
    family: runner.name,
    where: 'Node',
    cores: 1,
    isOurs: false,
  });
  const powerOfTwo = fftJs(pair.bins);
  const contestants: Contestant[] = [];
  for (const workers of WAYS)
    contestants.push({ ...(await ourEngine(pair, workers, startWorker)), ...ours('Node', workers) });
  contestants.push(alone(aroundSlices(pair, await pffft(pair.bins))));
  if (powerOfTwo) contestants.push(alone(aroundSlices(pair, powerOfTwo)));
  return contestants;
}

async function chromiumContestants(file: string, bins: number): Promise<Contestant[]> {
  if (findChromium() === undefined) {
    console.log('no Chromium in PATH: its rows are left out');
    return [];
  }
  const page = await startPageContest(file, bins);
  const tasks: readonly PageTask[] = [...WAYS, 'pffft'];
  const made: Contestant[] = [];
  for (const [n, task] of tasks.entries()) {
    const { name } = await page.ask(task);
    const what =
      task === 'pffft'
        ? ({ where: 'Chromium', family: name, cores: 1, isOurs: false } as const)
        : ours('Chromium', task);
    const stop = async (): Promise<void> => (n === 0 ? page.stop() : undefined);
    made.push({ ...what, name, round: () => page.ask(task), stop });
  }
  return made;
}

/** Round by round, so that a noisy minute is everybody's. */
async function inTurns(contestants: readonly Contestant[], reference: ReferenceMoments): Promise<Standing[]> {
  const times = contestants.map((): number[] => []);
  const errors = contestants.map(() => 0);
  for (let n = 0; n < WARM_UP_ROUNDS + ROUNDS; n++) {
    for (const [k, contestant] of contestants.entries()) {
      const round = await contestant.round();
      errors[k] = Math.max(errors[k] as number, errorOf(round, reference));
      if (n >= WARM_UP_ROUNDS) times[k]?.push(round.ms);
    }
  }
  return contestants.map((contestant, k) => ({
    contestant,
    medianMs: quantile(times[k] ?? [], 0.5),
    bestMs: Math.min(...(times[k] ?? [])),
    error: errors[k] as number,
  }));
}

/** Worst bin of both moments, relative; infinite where there is none. */
function errorOf({ mean, std }: Round, { count, mean: wantedMean, m2 }: ReferenceMoments): number {
  let worst = 0;
  const relative = (is: number | undefined, wanted: number): number => {
    const error = Math.abs((is ?? Number.NaN) - wanted) / wanted;
    return Number.isFinite(error) ? error : Infinity;
  };
  wantedMean.forEach((wanted, k) => {
    const wantedStd = Math.sqrt((m2[k] as number) / (count - 1));
    worst = Math.max(worst, relative(mean[k], wanted), relative(std[k], wantedStd));
  });
  return worst;
}

function problemOf(bins: number, { contestant, error }: Standing): string[] {
  const tolerance = contestant.isOurs ? OUR_TOLERANCE : OTHERS_TOLERANCE;
  const allowed = Math.max(tolerance.mean, tolerance.std);
  if (error <= allowed) return [];
  const { name, where } = contestant;
  return [
    `${name} in ${where}, ${bins} bins: worst bin off by ${error.toExponential(1)}, allowed ${allowed}`,
  ];
}

/** Fastest of the others on so many cores. */
const bestOther = (standings: readonly Standing[], cores: number): Standing | undefined =>
  standings
    .filter(({ contestant }) => !contestant.isOurs && contestant.cores === cores)
    .toSorted((a, b) => a.medianMs - b.medianMs)[0];

/** One core's time over all cores' time and their number; against one worker, where there are workers. */
function scalingOf({ contestant, medianMs }: Standing, standings: readonly Standing[]): number {
  const { family, cores } = contestant;
  const single = standings.findLast((s) => s.contestant.family === family && s.contestant.cores === 1);
  return cores === 1 || single === undefined ? Number.NaN : single.medianMs / (cores * medianMs);
}

const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : '–');

function printStandings(bins: number, standings: readonly Standing[]): void {
  const rows = standings.map((standing): Cell[] => {
    const { contestant, medianMs, bestMs, error } = standing;
    const rival = bestOther(standings, contestant.cores);
    return [
      `${contestant.isOurs ? '▸ ' : '  '}${contestant.name}`,
      contestant.where,
      String(contestant.cores),
      medianMs,
      bestMs,
      (rival?.medianMs ?? Number.NaN) / medianMs,
      percent(scalingOf(standing, standings)),
      error.toExponential(1),
    ];
  });
  printTable(
    `Transform of ${bins}, |X|² and both moments: milliseconds per pair of 67 MB, ${ROUNDS} rounds in turns (▸ ours)`,
    ['', 'in', 'cores', 'median', 'best', '× best other', 'scaling', 'worst error'],
    rows,
  );
}

interface Verdict {
  readonly text: string;
  readonly ratio: number;
  readonly scaling: number;
}

/** Ours on one core, in a thread of its own and in the calling one as the others are, and from one worker to all. */
function verdictsOf(bins: number, standings: readonly Standing[]): Verdict[] {
  const rival = bestOther(standings, 1);
  if (rival === undefined) return [];
  return (['Node', 'Chromium'] as const).flatMap((where) => {
    const here = standings.filter(({ contestant }) => contestant.isOurs && contestant.where === where);
    const [thread, worker] = here.map(({ medianMs }) => rival.medianMs / medianMs);
    const all = here.at(-1);
    if (thread === undefined || worker === undefined || all === undefined) return [];
    const scaling = scalingOf(all, standings);
    const ratios = `${thread.toFixed(2)}× in the calling thread, ${worker.toFixed(2)}× in one worker`;
    const text = `${bins} in ${where}: ${ratios}, against ${rival.contestant.family}; scaling ${percent(scaling)}`;
    return [{ text, ratio: thread, scaling }];
  });
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  for (const { text } of verdicts) console.log(`  ${text}`);
  const ratio = Math.min(...verdicts.map((verdict) => verdict.ratio));
  const scaling = Math.min(...verdicts.map((verdict) => verdict.scaling));
  const said = (value: number, goal: number): string => (value >= goal ? 'reached' : 'MISSED');
  console.log(
    `At worst ${ratio.toFixed(2)}× the best other per core, both in the calling thread (goal ≥ ${RATIO_GOAL}): ` +
      `${said(ratio, RATIO_GOAL)}; scaling at worst ${percent(scaling)} (goal ≥ ${percent(SCALING_GOAL)}): ` +
      said(scaling, SCALING_GOAL),
  );
}
