/** `analyze PATH…`: the spectrum of recordings on disk, by the engine of the page, on all cores. */

import { basename, dirname, resolve } from 'node:path';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { analyze, type Measured, RunSum } from '../../web/offline/analysis.ts';
import { makeCatalogue } from '../../web/offline/catalogue.ts';
import { axisDifference, commonGeometry } from '../../web/offline/common-geometry.ts';
import { missingText } from '../../web/offline/missing.ts';
import { describer } from '../../web/offline/output.ts';
import type { Recording } from '../../web/offline/recording.ts';
import { parseSaved, type SavedSpectrum } from '../../web/offline/saved.ts';
import type { AnalyzeOptions } from '../config/options.ts';
import { findSources, type FoundSources } from '../files/disk-source.ts';
import { isS3Url, parseS3Url } from '../files/s3/s3-url.ts';
import type { Logger } from '../logger.ts';
import { createProgress } from '../progress-display.ts';
import { CLIPPED_BY_CHANCE, peakOf } from '../protocol/clipping.ts';
import type { ExportedSpectrum } from '../protocol/exports.ts';
import type { Geometry } from '../protocol/geometry.ts';
import { FileProblem } from '../protocol/pairs.ts';
import { isGivenRunName } from '../protocol/run-name.ts';
import { type ByteSource, isAbort, readAll } from '../protocol/source.ts';
import { giveUpSignal, stopSignal } from '../stop-signal.ts';
import { openSink, type SpectrumSink, writeSidecars } from './analyze-output.ts';

/** After a signal, recordings in hand are finished for so long; the contract gives ten seconds for everything. */
const GIVE_UP_MS = 7_000;

/** Name of a run that nothing names. */
const NAMELESS = 'offline';

/**
 * Closed list of why there is nothing to write.
 * - `nothing`: no recording and no saved result is there
 * - `none-usable`: there are some, but every one has a problem
 */
type AnalyzeErrorCode = 'nothing' | 'none-usable';

class AnalyzeError extends Error {
  readonly code: AnalyzeErrorCode;
  constructor(code: AnalyzeErrorCode, message: string) {
    super(message);
    this.name = 'AnalyzeError';
    this.code = code;
  }
}

/** @returns the exit status: 1 where something could not be used */
export async function runAnalyze(options: AnalyzeOptions, log: Logger): Promise<number> {
  const stop = stopSignal(() => log.info('stopping after the recordings in hand'));
  const giveUp = giveUpSignal(stop, GIVE_UP_MS);
  const problems = new Problems(log);
  let input: Input;
  try {
    input = await gather(options, { stop, giveUp }, log, problems);
  } catch (error) {
    if (!isAbort(error)) throw error;
    log.warn('stopped before anything was analysed');
    return 0;
  }
  const sum = new RunSum(input.geometry.bins);
  for (const { moments, files, startMs, endMs } of input.saved) sum.add(moments, files, startMs, endMs);
  const sink = await openSink(options.outFolder, options.formats);
  const describe = describer(options.run ?? input.run, options.window, input.geometry);
  const used = new Set<Recording>();
  const left = await measure(input, options, { stop, giveUp }, log, problems, async (measured) => {
    used.add(measured.recording);
    sum.add(measured.moments, 1, measured.startMs, measured.endMs);
    sayRemainder(measured, log);
    sayClipped(measured, log);
    if (options.perFile) await sink.write(describe.recording(measured));
    const { recording } = measured;
    if (options.sigmf && recording.kind === 'pair') await writeSidecars(recording, input.geometry);
  });
  const missing = missingText(input.all, used, problems.all);
  return finish(sum, sink, describe.run(sum, missing), {
    left,
    of: input.recordings.length,
    problems: problems.all.length,
    log,
  });
}

/** Begin nothing more; and, a while later, drop what is in hand. */
interface Signals {
  readonly stop: AbortSignal;
  readonly giveUp: AbortSignal;
}

/** Says each problem as it comes. */
class Problems {
  readonly all: FileProblem[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  tell(...problems: readonly FileProblem[]): void {
    for (const problem of problems) {
      this.all.push(problem);
      this.#log.warn({ file: problem.file, problem: problem.code }, problem.message);
    }
  }
}

/** What there is to analyse and to merge. */
interface Input {
  /** Named after the folder. */
  readonly run: string;
  readonly geometry: Geometry;
  /** On that geometry's axis. */
  readonly recordings: readonly Recording[];
  /** Those on other axes as well. */
  readonly all: readonly Recording[];
  readonly saved: readonly SavedSpectrum[];
}

/** @throws {AnalyzeError} @throws {FileProblem} an AbortError when it was stopped */
async function gather(
  options: AnalyzeOptions,
  signals: Signals,
  log: Logger,
  problems: Problems,
): Promise<Input> {
  const { paths, geometry: defaults, said, window } = options;
  const { found, named, problems: unseen } = await find(options, signals);
  const catalogue = await makeCatalogue(found, named, defaults.bins);
  problems.tell(...unseen, ...catalogue.problems);
  if (catalogue.ignored > 0) log.info({ files: catalogue.ignored }, 'other files were passed over');
  const common = commonGeometry(catalogue.recordings, { bins: defaults.bins, ...said }, defaults);
  problems.tell(...common.problems);
  const saved = await readSaved(catalogue.saved, common.geometry, problems);
  const [first] = saved;
  const isOnlySaved = common.recordings.length === 0 && first !== undefined;
  const geometry = isOnlySaved ? first.geometry : common.geometry;
  const kept = saved.filter((one) => {
    const difference =
      axisDifference(one.geometry, geometry) ??
      (one.window === window ? null : `window ${one.window}, but the others have ${window}`);
    if (difference !== null) problems.tell(new FileProblem('other-geometry', one.path, difference));
    return difference === null;
  });
  if (common.recordings.length + kept.length === 0) throw nothing(paths, problems.all.length);
  const run = runOf(paths, named);
  return { run, geometry, recordings: common.recordings, all: catalogue.recordings, saved: kept };
}

/** Files of disks and objects of buckets. */
async function find(
  { paths, settleMs, endpoint }: AnalyzeOptions,
  { stop, giveUp }: Signals,
): Promise<FoundSources> {
  const urls = paths.map(parseS3Url).filter((url) => url !== null);
  const onDisk = await findSources(
    paths.filter((path) => !isS3Url(path)),
    { settleMs, signal: stop },
  );
  if (urls.length === 0) return onDisk;
  // Loaded only here: the SDK is larger than all the rest.
  const { findObjects } = await import('../files/s3/s3-source.ts');
  const inBuckets = await findObjects(urls, { endpoint, signal: giveUp });
  return {
    found: [...onDisk.found, ...inBuckets.found],
    named: [...onDisk.named, ...inBuckets.named],
    problems: onDisk.problems,
  };
}

async function readSaved(
  sources: readonly ByteSource[],
  axis: Geometry,
  problems: Problems,
): Promise<(SavedSpectrum & { readonly path: string })[]> {
  const saved: (SavedSpectrum & { readonly path: string })[] = [];
  for (const source of sources) {
    try {
      const text = new TextDecoder().decode(await readAll(source));
      for (const one of parseSaved(text, source.path, axis)) saved.push({ ...one, path: source.path });
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      problems.tell(error);
    }
  }
  return saved;
}

function nothing(paths: readonly string[], problems: number): AnalyzeError {
  const where = paths.join(', ');
  if (problems > 0)
    return new AnalyzeError('none-usable', `${where}: nothing there can be analysed; the reasons are above`);
  const what = 'no duck_i_NNNNN.dat with its duck_q_NNNNN.dat, no SigMF, no .cf32 or .cs16 there';
  return new AnalyzeError('nothing', `${where}: ${what}; name the folder that holds them`);
}

/** @returns how many recordings were left out because of a signal */
async function measure(
  { geometry, recordings }: Input,
  { window, verify }: AnalyzeOptions,
  signals: Signals,
  log: Logger,
  problems: Problems,
  measured: (measured: Measured) => Promise<void>,
): Promise<number> {
  if (recordings.length === 0) return 0;
  const engine = await createCpuEngine({ bins: geometry.bins, window });
  log.info({ engine: engine.description.name, recordings: recordings.length }, 'analysing');
  const progress = createProgress('analysing', log, 'recordings');
  progress.total(
    recordings.length,
    recordings.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  try {
    return await analyze(
      recordings,
      { engine, geometry, verify, ...signals },
      {
        measured: async (one) => {
          progress.file(0);
          await measured(one);
        },
        problem: (problem) => problems.tell(problem),
        read: (bytes) => progress.bytes(bytes),
      },
    );
  } finally {
    progress.end();
    await engine.dispose();
  }
}

function sayRemainder({ recording, remainder }: Measured, log: Logger): void {
  if (remainder === 0) return;
  log.info(
    { file: recording.path, samples: remainder },
    'samples at the end make no whole slice and are not used',
  );
}

function sayClipped({ recording, moments }: Measured, log: Logger): void {
  const { clipped, samples } = moments.time;
  if (clipped <= CLIPPED_BY_CHANCE) return;
  log.warn(
    { file: recording.path, clipped, of: 2 * samples, volts: peakOf(moments.time) },
    'samples lie at the end of the digitiser: lower the gain before it',
  );
}

/** The name of the folder that all paths are, or lie in. */
function runOf(paths: readonly string[], files: readonly ByteSource[]): string {
  const isFile = new Set(files.map(({ path }) => resolve(path)));
  const folders = paths.map((path) => resolve(path)).map((path) => (isFile.has(path) ? dirname(path) : path));
  const names = new Set(folders.map((folder) => basename(folder)));
  const [name = ''] = names;
  return names.size === 1 && isGivenRunName(name) ? name : NAMELESS;
}

async function finish(
  sum: RunSum,
  sink: SpectrumSink,
  spectrum: ExportedSpectrum,
  told: { readonly left: number; readonly of: number; readonly problems: number; readonly log: Logger },
): Promise<number> {
  const { left, of, problems, log } = told;
  if (sum.moments.count > 0) await sink.write(spectrum);
  const { clipped } = sum.moments.time;
  const figures = { recordings: sum.files, slices: sum.moments.count, clipped, missing: spectrum.missing };
  if (left > 0) log.warn(figures, `stopped: ${of - left} of ${of} recordings are in the spectrum`);
  else log.info(figures, 'done');
  if (sum.moments.count === 0 && left === 0)
    throw new AnalyzeError('none-usable', 'nothing there can be analysed; the reasons are above');
  if (problems > 0) log.error(`${problems} files were not used: each is named above, with the reason`);
  return problems > 0 ? 1 : 0;
}
